# SPDX-License-Identifier: MIT
"""A secret out of a file; a bare name is looked up among systemd's credentials too."""

from __future__ import annotations

import os
from pathlib import Path

from kahriz_water.strict import ConfigError


def path_of(name: str) -> Path:
    """Where the secret lies: as the plan says, or among the credentials of this service."""
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    among = Path(folder) / name if folder and Path(name).name == name else None
    return among if among is not None and among.exists() else Path(name)


def read(name: str) -> bytes:
    """The secret without blanks around it; ConfigError when it cannot be read."""
    try:
        return path_of(name).read_bytes().strip()
    except OSError as error:
        raise ConfigError(f"secret file {name}", f"a file that can be read ({error})") from error
