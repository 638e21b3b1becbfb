# SPDX-License-Identifier: MIT
"""[radio.<point>] of a plan: the way of a node's radio to its access point, as measured on a map.

[radio.outlet]
distance_m = 900
antenna_dbi = 2      # the node's; 2 for the board's own
height_m = 1.5       # of its antenna over the ground
far_dbi = 10         # the access point's, in the node's direction
far_height_m = 6
ridge_m = 4          # optional: a ridge or roof in between, its height
ridge_at = 0.5       # and where, as a share of the way from the node
other_db = 6         # optional: leaves, a wall, a metal box
"""

from __future__ import annotations

from dataclasses import dataclass

from kahriz_water.strict import Table


@dataclass(frozen=True, slots=True)
class RadioPath:
    """What `kahriz hardware link` reckons with."""

    point: str
    distance_m: float
    antenna_dbi: float
    height_m: float
    far_dbi: float
    far_height_m: float
    ridge_m: float
    ridge_at: float
    other_db: float


def read_radio(table: Table | None, points: tuple[str, ...]) -> tuple[RadioPath, ...]:
    """The paths, in the order of the points."""
    if table is None:
        return ()
    found = [_path(table.table(point), point) for point in points if table.has(point)]
    table.done()
    return tuple(found)


def _path(table: Table, point: str) -> RadioPath:
    def maybe(key: str, low: float, high: float, unit: str, default: float) -> float:
        told = table.optional_number(key, low, high, unit)
        return default if told is None else told

    path = RadioPath(
        point,
        distance_m=table.number("distance_m", 1, 50_000, "metres"),
        antenna_dbi=table.number("antenna_dbi", -10, 30, "dBi"),
        height_m=table.number("height_m", 0.2, 200, "metres"),
        far_dbi=table.number("far_dbi", -10, 30, "dBi"),
        far_height_m=table.number("far_height_m", 0.2, 200, "metres"),
        ridge_m=maybe("ridge_m", 0, 500, "metres", 0.0),
        ridge_at=maybe("ridge_at", 0.01, 0.99, "parts of one", 0.5),
        other_db=maybe("other_db", 0, 100, "dB", 0.0),
    )
    table.done()
    return path
