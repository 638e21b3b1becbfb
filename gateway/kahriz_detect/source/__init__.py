# SPDX-License-Identifier: MIT
"""At the mouth of the gallery: collapse, decline, storm, a year beside the last."""
