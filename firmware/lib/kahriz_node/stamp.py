# SPDX-License-Identifier: MIT
"""Which program this is. An image has the build's own version and day in place of these."""

VERSION = "0.1.0"
NUMBER = 10000  # of this version, see kahriz_wire/release.py
BUILT_S = 1795392000  # 23 November 2026: it is later than this wherever the program runs
