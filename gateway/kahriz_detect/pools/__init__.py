# SPDX-License-Identifier: MIT
"""What is stored: the balance of a pool, its level, the hours at which it rests."""
