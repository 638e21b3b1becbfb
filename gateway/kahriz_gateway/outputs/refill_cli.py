# SPDX-License-Identifier: MIT
"""`kahriz gateway refill`: history once more for an output, after its database was replaced."""

from __future__ import annotations

import contextlib
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
    for name in names:
        if name not in OUTPUTS:
            raise ConfigError("OUTPUT", "one of " + ", ".join(OUTPUTS), name)
    since_ms = moment_ms(plan, since)
    path = data / "village.db"
    if not path.exists():
        raise StoreError(f"no village.db in {data}: has the village run with this --data?")
    with contextlib.closing(village_store.open_village(path)) as conn:
        for name in names:
            refill.request(conn, name, since_ms)
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
