# SPDX-License-Identifier: MIT
"""What people take: the use of a zone, and what was planned."""
