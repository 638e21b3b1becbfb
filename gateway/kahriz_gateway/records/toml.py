# SPDX-License-Identifier: MIT
"""Dated records as TOML and back: zeros, ratings, staff readings, gaugings.

[[zero]]                         # a zero taken anew on a channel
node = "outlet"
channel = "weir"
from = 2026-05-01T09:00:00+04:00
zero_m = 0.803
who = "R. Quliyev"
# a 4-20 mA sensor calibrated at two depths: span_m, u_span_m, pivot_ma as well

[[rating]]                       # a structure from a day on, instead of the plan's
point = "outlet"
from = 2026-05-01T09:00:00+04:00
author = "R. Quliyev"
gaugings = ["2026-04-28 bucket", "2026-04-29 pool"]
structure = { kind = "v_notch", angle_deg = 89.4 }

[[staff]]                        # a stage read by a person
point = "outlet"
at = 2026-05-01T09:05:00+04:00
staff_m = 0.152
who = "R. Quliyev"

[[gauging]]
point = "outlet"
at = 2026-04-28T10:00:00+04:00
method = "bucket"
who = "R. Quliyev"
stage_m = 0.071
device_lps = 1.95
runs = [{ litres = 20, seconds = 10.3 }, { litres = 20, seconds = 10.1 }]

[[approval]]                     # the numbers of a point before `until` have been reviewed
point = "outlet"
at = 2026-06-03T11:00:00+04:00
until = 2026-06-01T00:00:00+04:00
who = "R. Quliyev"
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

from kahriz_gateway.records.approvals import Approval
from kahriz_water.gauging import METHODS, Gauging, read_runs
from kahriz_water.plan import Plan
from kahriz_water.rating_toml import rating_of, when, words
from kahriz_water.records import U_ZERO_M, DatedRating, StaffReading, Zero
from kahriz_water.strict import ConfigError, Table

BARE = re.compile(r"[A-Za-z0-9_-]+")


def _point(table: Table, plan: Plan) -> str:
    return table.choice("point", tuple(p.id for p in plan.points))


def read_zero(table: Table) -> Zero:
    u_m = table.optional_number("u_m", 0.0001, 0.1, "metres, standard")
    found = Zero(
        node=table.ident("node"),
        channel=table.text("channel"),
        from_ms=when(table, "from"),
        zero_m=table.number("zero_m", -5, 20, "metres"),
        u_m=U_ZERO_M if u_m is None else u_m,
        who=table.text("who"),
        note=words(table, "note"),
        span_m=table.optional_number("span_m", 0.1, 50, "metres"),
        u_span_m=table.optional_number("u_span_m", 0.0, 5, "metres, standard"),
        pivot_ma=table.optional_number("pivot_ma", 4, 20, "mA"),
    )
    if (found.span_m is None) != (found.pivot_ma is None) or (found.span_m is None) != (
        found.u_span_m is None
    ):
        raise ConfigError(table.at("span_m"), "span_m, u_span_m and pivot_ma, all three or none")
    table.done()
    return found


def read_rating(table: Table, plan: Plan) -> tuple[DatedRating, str]:
    """The rating, and its structure as JSON for the store."""
    return rating_of(table, tuple(p.id for p in plan.points))


def read_staff(table: Table, plan: Plan) -> StaffReading:
    found = StaffReading(
        point=_point(table, plan),
        at=when(table, "at"),
        staff_m=table.number("staff_m", -1, 20, "metres"),
        who=table.text("who"),
        photo=words(table, "photo"),
        note=words(table, "note"),
        computed_m=table.optional_number("computed_m", -5, 20, "metres"),
        zero_m=table.optional_number("zero_m", -5, 20, "metres"),
    )
    table.done()
    return found


def read_gauging(table: Table, plan: Plan) -> tuple[Gauging, str]:
    """The gauging, and its raw runs as JSON for the store."""
    method = table.choice("method", METHODS)
    raw = table.raw("runs")
    if not isinstance(raw, list):
        raise ConfigError(table.at("runs"), "a list of runs", raw)
    found = Gauging(
        point=_point(table, plan),
        at=when(table, "at"),
        method=method,
        runs=read_runs(method, raw, table.at("runs")),
        who=table.text("who"),
        stage_m=table.optional_number("stage_m", -1, 20, "metres"),
        device_lps=table.optional_number("device_lps", 0.0, 1000, "L/s"),
        note=words(table, "note"),
    )
    table.done()
    return found, json.dumps(raw, sort_keys=True)


def read_approval(table: Table, plan: Plan) -> Approval:
    found = Approval(
        point=_point(table, plan),
        at=when(table, "at"),
        until_ms=when(table, "until"),
        who=table.text("who"),
        note=words(table, "note"),
    )
    if found.until_ms > found.at:
        raise ConfigError(table.at("until"), "a moment before `at`: nobody approves the future")
    table.done()
    return found


def block(
    name: str, pairs: dict[str, Any], moments: tuple[str, ...] = ("from", "to", "at", "until")
) -> str:
    """One [[name]] table; None and empty texts are left out."""
    lines = [f"[[{name}]]"]
    for key, value in pairs.items():
        if value is not None and value != "":
            lines.append(f"{key} = {iso(value) if key in moments else _toml(value)}")
    return "\n".join(lines) + "\n"


def iso(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds")


def _toml(value: Any) -> str:
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_toml(v) for v in value) + "]"
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{_key(k)} = {_toml(v)}" for k, v in value.items()) + " }"
    return repr(value)


def _key(key: str) -> str:
    return key if BARE.fullmatch(key) else json.dumps(key)
