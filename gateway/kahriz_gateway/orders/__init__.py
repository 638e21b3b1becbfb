# SPDX-License-Identifier: MIT
"""Orders to the nodes: configuration, commands, programs."""
