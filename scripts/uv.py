# SPDX-License-Identifier: MIT
"""uv as scripts/setup brought it, for the programs here."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def uv(*arguments: str, check: bool = True, timeout_s: float | None = None) -> str:
    """What it prints; its own words on stderr when it fails, unless nobody checks that."""
    ours = ROOT / ".tools/bin/uv"
    environment = {**os.environ, "UV_SYSTEM_CERTS": "true", "UV_NO_PROGRESS": "1"}
    command = [str(ours) if ours.exists() else "uv", *arguments]
    done = subprocess.run(
        command, check=check, env=environment, text=True, timeout=timeout_s,
        stdout=subprocess.PIPE, stderr=None if check else subprocess.DEVNULL,
    )  # fmt: skip
    return done.stdout
