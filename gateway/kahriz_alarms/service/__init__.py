# SPDX-License-Identifier: MIT
"""What a service of either house needs on Linux: words to systemd, and to hear that it shall end."""
