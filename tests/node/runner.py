# SPDX-License-Identifier: MIT
"""Runs one test function: runner.py LIB FOLDER MODULE FUNCTION; says `passed` or dies loudly."""

import sys

lib, folder, module, function = sys.argv[1:]
sys.path[:0] = [lib, folder]
getattr(__import__(module), function)()
print("passed")
