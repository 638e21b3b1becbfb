# SPDX-License-Identifier: MIT
"""Backups: made, tried and restored."""
