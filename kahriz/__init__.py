# SPDX-License-Identifier: MIT
"""The `kahriz` command; what it can do lives in the packages that own each group."""
