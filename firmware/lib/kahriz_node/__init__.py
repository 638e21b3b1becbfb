# SPDX-License-Identifier: MIT
"""The node program: measure, write down, upload when due, sleep."""
