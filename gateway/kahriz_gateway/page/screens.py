# SPDX-License-Identifier: MIT
"""What each page shows, ready for its template: words and numbers, no queries of its own."""

from __future__ import annotations

import sqlite3
from dataclasses import asdict
from pathlib import Path

from starlette.exceptions import HTTPException

from kahriz_gateway.alarms import advisory as alarm_advisory
from kahriz_gateway.alarms import modem as alarm_modem
from kahriz_gateway.alarms import stats as alarm_stats
from kahriz_gateway.page import beside, evidence, labels, line, nodes, queries, stores
from kahriz_gateway.page.format import DAY_MS
from kahriz_gateway.page.pictures import picture
from kahriz_gateway.page.quantities import Quantity, order, quantity
from kahriz_gateway.page.span import SPANS, parse_day, window
from kahriz_gateway.page.view import (
    STORAGE,
    WATER_ALARMS,
    Now,
    PointNow,
    capacity_m3,
    flow_of,
    full_at,
    look,
)
from kahriz_gateway.page.words import Speech
from kahriz_gateway.village.store import quantities_of
from kahriz_water.site import Plan, Point

Context = dict[str, object]


def front(conn: sqlite3.Connection, plan: Plan, words: Speech, now_ms: int) -> Context:
    """The one screen. Without any value it has no points, and says what to do."""
    now = look(conn, plan, now_ms)
    if now.empty:
        return {"points": [], "alarms": now.alarms, "now": now, "labels": labels}
    in_order = [next(p for p in now.points if p.point.id == c.id) for c in line.chain(plan)]
    leaking = {a.alarm.place for a in now.alarms if a.alarm.kind in WATER_ALARMS}
    stations = [line.Station(p.point, _short(words, p), p.stale) for p in in_order]
    drawn = line.drawing(plan, stations, leaking, words.text("The kahriz, mother well first"))
    chief = now.main.chief
    return {
        "now": now,
        "status": labels.status(words, now),
        "reason": labels.reason(words, now, plan),
        "chief": chief,
        "points": in_order,
        "stores": [p for p in in_order if p.point.kind in STORAGE and p.percent is not None],
        "capacity": {p.point.id: capacity_m3(p.point) for p in in_order},
        "full": {p.point.id: full_at(conn, p, now_ms) for p in in_order if p.percent is not None},
        "alarms": now.alarms,
        "advisory": alarm_advisory.running(conn, plan),
        "labels": labels,
        "quantity": quantity,
        "drawing": drawn,
        "picture": _picture_now(conn, plan, words, now),
        "until": _until(now),
        "flows": flow_of(now.main) is not None,
        "spans": SPANS,
    }


def _short(words: Speech, p: PointNow) -> str:
    """The value under a station: litres per second, or how full."""
    if p.percent is not None:
        return f"{words.format.number(p.percent, 0)}%"
    if p.chief is None:
        return "–"
    sign = {"below": "<", "above": ">"}.get(p.chief.bound, "")
    return sign + words.format.number(p.chief.value, labels.decimals(p.chief))


def _picture_now(conn: sqlite3.Connection, plan: Plan, words: Speech, now: Now) -> object:
    chief = now.main.chief
    if chief is None:
        return None
    point = now.main.point
    what = _what(conn, point, "")
    view = window("day", _until(now), None, point.dt_s)
    arrival = _arrival(plan, point)
    return picture(conn, plan, words, point, what, view, now.at, arrival)


def _until(now: Now) -> int:
    """Where the chart of a day ends: now, or with the last number when that is a day old."""
    chief = now.main.chief
    return chief.ts if chief is not None and chief.ts <= now.at - DAY_MS else now.at


def _arrival(plan: Plan, start: Point) -> Point | None:
    """Where the last reach ends: beside what leaves the source, what arrives."""
    below = {reach.from_: reach.to for reach in reversed(plan.reaches)}
    here = start.id
    while here in below:
        here = below[here]
    return plan.point(here) if here != start.id else None


def history(
    conn: sqlite3.Connection, plan: Plan, words: Speech, now_ms: int, asked: dict[str, str]
) -> Context:
    """One point over a day, a week, a season or a year."""
    point = plan.point(asked.get("point", "")) if "point" in asked else line.chain(plan)[0]
    span = asked.get("span", "day")
    if point is None or span not in SPANS:
        raise HTTPException(404)
    what = _what(conn, point, asked.get("quantity", ""))
    edges = queries.edges(conn, point.id, what)
    view = window(span, now_ms, parse_day(asked.get("date", "")), point.dt_s)
    old = edges is not None and "date" not in asked and edges[1] < view.start
    if edges is not None and old:
        view = window(span, edges[1], None, point.dt_s)
    besides = beside.known(plan, view, edges) if edges is not None else []
    by = next((b for b in besides if b.key == asked.get("beside")), None)
    return {
        "point": point,
        "span": span,
        "spans": SPANS,
        "what": what,
        "whats": [quantity(k) for k in order(point.kind, quantities_of(conn, point.id))],
        "picture": picture(conn, plan, words, point, what, view, now_ms, by=by) if edges else None,
        "besides": besides,
        "by": by,
        "view": view,
        "edges": edges,
        "old": old,
        "points": line.chain(plan),
        "date": asked.get("date", ""),
        "now_ms": now_ms,
    }


def _what(conn: sqlite3.Connection, point: Point, key: str) -> Quantity:
    """The quantity asked for, else the one that the point is about."""
    keys = order(point.kind, quantities_of(conn, point.id))
    if key and key not in keys:
        raise HTTPException(404)
    return quantity(key or (keys[0] if keys else "discharge_lps"))


def alarms(conn: sqlite3.Connection, plan: Plan, words: Speech, now_ms: int) -> Context:
    """Open alarms with their evidence, and those that were."""
    found = look(conn, plan, now_ms).alarms
    return {
        "alarms": [a for a in found if a.alarm.kind != alarm_advisory.KIND],
        "advisory": alarm_advisory.running(conn, plan),
        "stats": labels.outcome(words, plan, alarm_stats.stats(conn, now_ms)),
        "modem": alarm_modem.seen(conn),
        "closed": queries.alarms(conn, closed=True, limit=50),
        "evidence": evidence,
        "labels": labels,
        "now_ms": now_ms,
    }


def missing(conn: sqlite3.Connection, plan: Plan, words: Speech, now_ms: int) -> Context:
    """What has not arrived, node by node."""
    return {"found": nodes.missing(conn, plan, now_ms), "labels": labels, "now_ms": now_ms}


def missing_count(data_dir: Path, plan: Plan, now_ms: int) -> int | None:
    """How many readings are missing; None when nobody can say."""
    try:
        with stores.readings(data_dir) as conn:
            return nodes.missing(conn, plan, now_ms).count
    except stores.UnreadableStoreError:
        return None


def as_json(plan: Plan, now: Now) -> Context:
    """The front screen for programs: SI and milliseconds, no words."""
    return {
        "site": plan.id,
        "now": now.at,
        "status": now.status,
        "main": now.main.point.id,
        "today": asdict(now.today) if now.today else None,
        "points": [
            {
                "id": p.point.id,
                "kind": p.point.kind,
                "stale": p.stale,
                "sensor_silent": p.mute,
                "percent": p.percent,
                "spilling": p.spilling,
                "staff_off_mm": p.off_mm,
                "numbers": [{**asdict(n), "age_ms": now.at - n.ts} for n in p.numbers],
            }
            for p in now.points
        ],
        "alarms": [{**asdict(a.alarm), "silent_since": a.silent_since} for a in now.alarms],
    }
