# SPDX-License-Identifier: MIT
"""`/metrics`: a few gauges as Prometheus' text format, written by hand; no library, no registry.

What is not known is left out, never 0.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from kahriz_gateway import limits, notify_sign, ups
from kahriz_gateway.clock import Clock
from kahriz_gateway.intake.store import gaps
from kahriz_gateway.page import stores
from kahriz_gateway.village.changes import newest
from kahriz_gateway.village.store import get_state
from kahriz_water.site import Plan

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

HELP = {
    "kahriz_clock_trusted": "1 while the gateway's clock is believed",
    "kahriz_intake_running": "1 while intake holds its store",
    "kahriz_broker_connected": "1 while intake is subscribed at the broker",
    "kahriz_receipts_stopped": "1 while nothing can be stored, so that nodes get no receipts",
    "kahriz_village_stopped": "1 while values and alarms cannot be stored",
    "kahriz_store_bytes": "size of a store on disk, its log included",
    "kahriz_disk_free_bytes": "free for the stores",
    "kahriz_room_used_ratio": "stores / (stores + free)",
    "kahriz_disk_days_left": "days until the disk is full at the measured pace",
    "kahriz_rows_revision": "grows with every stored or re-dated reading",
    "kahriz_missing_rows": "readings that a node has numbered and nobody has seen",
    "kahriz_quarantine_messages": "messages kept that could not be read",
    "kahriz_node_heard_seconds": "since the last word of a node",
    "kahriz_node_battery_volts": "as the node's newest hello says",
    "kahriz_node_backlog_rows": "readings a node holds",
    "kahriz_alarms_open": "alarms without an end",
    "kahriz_deliveries_waiting": "alarm messages still to be sent",
    "kahriz_output_behind": "changes an output has not taken yet",
    "kahriz_on_mains": "0 while the battery feeds the gateway",
    "kahriz_battery_hours_left": "as counted from [ups] hours",
}

Sample = tuple[str, dict[str, str], float]


def text(plan: Plan, data: Path, clock: Clock) -> str:
    """All gauges that can be read now."""
    samples: dict[str, list[str]] = {}
    for name, labels, value in _samples(plan, data, clock):
        samples.setdefault(name, []).append(f"{name}{_labels(labels)} {_number(value)}")
    lines = []
    for name, found in samples.items():
        lines += [f"# HELP {name} {HELP[name]}", f"# TYPE {name} gauge", *found]
    return "\n".join(lines) + "\n"


def _number(value: float) -> str:
    """
    >>> _number(True), _number(83246682110), _number(3.91)
    ('1', '83246682110', '3.91')
    """
    return str(int(value)) if value == int(value) else repr(float(value))


def _labels(labels: dict[str, str]) -> str:
    """
    >>> _labels({"node": 'a"b'}), _labels({})
    ('{node="a\\\\"b"}', '')
    """
    pairs = [f"{key}={json.dumps(value, ensure_ascii=False)}" for key, value in labels.items()]
    return "{" + ",".join(pairs) + "}" if pairs else ""


def _samples(plan: Plan, data: Path, clock: Clock) -> Iterator[Sample]:
    now_ms = clock.now_ms()
    yield "kahriz_clock_trusted", {}, clock.trusted()
    said = notify_sign.read(data, "intake")
    if said is not None:
        yield "kahriz_intake_running", {}, notify_sign.running(data)
        yield "kahriz_broker_connected", {}, said.get("state") == "online"
        yield "kahriz_receipts_stopped", {}, "trouble" in said
    village = notify_sign.read(data, "village")
    if village is not None:
        yield "kahriz_village_stopped", {}, "trouble" in village
    room = limits.room(data)
    for name in ("readings.db", "village.db"):
        size = sum(path.stat().st_size for path in data.glob(f"{name}*"))
        yield "kahriz_store_bytes", {"store": name}, size
    yield "kahriz_disk_free_bytes", {}, room.free
    yield "kahriz_room_used_ratio", {}, room.share
    try:
        with stores.readings(data) as conn:
            yield from _readings(conn, now_ms)
    except stores.UnreadableStoreError:
        pass
    try:
        with stores.village(data) as conn:
            days = limits.days_left(get_state(conn, "room") or [], now_ms, room.free)
            if days is not None:
                yield "kahriz_disk_days_left", {}, days
            yield from _village(conn)
            yield from _power(conn, plan)
    except stores.UnreadableStoreError:
        pass


def _readings(conn: sqlite3.Connection, now_ms: int) -> Iterator[Sample]:
    newest = conn.execute("SELECT max(rev) FROM reading").fetchone()[0]
    yield "kahriz_rows_revision", {}, newest or 0
    quarantined = conn.execute("SELECT count(*) FROM quarantine").fetchone()[0]
    yield "kahriz_quarantine_messages", {}, quarantined
    missing: dict[str, int] = {}
    for gap in gaps(conn):
        missing[gap.node] = missing.get(gap.node, 0) + gap.count
    newest_hello = {}
    for row in conn.execute("SELECT node, received, first, next, body FROM session ORDER BY rowid"):
        newest_hello[row["node"]] = row
    for node, row in newest_hello.items():
        yield "kahriz_missing_rows", {"node": node}, missing.get(node, 0)
        yield "kahriz_node_backlog_rows", {"node": node}, row["next"] - row["first"]
        if row["received"] is not None:
            yield "kahriz_node_heard_seconds", {"node": node}, (now_ms - row["received"]) / 1000
        volts = json.loads(row["body"]).get("battery_v")
        if isinstance(volts, int | float):
            yield "kahriz_node_battery_volts", {"node": node}, volts


def _village(conn: sqlite3.Connection) -> Iterator[Sample]:
    for kind, count in conn.execute(
        "SELECT kind, count(*) FROM alarm WHERE closed IS NULL GROUP BY kind"
    ):
        yield "kahriz_alarms_open", {"kind": kind}, count
    waiting = conn.execute(
        "SELECT count(*) FROM delivery WHERE state IN ('pending', 'trying')"
    ).fetchone()[0]
    yield "kahriz_deliveries_waiting", {}, waiting
    last = newest(conn)
    for name, rev in conn.execute("SELECT name, rev FROM cursor"):
        if name != "village" and ":" not in name:
            yield "kahriz_output_behind", {"output": name}, max(0, last - rev)


def _power(conn: sqlite3.Connection, plan: Plan) -> Iterator[Sample]:
    if plan.ups is None:
        return
    mains = ups.on_mains(plan.ups)
    if mains is not None:
        yield "kahriz_on_mains", {}, mains
    kept = get_state(conn, "power")
    if kept is not None:
        yield "kahriz_battery_hours_left", {}, ups.Power(**kept).hours_left(plan.ups)
