# SPDX-License-Identifier: MIT
"""Trouble by physics, drawn into calm water: losses, a source that fails, instruments that lie.

A loss is taken from every weir below it, after its time under way, and from the pool; stones
before the outlet lift its chamber until that spills; a gallery that falls in takes its share of
all; an instrument that errs changes its own readings and nothing else. Storms, turns, errors of
the meters and an outage of the whole site are drawn, too: they are no events.
"""

from __future__ import annotations

import math
import random
from datetime import datetime, timedelta

from scripts.drawn_faults import FIRST_DAY, FLOWS, event, faults, outage, size_class
from scripts.drawn_water import (
    A_DAY,
    ALL,
    CHAMBER,
    HOUR,
    IN,
    LEVELS,
    MID,
    OUT,
    STEP_S,
    TURNS,
    USED,
    Event,
    Series,
    Water,
)

LOSSES = 6
DECLINES = 0.3  # of the copies
SPILL_M, SPILL_K = 0.6, 0.0096  # of the chamber; head over its crest, L/s to the power of 2/3
SHARES = {"leak": (0.03, 0.30), "tapping": (0.05, 0.30), "village": (0.05, 0.45)}
REACHES = ("outlet-middle", "middle-reservoir")
NOISE_M, BEGIN_M, LOW_M, BACK_M, DRY_M = 0.003, 1.0, 0.4, 0.3, 0.1


def drawn(water: Water, copy: int) -> tuple[dict[str, Series], list[Event]]:
    """The readings of a copy, and what is true of it.

    >>> flat = {k: [10.0] * 150 * A_DAY for k in (OUT, MID, IN)} | {USED: [4.0] * 150 * A_DAY}
    >>> flat |= {TURNS: [0.0] * 150 * A_DAY, CHAMBER: [0.3] * 150 * A_DAY}
    >>> water = Water("x", datetime(2025, 1, 1), flat, (3, 2), 10.0, 4.0, 100.0, 3.0, 2.9)
    >>> readings, events = drawn(water, 1)
    >>> sorted({e["kind"].partition(":")[0] for e in events} - {"decline"})
    ['blockage', 'collapse', 'leak', 'sensor_fault', 'tapping']
    """
    rng = random.Random(f"{water.name} {copy}")
    steps = len(water.series[OUT])
    source, kept, opening = _source(rng, steps)
    losses, taken = _losses(rng, water, steps)
    series = _run(rng, water, kept, opening, taken)
    wrong = faults(rng, water.mean_lps, series)
    events = sorted([*source, *losses, *wrong], key=lambda e: (e["from"], e["place"]))
    outage(rng, series, steps)
    for key, values in series.items():
        digits = 3 if key in LEVELS else 2
        series[key] = [None if v is None else round(v, digits) for v in values]
    return series, [_told(n, e, water.first) for n, e in enumerate(events, 1)]


def _told(number: int, event: Event, first: datetime) -> Event:
    """A row of events.csv; the name says what it is, for the table."""

    def at(step: int) -> str:
        return (first + timedelta(seconds=step * STEP_S)).strftime("%Y-%m-%dT%H:%M")

    a, b, peak = at(event["from"]), at(event["to"]), at(event["peak"])
    row = {"event": f"e{number} {event['what']}", "kind": event["kind"], "place": event["place"]}
    row |= {"start": a, "end": b, "peak": peak, "size": round(event["size"], 3)}
    return row | {"size_unit": event["size_unit"], "growth": event["growth"], "counted": 1}


