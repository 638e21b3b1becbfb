# SPDX-License-Identifier: MIT
"""Intake: what the nodes send is stored first and answered with a receipt."""
