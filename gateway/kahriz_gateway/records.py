# SPDX-License-Identifier: MIT
"""Dated records as TOML: deployments into the store and out of it again.

[[deployment]]
node = "outlet"
channel = "weir"
point = "outlet"
from = 2026-04-01T08:00:00+04:00
zero_m = 0.800
sound_speed = "fixed"
"""

from __future__ import annotations

import sqlite3
import tomllib
from datetime import UTC, datetime
from pathlib import Path

from kahriz_gateway.village_store import transaction
from kahriz_water.deployment import SOUND_SPEEDS, Deployment
from kahriz_water.plan import Plan
from kahriz_water.strict import ConfigError, Table

_COLUMNS = "node, channel, point, from_ms, to_ms, zero_m, span_m, sound_speed, note"


def parse_records(text: str, plan: Plan, source: str = "records.toml") -> list[Deployment]:
    """Read deployments; each must name a point of the plan."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(source, f"TOML ({error})") from error
    top = Table(data, source)
    deployments = [_deployment(t, plan) for t in top.tables("deployment")]
    top.done()
    return deployments


def _deployment(table: Table, plan: Plan) -> Deployment:
    from_ms = _ms(table.moment("from"))
    if from_ms is None:
        raise ConfigError(table.at("from"), "a moment such as 2026-04-01T08:00:00+04:00")
    to_ms = _ms(table.moment("to"))
    if to_ms is not None and to_ms <= from_ms:
        raise ConfigError(table.at("to"), "a moment after `from`")
    has_sound = table.has("sound_speed")
    found = Deployment(
        node=table.ident("node"),
        channel=table.text("channel"),
        point=table.choice("point", tuple(p.id for p in plan.points)),
        from_ms=from_ms,
        to_ms=to_ms,
        zero_m=table.optional_number("zero_m", -5, 20, "metres"),
        span_m=table.optional_number("span_m", 0.1, 50, "metres"),
        sound_speed=table.choice("sound_speed", SOUND_SPEEDS) if has_sound else None,
        note=table.text("note") if table.has("note") else "",
    )
    table.raw("sound_speed")
    table.raw("note")
    table.done()
    return found


def _ms(moment: datetime | None) -> int | None:
    return None if moment is None else round(moment.timestamp() * 1000)


def put_deployments(conn: sqlite3.Connection, deployments: list[Deployment]) -> int:
    """Store deployments; says how many were new or different."""
    changed = 0
    for d in deployments:
        cursor = conn.execute(
            f"INSERT INTO deployment({_COLUMNS}) VALUES(?,?,?,?,?,?,?,?,?)"
            " ON CONFLICT(node, channel, from_ms) DO UPDATE SET point=excluded.point,"
            " to_ms=excluded.to_ms, zero_m=excluded.zero_m, span_m=excluded.span_m,"
            " sound_speed=excluded.sound_speed, note=excluded.note"
            " WHERE (point, to_ms, zero_m, span_m, sound_speed, note) IS NOT"
            " (excluded.point, excluded.to_ms, excluded.zero_m, excluded.span_m,"
            " excluded.sound_speed, excluded.note)",
            (
                d.node,
                d.channel,
                d.point,
                d.from_ms,
                d.to_ms,
                d.zero_m,
                d.span_m,
                d.sound_speed,
                d.note,
            ),
        )
        changed += max(0, cursor.rowcount)
    return changed


def deployments(conn: sqlite3.Connection) -> list[Deployment]:
    rows = conn.execute(
        f"SELECT {_COLUMNS} FROM deployment ORDER BY node, channel, from_ms"  # noqa: S608
    )
    return [Deployment(*tuple(r)) for r in rows]


def import_records(conn: sqlite3.Connection, path: Path, plan: Plan) -> int:
    """Read a file of records into the store, all or nothing."""
    found = parse_records(path.read_text(encoding="utf-8"), plan, str(path))
    with transaction(conn):
        return put_deployments(conn, found)


def export_records(conn: sqlite3.Connection) -> str:
    """The store's dated records as TOML that `parse_records` reads back unchanged."""
    blocks = []
    for d in deployments(conn):
        lines = ["[[deployment]]"]
        lines += [f'{key} = "{getattr(d, key)}"' for key in ("node", "channel", "point")]
        lines.append(f"from = {_moment(d.from_ms)}")
        if d.to_ms is not None:
            lines.append(f"to = {_moment(d.to_ms)}")
        if d.zero_m is not None:
            lines.append(f"zero_m = {d.zero_m!r}")
        if d.span_m is not None:
            lines.append(f"span_m = {d.span_m!r}")
        if d.sound_speed is not None:
            lines.append(f'sound_speed = "{d.sound_speed}"')
        if d.note:
            escaped = d.note.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
            lines.append(f'note = "{escaped}"')
        blocks.append("\n".join(lines) + "\n")
    return "\n".join(blocks)


def _moment(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds")
