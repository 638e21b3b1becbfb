# SPDX-License-Identifier: MIT
"""How the gateway grows while it can hand nothing over: its stores on the disk, its objects."""

from __future__ import annotations

import contextlib
import gc
from dataclasses import dataclass
from pathlib import Path

from .disk import plain_connect
from .schedule import DAY_S, MONTH, Happening
from .site import Site

STORES = ("readings.db", "village.db")
OURS = ("kahriz_sim", "tests")
WARM_S = 3 * DAY_S  # after which all that is kept for some days is there
BEFORE_END_S = 0.25 * DAY_S


@dataclass(frozen=True)
class Look:
    """One moment: readings stored so far, bytes of the stores, logs beside them, and objects."""

    rows: int
    bytes: int
    log_bytes: int
    objects: int


class Growth:
    """Looks after the third day of a month without the server, and before its end."""

    def __init__(self, site: Site, happenings: tuple[Happening, ...]) -> None:
        self.looks: list[Look] = []
        self._site = site
        for each in happenings:
            if each.kind == MONTH:
                site.at(each.at_s + WARM_S, self._look)
                site.at(each.to_s - BEFORE_END_S, self._look)

    def _look(self) -> None:
        gc.collect()
        data = self._site.data
        logs = sum(p.stat().st_size for p in data.iterdir() if p.name.endswith((".jsonl", "-wal")))
        size = sum(_bytes(data / name) for name in STORES)
        with contextlib.closing(plain_connect(data / STORES[0])) as conn:
            (rows,) = conn.execute("SELECT count(*) FROM reading").fetchone()
        self.looks.append(Look(rows, size, logs, _objects()))

    def a_row(self) -> tuple[float, float] | None:
        """Bytes and objects that each reading between the two looks has added."""
        if len(self.looks) != 2:
            return None
        first, last = self.looks
        rows = max(1, last.rows - first.rows)
        return (last.bytes - first.bytes) / rows, (last.objects - first.objects) / rows


def _objects() -> int:
    """All but what our world remembers: wakes, texts that the modem took, calls."""
    return sum(not str(type(each).__module__).startswith(OURS) for each in gc.get_objects())


def _bytes(store: Path) -> int:
    """What a store has in use, its log included."""
    with contextlib.closing(plain_connect(store)) as conn:
        one = [conn.execute(f"PRAGMA {name}").fetchone()[0]
               for name in ("page_count", "freelist_count", "page_size")]  # fmt: skip
    return int((one[0] - one[1]) * one[2])
