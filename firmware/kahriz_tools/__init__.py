# SPDX-License-Identifier: MIT
"""The technician's laptop: the program and the configuration of a node, put on a board."""