def _source(rng: random.Random, steps: int) -> tuple[list[Event], list[float], list[float]]:
    """Storms, a decline, a collapse and a blockage: what is left of the flow, of the opening."""
    kept, opening, events = [1.0] * steps, [1.0] * steps, list[Event]()
    for _ in range(rng.randint(0, 2)):
        at, peak, fall = rng.randrange(steps), rng.uniform(0.08, 0.3), rng.uniform(30.0, 120.0)
        for n in range(at, steps):
            h = (n - at) / HOUR
            kept[n] *= 1.0 + peak * min(1.0, h / 6.0) * math.exp(-max(0.0, h - 6.0) / fall)
    if rng.random() < DECLINES:
        a = max(30 * A_DAY, steps - round(rng.uniform(85, 110) * A_DAY))
        b, share = steps - 1, rng.uniform(0.0023, 0.0042)  # a day: as the recorded ones
        for n in range(a, steps):
            kept[n] *= 1.0 - share * (n - a) / A_DAY
        size, what = 100 * share * (b - a) / A_DAY, f"decline {25 * int(share * 365 / 0.25)}+ %/yr"
        events.append(event("decline", "source", a, b, b, size, "% of flow", "linear", what))
    last = steps - 15 * A_DAY
    first = rng.randrange(FIRST_DAY * A_DAY, last)
    second = first
    while abs(second - first) < 18 * A_DAY:
        second = rng.randrange(FIRST_DAY * A_DAY, last)
    share, b = rng.uniform(0.15, 0.6), first + rng.randint(5 * A_DAY, 12 * A_DAY)
    back = rng.uniform(0.0, 0.4)  # of it comes back by itself
    for n in range(first, b):
        kept[n] *= 1.0 - share * (1.0 - back * (n - first) / (b - first))
    what = f"collapse {size_class(share)}"
    told = (first, b, first, 100 * share, "% of flow", "abrupt", what)
    events.append(event("collapse", "source", *told))
    share, rise = rng.uniform(0.15, 0.6), rng.choice((0, rng.randint(A_DAY, 6 * A_DAY)))
    b = second + rise + rng.randint(A_DAY, 5 * A_DAY)
    for n in range(second, b):
        opening[n] = 1.0 - share * (min(1.0, (n - second) / rise) if rise else 1.0)
    growth = "linear" if rise else "abrupt"
    what = f"blockage, {growth}, {size_class(share)}"
    told = (second, b, second + rise, 100 * share, "% of flow", growth, what)
    events.append(event("blockage", REACHES[0], *told))
    return events, kept, opening


def _losses(
    rng: random.Random, water: Water, steps: int
) -> tuple[list[Event], dict[str, list[float]]]:
    """Six in their order in time; L/s that leave each reach, where the loss is."""
    taken = {place: [0.0] * steps for place in (*REACHES, "village")}
    events = list[Event]()
    each = (steps - (FIRST_DAY + 8) * A_DAY) / LOSSES
    for number in range(LOSSES):
        a = FIRST_DAY * A_DAY + round(each * (number + rng.uniform(0.0, 0.7)))
        place = rng.choices((*REACHES, "village"), (4, 4, 2))[0]
        kind = rng.choice(("abrupt", "quadratic", "tapping"))
        if kind == "tapping" and place == "village":
            place = rng.choice(REACHES)
        name = "tapping" if kind == "tapping" else "leak"
        low, high = SHARES["village" if place == "village" else name]
        share = math.exp(rng.uniform(math.log(low), math.log(high)))
        lps = share * (water.used_lps if place == "village" else water.mean_lps)
        peak, growth = a, "abrupt"
        if kind == "tapping":
            a, b = _taps(rng, taken[place], a, lps)
            peak = a
        else:
            if kind == "quadratic":
                peak, growth = a + rng.randint(8 * A_DAY, 25 * A_DAY), "quadratic"
            b = min(steps - 1, peak + rng.randint(4 * A_DAY, 20 * A_DAY))
            for n in range(a, b):
                taken[place][n] += lps * (min(1.0, (n - a) / (peak - a)) ** 2 if peak > a else 1.0)
        where = "village" if place == "village" else "reach"
        how = "" if kind == "tapping" else f", {growth}"
        what = f"{name} in a {where}{how}, {size_class(share)}"
        events.append(event(name, place, a, b, min(peak, steps - 1), lps, "L/s", growth, what))
    return events, taken


