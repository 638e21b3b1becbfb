# SPDX-License-Identifier: MIT
"""The village: readings become water, water becomes alarms, both go out."""
