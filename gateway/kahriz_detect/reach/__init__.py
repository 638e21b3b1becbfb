# SPDX-License-Identifier: MIT
"""Between two weirs: what goes in must come out, after its time of travel."""
