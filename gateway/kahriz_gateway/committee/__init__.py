# SPDX-License-Identifier: MIT
"""What people of the village enter: turns, corrections, visits; who may, and who did."""
