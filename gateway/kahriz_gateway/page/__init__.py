# SPDX-License-Identifier: MIT
"""The village's page: one screen for the water committee, served without the Internet."""
