# SPDX-License-Identifier: MIT
"""What a service of either house needs on Linux: words to systemd, a clean end."""
