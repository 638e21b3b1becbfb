# SPDX-License-Identifier: MIT
"""One instrument or one node by itself: is what it says to be believed, does it speak."""
