# SPDX-License-Identifier: MIT
"""The alarm book: its people, its post, its answers, and the proof of repair."""
