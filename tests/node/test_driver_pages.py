# SPDX-License-Identifier: MIT
"""firmware/DRIVERS.md says what the drivers say."""

import subprocess
import sys
from pathlib import Path

from kahriz_node.sensors import SENSORS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "firmware" / "DRIVERS.md").read_text(encoding="utf-8")


def test_the_page_is_current() -> None:
    command = [sys.executable, str(ROOT / "scripts" / "driver_pages.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_every_driver_has_its_section() -> None:
    for name in SENSORS:
        assert f"\n## {name}\n" in PAGE
        assert f"]({'#' + name})" in PAGE
