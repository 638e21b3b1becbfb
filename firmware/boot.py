# SPDX-License-Identifier: MIT
"""Before main.py: our own libraries before frozen ones."""

import sys

if "/lib" in sys.path:
    sys.path.remove("/lib")
sys.path.insert(0, "/lib")
