# SPDX-License-Identifier: MIT
"""InfluxDB line protocol for interpreted values, node health, alarms, turns: plain data, no client.

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
    """A node's own figures (battery_v, rssi_dbm, heap, boot) and what became of its readings."""

    node: str
    ts: int
    figures: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class TurnMark:
    """A turn that is over: the code of a plot, from `ts` on. Without m3 nothing is known of it."""

    plot: str
    ts: int
    q: int
    minutes: float = 0.0
    m3: float | None = None
    u_m3: float | None = None
    coverage: float | None = None


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
    raised_ms: int | None = None
    open_s: float | None = None  # from raised to this moment
    repair_s: float | None = None  # from raised to the day somebody said that it is mended


def line(
    measurement: str, tags: Mapping[str, str], fields: Mapping[str, float], ts_ms: int
) -> str | None:
    """One line, or None when no field is a finite number (an empty line is a 400)."""
    pairs = [
        f"{_key(name)}={float(value)!r}" for name, value in fields.items() if math.isfinite(value)
    ]
    return f"{_head(measurement, tags)} {','.join(pairs)} {ts_ms}" if pairs else None


def water_lines(site: str, nodes: Mapping[str, str], values: Iterable[WaterValue]) -> Iterator[str]:
    """One line a (point, ts) with all its quantities; `nodes` gives the node of a point.

    The node is the plan's, not the one that happened to measure: a tag that changes with a
    repair would leave a recomputed history beside the old one.
    """
    rows: dict[tuple[str, int], list[WaterValue]] = {}
    for value in values:
        rows.setdefault((value.point, value.ts), []).append(value)
    heads: dict[str, str] = {}
    for (point, ts_ms), row in rows.items():
        if point not in heads:
            tags = {"site": site, "node": nodes.get(point, point), "point": point}
            heads[point] = _head("water", tags)
        yield f"{heads[point]} {_water_pairs(row)} {ts_ms}"


def _water_pairs(row: Iterable[WaterValue]) -> str:
    """Fields of one row; `q` is the best flag in it, each quantity has its own beside it."""
    pairs: list[str] = []
    flags: dict[str, int] = {}
    for value in row:
        quantity, number, flag = value.quantity, value.value, value.q
        if number is None or not math.isfinite(number):
            flag = max(flag, MISSING)
        elif flag < FAIL:
            pairs.append(f"{_key(quantity)}={float(number)!r}")
            u = value.u
            if u is not None and quantity == "discharge_lps" and math.isfinite(u):
                pairs.append(f"discharge_u_lps={float(u)!r}")
        flags[quantity] = flag
    if any(quantity in flags for quantity in DISCHARGE):
        for quantity in DISCHARGE:
            flags.setdefault(quantity, MISSING)
    pairs += [_flag(quantity, flag) for quantity, flag in flags.items()]
    pairs.append(f"q={float(min(flags.values()))!r}")
    return ",".join(pairs)


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
        known = {
            name: getattr(mark, name) for name in ("lps", "m3", "raised_ms", "open_s", "repair_s")
        }
        fields |= {name: number for name, number in known.items() if number is not None}
        text = line("alarm", alarm_tags(site, mark), fields, mark.ts)
        if text is not None:
            yield text


def alarm_tags(site: str, mark: AlarmMark) -> dict[str, str]:
    """The series of one alarm."""
    return {"site": site, "kind": mark.kind, "place": mark.place, "alarm": str(mark.id)}


def turn_lines(site: str, marks: Iterable[TurnMark]) -> Iterator[str]:
    """Turns by the codes of their plots; one that is withdrawn keeps its flag alone."""
    for mark in marks:
        fields = {"q": float(mark.q), "minutes": mark.minutes}
        known = {name: getattr(mark, name) for name in ("m3", "u_m3", "coverage")}
        fields |= {name: number for name, number in known.items() if number is not None}
        text = line("turn", {"site": site, "plot": mark.plot}, fields, mark.ts)
        if text is not None:
            yield text


def _head(measurement: str, tags: Mapping[str, str]) -> str:
    """What a line begins with: its series."""
    known = [f"{_key(name)}={_key(tags[name])}" for name in sorted(tags)]
    return ",".join([_measurement(measurement), *known])


@lru_cache(4096)
def _flag(quantity: str, flag: int) -> str:
    return f"{_key(quantity)}_q={float(flag)!r}"


@lru_cache(4096)
def _key(text: str) -> str:
    # A newline cannot be escaped in a tag, and a backslash at the end escapes the comma after it.
    plain = text.replace("\n", " ").replace("\r", " ").replace("\\", "/")
    return plain.replace(",", "\\,").replace("=", "\\=").replace(" ", "\\ ") or "-"


def _measurement(text: str) -> str:
    return text.replace(",", "\\,").replace(" ", "\\ ")
