# SPDX-License-Identifier: MIT
"""What leaves the store as files that an office can sign: CSV tables with their provenance."""
