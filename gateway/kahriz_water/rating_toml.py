# SPDX-License-Identifier: MIT
"""Dated ratings as TOML: the village keeps them, a replay of history tries others.

[[rating]]                       # a structure from a day on, instead of the plan's
point = "outlet"
from = 2026-05-01T09:00:00+04:00
author = "R. Quliyev"
structure = { kind = "v_notch", angle_deg = 89.4 }
"""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

from kahriz_water.records import DatedRating
from kahriz_water.strict import ConfigError, Table, toml
from kahriz_water.structures import STRUCTURES, Structure

BESIDE = ("deployment", "zero", "staff", "gauging", "approval")  # of a file of all records


def ms_of(moment: datetime | None) -> int | None:
    return None if moment is None else round(moment.timestamp() * 1000)


def when(table: Table, key: str) -> int:
    found = ms_of(table.moment(key))
    if found is None:
        raise ConfigError(table.at(key), "a moment such as 2026-04-01T08:00:00+04:00")
    return found


def until(table: Table, from_ms: int) -> int | None:
    to_ms = ms_of(table.moment("to"))
    if to_ms is not None and to_ms <= from_ms:
        raise ConfigError(table.at("to"), "a moment after `from`")
    return to_ms


def words(table: Table, key: str) -> str:
    found = table.optional_text(key)
    return "" if found is None else found


def structure_of(data: object, path: str) -> Structure:
    table = Table(data, path)
    found = STRUCTURES[table.choice("kind", tuple(STRUCTURES))].from_table(table)
    table.done()
    return found


def rating_of(table: Table, points: tuple[str, ...]) -> tuple[DatedRating, str]:
    """The rating of one of these points, and its structure as JSON for the store."""
    from_ms = when(table, "from")
    raw = table.raw("structure")
    structure = structure_of(raw, table.at("structure"))
    gaugings = table.raw("gaugings") or []
    if not isinstance(gaugings, list) or not all(isinstance(g, str) for g in gaugings):
        raise ConfigError(table.at("gaugings"), "the gaugings behind it, a list of texts", gaugings)
    found = DatedRating(
        point=table.choice("point", points),
        from_ms=from_ms,
        to_ms=until(table, from_ms),
        structure=structure,
        author=table.text("author"),
        gaugings=tuple(gaugings),
        note=words(table, "note"),
    )
    table.done()
    return found, json.dumps(raw, sort_keys=True)


def read_ratings(path: Path, points: tuple[str, ...]) -> tuple[DatedRating, ...]:
    """The ratings of a file, which may hold other dated records as well."""
    try:
        top = Table(toml(path.read_text(encoding="utf-8"), str(path)), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(str(path), f"a file of ratings in TOML ({error})") from error
    found = tuple(rating_of(table, points)[0] for table in top.tables("rating"))
    for name in BESIDE:
        top.raw(name)
    top.done()
    if not found:
        raise ConfigError(str(path), "at least one [[rating]]")
    return found
