# SPDX-License-Identifier: MIT
"""Stores for looking at, made with the gateway's own functions: a kahriz on 23 November 2026."""

from __future__ import annotations

import json
import math
import random
import sqlite3
import tempfile
from dataclasses import dataclass
from pathlib import Path

from kahriz_gateway.committee import book, turn_book
from kahriz_gateway.intake import store
from kahriz_gateway.village import store as village_store
from kahriz_gateway.village.store import Value
from kahriz_water.plan import Plan, parse_plan
from kahriz_water.turns import Plot, Rota

SITES = Path(__file__).parents[2] / "firmware/kahriz_sim/sites"
NOW = 1_795_417_500_000  # Monday 23.11.2026 11:05 in Baku
MIN = 60_000
HOUR = 60 * MIN
DAY = 24 * HOUR


@dataclass
class HandClock:
    """A clock set by hand."""

    ms: int = NOW
    sure: bool = True

    def now_ms(self) -> int:
        return self.ms

    def trusted(self) -> bool:
        return self.sure

    def not_before(self, ms: int) -> None:
        pass


def plan_of(site: str = "banovshalar-gozlu") -> Plan:
    path = SITES / site / "site.toml"
    return parse_plan(path.read_text(encoding="utf-8"), str(path))


def open_for_writing(data: Path) -> sqlite3.Connection:
    return village_store.open_village(data / "village.db")


def put(data: Path, values: list[Value]) -> None:
    conn = open_for_writing(data)
    conn.execute("BEGIN")
    village_store.put_values(conn, values, final=False)
    conn.execute("COMMIT")
    conn.close()


def alarm(
    data: Path,
    kind: str = "leak",
    place: str = "upper",
    *,
    raised: int,
    closed: int | None = None,
    lps: float | None = 2.0,
    m3: float | None = 41.0,
    evidence: dict[str, object] | None = None,
) -> None:
    """An alarm as the village stores it (its own writer wants a whole detector run)."""
    conn = open_for_writing(data)
    conn.execute(
        "INSERT INTO alarm(kind, place, state, raised, stored, closed, lps, lps_u, m3, evidence)"
        " VALUES(?,?,?,?,?,?,?,?,?,?)",
        (
            kind,
            place,
            "closed" if closed else "raised",
            raised,
            raised,
            closed,
            lps,
            None if lps is None else 0.4,
            m3,
            json.dumps(evidence or {}),
        ),
    )
    conn.close()


def flow(
    point: str, lps: float, start: int, end: int, *, step: int = 5 * MIN, q: int = 1
) -> list[Value]:
    """A steady flow with a little noise."""
    noise = random.Random(f"{point}{start}{lps}")
    return [
        Value(point, "discharge_lps", ts, lps + noise.gauss(0, 0.12), 0.45, q)
        for ts in range(start, end, step)
    ]


def storage(point: str, area_m2: float, level: float, start: int, end: int) -> list[Value]:
    """A pool that breathes with the day."""
    values = []
    for ts in range(start, end, 5 * MIN):
        h = level + 0.25 * math.sin(2 * math.pi * ts / DAY)
        values.append(Value(point, "level_m", ts, h, 0.01, 1))
        values.append(Value(point, "volume_m3", ts, h * area_m2, area_m2 * 0.01, 1))
    return values


def living(data: Path, days: float = 1.2, leak: bool = False) -> None:
    """A kahriz at work until five minutes ago; with `leak`, 2 L/s lost above the middle."""
    with tempfile.TemporaryDirectory() as folder:
        made = _made.setdefault((days, leak), b"") or _living(Path(folder), days, leak)
    _made[days, leak] = made
    if (data / "village.db").exists():
        raise FileExistsError("living() comes first: it brings a whole store")
    (data / "village.db").write_bytes(made)


_made: dict[tuple[float, bool], bytes] = {}


def _living(data: Path, days: float, leak: bool) -> bytes:
    start, end = NOW - int(days * DAY), NOW - 4 * MIN
    start -= start % (5 * MIN)
    since = NOW - 5 * HOUR - 40 * MIN if leak else end
    put(data, flow("outlet", 12.0, start, end))
    put(data, flow("middle", 11.7, start, since) + flow("middle", 9.7, since, end))
    put(data, flow("inlet", 11.5, start, since) + flow("inlet", 9.5, since, end))
    put(data, flow("fields", 22.0, NOW - 3 * HOUR, end))
    low = range(start, NOW - 3 * HOUR, 5 * MIN)
    put(data, [Value("fields", "discharge_lt_lps", ts, 1.2, None, 1) for ts in low])
    put(data, storage("pool", 290, 1.9, start, end) + storage("tank", 40, 2.1, start, end))
    hours = range(start, end, 5 * MIN)
    for point in ("outlet", "middle"):
        air = [(ts, 9 + 5 * math.sin(2 * math.pi * ts / DAY)) for ts in hours]
        put(data, [Value(point, "c", ts, c, 0.5, 1) for ts, c in air])
    conn = open_for_writing(data)
    village_store.set_state(conn, "alive_ms", NOW - 5 * MIN)
    conn.close()
    if leak:
        put(data, flow("middle", 9.9, NOW - 2 * HOUR, NOW - 2 * HOUR + 40 * MIN, q=3))
        evidence = {"since_ms": float(since), "down_change_lps": -2.0, "odd_thing": 0.3}
        alarm(data, raised=since + 30 * MIN, evidence=evidence)
    return (data / "village.db").read_bytes()


def agreed(data: Path, plots: str = "A1 120\nB2 180\nC3 60", ago_ms: int = 0) -> None:
    """The committee has agreed on turns from 06:00 of this day on, or `ago_ms` earlier."""
    rows = [line.rsplit(" ", 1) for line in plots.splitlines()]
    rota = Rota(NOW - 5 * HOUR - 5 * MIN - ago_ms, tuple(Plot(c, float(m)) for c, m in rows), 12.0)
    conn = book.open_book(data)
    book.write(conn, NOW, "aqsaqqal", "committee", "rota", turn_book.body_of(rota, "outlet"))
    conn.close()


def fills(data: Path, rate_m3_h: float = 30.0, until: int = NOW - 4 * MIN) -> None:
    """The pool has been filling evenly for three hours: at this rate until it is full."""
    times = range(NOW - 3 * HOUR, until, 5 * MIN)
    rows = [(ts, 300.0 + rate_m3_h * (ts - NOW) / HOUR) for ts in times]
    put(data, [Value("pool", "volume_m3", ts, m3, 3.0, 1) for ts, m3 in rows])


def heard(data: Path, plan: Plan, *, gap: tuple[int, int] | None = (41, 43)) -> None:
    """readings.db with a hello of each node, five minutes old, and a gap at the pool."""
    conn = store.open_store(data / "readings.db", plan.id)
    for node in plan.nodes:
        body = json.dumps({"battery_v": 3.31, "rssi_dbm": -67})
        conn.execute(
            "INSERT INTO session(node, journal, s, first, next, received, body)"
            " VALUES(?,?,?,?,?,?,?)",
            (node, "9f3a01c2", "5be1c07a", 1, 400, NOW - 5 * MIN, body),
        )
    if gap:
        conn.execute(
            "INSERT INTO gap(node, journal, a, b, since) VALUES(?,?,?,?,?)",
            ("pool", "9f3a01c2", *gap, NOW - HOUR),
        )
    conn.close()
