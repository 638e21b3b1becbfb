# SPDX-License-Identifier: MIT
"""What to build at the water: weirs that do not drown the gallery."""
