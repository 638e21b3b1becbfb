# SPDX-License-Identifier: MIT
"""What is printed: warning labels, the calibration sheet, pictures for the bench."""
