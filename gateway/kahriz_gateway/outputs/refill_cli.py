# SPDX-License-Identifier: MIT
"""`kahriz gateway refill`: history once more for an output, after its database was replaced."""

from __future__ import annotations

import contextlib
import sqlite3
from datetime import datetime
from pathlib import Path

from kahriz_gateway.intake.store import StoreError
from kahriz_gateway.outputs import OUTPUTS, refill
from kahriz_gateway.outputs.csv_files import zone_of
from kahriz_gateway.village import store as village_store
from kahriz_water.plan import ConfigError
from kahriz_water.site import Plan


def ask(plan: Plan, data: Path, names: tuple[str, ...], since: str) -> int:
    """Ask for everything since a day or an ISO time; how many values that is."""
    since_ms, path = _checked(plan, data, names, since)
    with contextlib.closing(village_store.open_village(path)) as conn:
        for name in names:
            refill.request(conn, name, since_ms)
        return _count(conn, since_ms)


def bring(plan: Plan, data: Path, names: tuple[str, ...], since: str) -> int:
    """The same, done here and now on a copy that no village works on."""
    from kahriz_gateway.outputs import refill_now  # brings the outputs, which few calls need

    since_ms, path = _checked(plan, data, names, since)
    refill_now.bring(plan, data, names, since_ms)
    with contextlib.closing(village_store.open_village(path, read_only=True)) as conn:
        return _count(conn, since_ms)


def _checked(plan: Plan, data: Path, names: tuple[str, ...], since: str) -> tuple[int, Path]:
    for name in names:
        if name not in OUTPUTS:
            raise ConfigError("OUTPUT", "one of " + ", ".join(OUTPUTS), name)
    path = data / "village.db"
    if not path.exists():
        raise StoreError(f"no village.db in {data}: has the village run with this --data?")
    return moment_ms(plan, since), path


def _count(conn: sqlite3.Connection, since_ms: int) -> int:
    sql = "SELECT count(*) FROM value WHERE ts >= ?"
    return int(conn.execute(sql, (since_ms,)).fetchone()[0])


def moment_ms(plan: Plan, text: str) -> int:
    """A day begins at midnight of the site's own time zone."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ConfigError("--since", "a day or time such as 2026-03-01", text) from error
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone_of(plan))
    return round(moment.timestamp() * 1000)
