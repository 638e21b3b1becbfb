# SPDX-License-Identifier: MIT
"""InfluxDB line protocol for interpreted values, node health and alarms: plain data, no client.

Every field is a float: InfluxDB fixes the type of a field by its first write, and one integer
among floats is refused for ever. InfluxDB also *merges* fields: a point written again without
`discharge_lps` keeps the old number. So every quantity has a flag beside it (`<quantity>_q`),
written also when the number is withdrawn, and queries filter on it.
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

FAIL = 4  # QARTOD: from here on a number is not shown
MISSING = 9  # QARTOD: there is no number
# One of these stands for the discharge; what the others once said must be withdrawn.
DISCHARGE = ("discharge_lps", "discharge_lt_lps", "discharge_gt_lps")


class WaterValue(Protocol):
    """What this module reads of an interpreted value."""

    @property
    def point(self) -> str: ...
    @property
    def quantity(self) -> str: ...
    @property
    def ts(self) -> int: ...
    @property
    def value(self) -> float | None: ...
    @property
    def u(self) -> float | None: ...
    @property
    def q(self) -> int: ...


@dataclass(frozen=True, slots=True)
class NodeHealth:
    """A node's own figures: battery_v, rssi_dbm, heap, backlog_rows, missing_rows."""

    node: str
    ts: int
    figures: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class AlarmMark:
    """An alarm at the moment it opened (active) or closed."""

    id: int
    kind: str
    place: str
    ts: int
    active: bool
    lps: float | None = None
    m3: float | None = None


def line(
    measurement: str, tags: Mapping[str, str], fields: Mapping[str, float], ts_ms: int
) -> str | None:
    """One line, or None when no field is a finite number (an empty line is a 400)."""
    pairs = [
        f"{_key(name)}={float(value)!r}" for name, value in fields.items() if math.isfinite(value)
    ]
    if not pairs:
        return None
    head = ",".join(
        [_measurement(measurement)] + [f"{_key(name)}={_key(tags[name])}" for name in sorted(tags)]
    )
    return f"{head} {','.join(pairs)} {ts_ms}"


def water_lines(site: str, nodes: Mapping[str, str], values: Iterable[WaterValue]) -> Iterator[str]:
    """One line a (point, ts) with all its quantities; `nodes` gives the node of a point.

    The node is the plan's, not the one that happened to measure: a tag that changes with a
    repair would leave a recomputed history beside the old one.
    """
    rows: dict[tuple[str, int], list[WaterValue]] = {}
    for value in values:
        rows.setdefault((value.point, value.ts), []).append(value)
    for (point, ts_ms), row in rows.items():
        tags = {"site": site, "node": nodes.get(point, point), "point": point}
        text = line("water", tags, water_fields(row), ts_ms)
        if text is not None:
            yield text


def water_fields(row: Iterable[WaterValue]) -> dict[str, float]:
    """Fields of one row; `q` is the best flag in it, each quantity has its own beside it."""
    fields: dict[str, float] = {}
    flags: dict[str, int] = {}
    for value in row:
        number, flag = value.value, value.q
        if number is None or not math.isfinite(number):
            flag = max(flag, MISSING)
        elif flag < FAIL:
            fields[value.quantity] = number
            if value.u is not None and value.quantity == "discharge_lps":
                fields["discharge_u_lps"] = value.u
        flags[value.quantity] = flag
    if any(quantity in flags for quantity in DISCHARGE):
        for quantity in DISCHARGE:
            flags.setdefault(quantity, MISSING)
    for quantity, flag in flags.items():
        fields[f"{quantity}_q"] = flag
    if flags:
        fields["q"] = min(flags.values())
    return fields


def health_lines(site: str, healths: Iterable[NodeHealth]) -> Iterator[str]:
    """How the nodes are; figures that a node does not give are left out."""
    for health in healths:
        tags = {"site": site, "node": health.node}
        text = line("node_health", tags, health.figures, health.ts)
        if text is not None:
            yield text


def alarm_lines(site: str, marks: Iterable[AlarmMark]) -> Iterator[str]:
    """Alarms at the moments they opened or closed."""
    for mark in marks:
        fields = {"active": 1.0 if mark.active else 0.0}
        if mark.lps is not None:
            fields["lps"] = mark.lps
        if mark.m3 is not None:
            fields["m3"] = mark.m3
        tags = {"site": site, "kind": mark.kind, "place": mark.place, "alarm": str(mark.id)}
        text = line("alarm", tags, fields, mark.ts)
        if text is not None:
            yield text


@lru_cache(4096)
def _key(text: str) -> str:
    # A newline cannot be escaped in a tag, and a backslash at the end escapes the comma after it.
    plain = text.replace("\n", " ").replace("\r", " ").replace("\\", "/")
    return plain.replace(",", "\\,").replace("=", "\\=").replace(" ", "\\ ") or "-"


def _measurement(text: str) -> str:
    return text.replace(",", "\\,").replace(" ", "\\ ")
