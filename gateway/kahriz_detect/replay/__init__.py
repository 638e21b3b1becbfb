# SPDX-License-Identifier: MIT
"""The engine over recorded readings: `kahriz replay`, its files and its words."""
