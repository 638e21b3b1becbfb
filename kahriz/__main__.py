# SPDX-License-Identifier: MIT
"""Run the command as `python -m kahriz`."""

from kahriz.cli import main

main()
