# SPDX-License-Identifier: MIT
"""Sums and tests of figures that several rooms use: they know no site and no trouble."""
