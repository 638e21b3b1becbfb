# SPDX-License-Identifier: MIT
"""What an alarm rests on, gathered from the readings: panels for `chart_svg`.

The readings come by a function of the caller, from the store or from a file, and end at the
moment of the alarm: the picture shows what the detector had. The residual is drawn as the
difference to what was usual just before it began.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from kahriz_detect.charts.chart import Evidence, Line, Panel, Points
from kahriz_detect.finding import Finding
from kahriz_detect.numbers.glr import Z
from kahriz_detect.numbers.middle import median
from kahriz_detect.site import CONDUCTIVITY, FLOW, LEVEL, PRESSURE, TEMPERATURE, Reach, Site, Zone

HOUR_MS, DAY_MS = 3_600_000, 86_400_000
BLOCK_MS = 1_800_000
BEFORE_MS = 36 * HOUR_MS
SPANS_MS = {"decline": 80 * DAY_MS, "sensor_fault:drift": 45 * DAY_MS, "pool_leak": 4 * DAY_MS}
ZONE_MS = 21 * DAY_MS
NEIGHBOURS = 3  # lines of other sensors beside the one that is meant
LEAP_PCT, LEAP_SCATTERS = 5.0, 6.0  # as in `leap`
UNITS = {FLOW: "L/s", LEVEL: "m", PRESSURE: "bar", TEMPERATURE: "°C", CONDUCTIVITY: "µS/cm"}

Series = Callable[[str, int, int], Points]  # key of a signal, after, upto: in order of time


@dataclass(frozen=True, slots=True)
class Words:
    """All that is written on a chart; names of places come apart."""

    raised: str = "raised"
    lost: str = "lost beyond normal"
    used: str = "used beyond usual"
    limit: str = "limit"
    before: str = "before"
    expected: str = "expected"


ENGLISH = Words()


@dataclass(frozen=True, slots=True)
class _Asked:
    site: Site
    finding: Finding
    series: Series
    words: Words
    names: Mapping[str, str]
    start: int
    since: int

    def points(self, key: str) -> Points:
        return self.series(key, self.start, self.finding.ts)

    def line(self, key: str) -> Line:
        signal = self.site.signal(key)
        point = signal.point if signal else key
        return Line(self.names.get(key, self.names.get(point, point)), self.points(key))

    def number(self, name: str) -> float | None:
        value = self.finding.evidence.get(name)
        return float(value) if isinstance(value, (int, float)) else None


def evidence_of(
    site: Site,
    finding: Finding,
    series: Series,
    at_ms: int | None = None,
    title: str | None = None,
    at_label: str | None = None,
    words: Words = ENGLISH,
    names: Mapping[str, str] | None = None,
    offset_ms: int = 0,
    comma: bool = False,
) -> Evidence:
    """The panels of a finding; `names` gives points their names, `at_ms` when it was told.

    Examples
    --------
    >>> from kahriz_detect.site import Signal
    >>> site = Site("x", (Signal("a", "a", FLOW), Signal("b", "b", FLOW)), (Reach("r", "a", "b"),))
    >>> flows = {"a": 12.0, "b": 9.0}
    >>> hourly = lambda key, after, upto: [(after + HOUR_MS, flows[key]), (upto, flows[key])]
    >>> leak = Finding("raised", "leak", "r", 40 * HOUR_MS, evidence={"balance_u_lps": 0.5})
    >>> [(p.unit, len(p.lines), p.limits) for p in evidence_of(site, leak, hourly).panels]
    [('L/s', 2, ()), ('L/s', 1, (0.5,))]
    """
    since = finding.evidence.get("since_ms")
    began = finding.ts if not isinstance(since, (int, float)) else min(int(since), finding.ts)
    zone = next((z for z in site.zones if z.place == finding.place), None)
    usual = ZONE_MS if zone and site.reach(finding.place) is None else BEFORE_MS
    kind = finding.kind.removesuffix(":second")
    start = min(began, finding.ts - BEFORE_MS) - SPANS_MS.get(kind, usual)
    asked = _Asked(site, finding, series, words, names or {}, start, began)
    end = max(finding.ts, finding.ts if at_ms is None else at_ms)
    return Evidence(
        f"{finding.kind} {finding.place}" if title is None else title,
        _panels(asked, kind, zone),
        start,
        end,
        end,
        words.raised if at_label is None else at_label,
        began if began < finding.ts else None,
        offset_ms,
        comma,
    )


def _panels(asked: _Asked, kind: str, zone: Zone | None) -> tuple[Panel, ...]:
    site, place = asked.site, asked.finding.place
    reach = site.reach(place)
    if kind == "decline":
        return _decline(asked)
    if kind in ("collapse", "source_drop", "blockage"):
        return _source(asked, reach)
    if kind == "pool_leak":
        return _pool(asked)
    if kind == "fouled_weir":
        reach = next((r for r in site.reaches if place in (r.up, r.down)), None)
    if reach is not None:
        return _reach(asked, reach)
    if zone is not None:
        return _zone(asked, zone)
    return _instrument(asked)


def _reach(asked: _Asked, reach: Reach) -> tuple[Panel, ...]:
    up, down = asked.line(reach.up), asked.line(reach.down)
    late = round((reach.travel_s or 0.0) * 1000)
    above = _blocks([(t + late, v) for t, v in up.points], BLOCK_MS)
    below = dict(_blocks(down.points, BLOCK_MS))
    lost = [(t, v - below[t]) for t, v in above if t in below]
    for offtake in asked.site.offtakes:
        if offtake.reach == reach.place and offtake.signal is not None:
            taken = dict(_blocks(asked.points(offtake.signal), BLOCK_MS))
            lost = [(t, v - taken.get(t, 0.0)) for t, v in lost]
    limit = asked.number("balance_u_lps")
    limits = () if limit is None else (limit,)
    line = Line(asked.words.lost, _beyond(lost, asked.since))
    return (
        Panel("L/s", (up, down)),
        Panel("L/s", (line,), limits, asked.words.limit, from_zero=True),
    )


def _zone(asked: _Asked, zone: Zone) -> tuple[Panel, ...]:
    use: dict[int, float] = {}
    for n, key in enumerate((*zone.inflows, *zone.outflows)):
        sign = 1.0 if n < len(zone.inflows) else -1.0
        hours = dict(_blocks(asked.points(key), HOUR_MS, mean=True))
        use = {t: use.get(t, 0.0) + sign * v for t, v in hours.items() if n == 0 or t in use}
    by_hour: dict[int, list[float]] = {}
    for t, v in use.items():
        if t < asked.since:
            by_hour.setdefault(t % DAY_MS, []).append(v)
    usual = {hour: median(values) for hour, values in by_hour.items()}
    more = [(t, v - usual[t % DAY_MS]) for t, v in use.items() if t % DAY_MS in usual]
    z, days = asked.number("scatters"), asked.number("days")
    lps = asked.finding.lps
    limit = asked.number("limit_scatters")
    limit = Z.get(int(days or 0), 4.0) if limit is None else limit
    limits = (abs(lps / z) * limit,) if lps and z and days else ()
    line = Line(asked.words.used, _blocks(more, 6 * HOUR_MS, mean=True))
    lines = tuple(asked.line(k) for k in (*zone.inflows, *zone.outflows)[:3])
    return (
        Panel("L/s", lines, from_zero=True),
        Panel("L/s", (line,), limits, asked.words.limit, from_zero=True),
    )


def _source(asked: _Asked, reach: Reach | None) -> tuple[Panel, ...]:
    place = asked.finding.place
    source = next(
        (s for s in asked.site.sources if s.place == place or (reach and s.outlet == reach.up)),
        None,
    )
    if source is None:
        return _instrument(asked)
    flows = tuple(asked.line(k) for k in (source.outlet, source.next) if k is not None)
    before = asked.number("before_lps")
    panels = [Panel("L/s", flows, () if before is None else (before,), asked.words.before, True)]
    if source.chamber is not None:
        expected, was = asked.number("chamber_expected_m"), asked.number("chamber_before_m")
        level = was if expected is None else expected
        label = asked.words.before if expected is None else asked.words.expected
        limits = () if level is None else (level,)
        panels.append(Panel("m", (asked.line(source.chamber),), limits, label))
    return tuple(panels)


def _decline(asked: _Asked) -> tuple[Panel, ...]:
    place = asked.finding.place
    outlet = next((s.outlet for s in asked.site.sources if s.place == place), place)
    line = asked.line(outlet)
    daily = Line(line.label, _blocks(line.points, DAY_MS))
    fall = asked.number("fall_pct")
    now = sorted(v for t, v in daily.points if t > asked.finding.ts - 7 * DAY_MS)
    limits: tuple[float, ...] = ()
    if fall is not None and fall < 100.0 and now:
        limits = (now[len(now) // 5] / (1.0 - fall / 100.0),)
    return (Panel("L/s", (daily,), limits, asked.words.before, from_zero=True),)


def _pool(asked: _Asked) -> tuple[Panel, ...]:
    pool = next((p for p in asked.site.pools if p.place == asked.finding.place), None)
    if pool is None:
        return _instrument(asked)
    panels = [Panel("m", (asked.line(pool.level),))]
    flows = tuple(asked.line(k) for k in (*pool.inflows, *pool.outflows)[:4])
    return (*panels, Panel("L/s", flows, from_zero=True)) if flows else tuple(panels)


def _instrument(asked: _Asked) -> tuple[Panel, ...]:
    """The sensor that is meant, beside others of its quantity, and how each left its usual."""
    site, place = asked.site, asked.finding.place
    here = [s for s in site.signals if place in (s.point, s.key, s.node)] or list(site.signals)
    first = here[0]
    beside = [s for s in site.of(first.quantity) if s not in here][:NEIGHBOURS]
    lines = tuple(asked.line(s.key) for s in (first, *beside))
    panels = [Panel(UNITS.get(first.quantity, first.quantity), lines)]
    for other in here[1:3]:
        if other.quantity != first.quantity:
            panels.append(Panel(UNITS.get(other.quantity, ""), (asked.line(other.key),)))
    scatter = asked.number("scatter_pct")
    if scatter is not None:
        limit = max(LEAP_PCT, LEAP_SCATTERS * scatter)
        moved = tuple(Line(x.label, _percent(x.points, asked.since)) for x in lines)
        panels.insert(1, Panel("%", moved, (limit, -limit), asked.words.limit, from_zero=True))
    return tuple(panels)


def _percent(points: Points, since: int) -> Points:
    logs = [(t, 100.0 * math.log(v)) for t, v in _blocks(points, BLOCK_MS) if v > 0]
    return _beyond(logs, since)


def _beyond(points: Points, since: int) -> Points:
    """Less what it was before it began; less its own middle where nothing was before."""
    before = [v for t, v in points if t < since] or [v for _, v in points]
    usual = median(before) if before else 0.0
    return [(t, v - usual) for t, v in points]


def _blocks(points: Points, block_ms: int, mean: bool = False) -> list[tuple[int, float]]:
    """Medians (or means) of blocks, each at its end."""
    held: dict[int, list[float]] = {}
    for t, v in points:
        held.setdefault(-(-t // block_ms) * block_ms, []).append(v)
    return [(t, sum(v) / len(v) if mean else median(v)) for t, v in sorted(held.items())]
