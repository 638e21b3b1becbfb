# SPDX-License-Identifier: MIT
"""The site's broker: its configuration, and whether it is the one that we wrote."""
