# SPDX-License-Identifier: MIT
"""The site's own authority: keys, certificates and who has lost them."""
