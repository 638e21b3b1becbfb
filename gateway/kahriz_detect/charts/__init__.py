# SPDX-License-Identifier: MIT
"""What an alarm rests on, gathered and drawn."""
