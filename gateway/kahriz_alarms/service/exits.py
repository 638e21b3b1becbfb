# SPDX-License-Identifier: MIT
"""With which codes our commands and services end; stable, 2 is the command line's own."""

EXIT_CONFIG = 3
EXIT_STORE = 4
EXIT_CLOCK = 5
EXIT_STATE = 6