def _taps(rng: random.Random, taken: list[float], a: int, lps: float) -> tuple[int, int]:
    """Hours at a time on most days, at like hours; from the first taking to the last."""
    hour = rng.choice((rng.uniform(20.0, 27.0), rng.uniform(20.0, 27.0), rng.uniform(0.0, 24.0)))
    hours, first, last = rng.uniform(2.0, 6.0), None, a
    day = -(-a // A_DAY)
    for n in range(rng.randint(3, 12)):
        if n and rng.random() < 0.15:
            continue
        begin = (day + n) * A_DAY + round((hour + rng.gauss(0.0, 0.4)) * HOUR)
        end = min(len(taken) - 1, begin + round(hours * rng.uniform(0.8, 1.2) * HOUR))
        for step in range(begin, end):
            taken[step] += lps
        first, last = begin if first is None else first, end
    return first or a, last


def _run(
    rng: random.Random,
    water: Water,
    kept: list[float],
    opening: list[float],
    taken: dict[str, list[float]],
) -> dict[str, Series]:
    """All that flows, as meters that err a little read it."""
    errs = {key: 1.0 + rng.gauss(0.0, 0.01) for key in FLOWS}
    along = {place: rng.random() for place in REACHES}  # of the way: where a loss is
    turns = _more_turns(rng, water)
    steps, series, changed = len(kept), {k: list[float | None]() for k in ALL}, list[float]()
    level, shut, dry = water.level_m, False, False
    running = [water.mean_lps, water.used_lps, 0.0]
    for n in range(steps):
        out, chamber = water.series[OUT][n], water.series[CHAMBER][n]
        share, chamber = _through(out or water.mean_lps, chamber, kept[n], opening[n])
        if chamber is not None and opening[n] < 1.0:
            chamber += rng.gauss(0.0, NOISE_M)
        changed.append(share)
        first, second = water.lags
        arrived = changed[max(0, n - first)], changed[max(0, n - first - second)]
        upper, lower = taken[REACHES[0]], taken[REACHES[1]]
        left = round((1.0 - along[REACHES[0]]) * first)
        here = lower[max(0, n - round((1.0 - along[REACHES[1]]) * second))]
        mid = _less(water.series[MID][n], arrived[0], upper[max(0, n - left)])
        into = _less(water.series[IN][n], arrived[1], upper[max(0, n - left - second)] + here)
        used, turn = water.series[USED][n], water.series[TURNS][n]
        if used is not None:
            used = used + taken["village"][n]
        if turn is not None:
            turn = turn + turns[n]
            if turn < 0.05 * water.mean_lps:  # between turns
                shut = level < BEGIN_M  # nobody begins one from a pool that is low
            shut = shut or level < LOW_M
            turn = max(0.0, rng.gauss(-0.01, 0.02)) if shut else turn
        dry = level < (BACK_M if dry else DRY_M)
        if dry and used is not None and into is not None:
            used = min(used, 0.95 * into)
        for k, flow in enumerate((into, used, turn)):  # it runs on while nobody reads it
            running[k] = running[k] if flow is None else flow
        level += (running[0] - running[1] - running[2]) * STEP_S / 1000.0 / water.area_m2
        level = min(water.full_m, max(0.0, level))
        pool = None if into is None else level + rng.gauss(0.0, NOISE_M)
        out = None if out is None else out * share
        for key, value in zip(ALL, (out, mid, into, used, turn, chamber, pool), strict=True):
            series[key].append(None if value is None else value * errs.get(key, 1.0))
    return series


def _through(
    out: float, chamber: float | None, kept: float, opening: float
) -> tuple[float, float | None]:
    """Share of the flow that leaves by the outlet, and how deep its chamber stands."""
    if chamber is None or chamber <= 0:
        return kept * opening, None
    deep = chamber * kept**2
    if opening == 1.0:
        return kept, deep
    lifted = deep / opening**2
    if lifted <= SPILL_M:
        return kept, lifted
    through = kept * opening * math.sqrt(SPILL_M / deep)
    over = SPILL_K * max(0.0, out * (kept - through)) ** (2 / 3)
    return min(kept, kept * opening * math.sqrt((SPILL_M + over) / deep)), SPILL_M + over


def _less(value: float | None, share: float, lost: float) -> float | None:
    return None if value is None else max(0.1 * value * share, value * share - lost)


def _more_turns(rng: random.Random, water: Water) -> list[float]:
    turns = [0.0] * len(water.series[OUT])
    for _ in range(rng.randint(2, 6)):
        a = rng.randrange(len(turns) // A_DAY) * A_DAY + rng.randint(6 * HOUR, 18 * HOUR)
        lps = water.mean_lps * rng.uniform(0.6, 1.6)
        for n in range(a, min(len(turns), a + rng.randint(2 * HOUR, 8 * HOUR))):
            turns[n] = lps * (1.0 + rng.gauss(0.0, 0.01))
    return turns
