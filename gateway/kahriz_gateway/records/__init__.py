# SPDX-License-Identifier: MIT
"""Dated records: zeros, ratings, gaugings, staff readings, and totals from them."""
