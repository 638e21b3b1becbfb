# SPDX-License-Identifier: MIT
"""What this gateway tells the office's server of itself, every few minutes."""
