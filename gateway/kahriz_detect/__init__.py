# SPDX-License-Identifier: MIT
"""Leaks, fallen sources and failing sensors in the readings of a kahriz; rooms in README.md."""
