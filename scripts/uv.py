# SPDX-License-Identifier: MIT
"""uv as scripts/setup brought it, for the programs here."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def uv(*arguments: str) -> str:
    """What it prints; its own words on stderr when it fails."""
    ours = ROOT / ".tools/bin/uv"
    environment = {**os.environ, "UV_SYSTEM_CERTS": "true", "UV_NO_PROGRESS": "1"}
    command = [str(ours) if ours.exists() else "uv", *arguments]
    done = subprocess.run(command, check=True, env=environment, stdout=subprocess.PIPE, text=True)
    return done.stdout
