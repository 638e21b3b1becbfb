# SPDX-License-Identifier: MIT
"""Closures for a replay, as `kahriz alarm maintenance list --all --json` writes them."""

from __future__ import annotations

import json
from pathlib import Path

from kahriz_detect.closure import Closure
from kahriz_detect.replay.run import ReplayError


def read_closures(path: Path) -> list[Closure]:
    """A list of objects with `place`, `from_ms`, `to_ms`; more is passed by."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return [Closure(str(c["place"]), int(c["from_ms"]), int(c["to_ms"])) for c in found]
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ReplayError(
            f"{path}: expected what `kahriz alarm maintenance list --all --json` writes ({error!r})"
        ) from error
