# SPDX-License-Identifier: MIT
"""A month of a kahriz, or of all, on one page: PDF by typst, in Azerbaijani, Russian, English."""
