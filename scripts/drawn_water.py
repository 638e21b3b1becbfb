# SPDX-License-Identifier: MIT
"""A recorded kahriz without its own trouble: water into which other trouble can be drawn.

What an event of the recording spoiled is filled from the calm of the same recording: a source from
its level on both sides, a weir from the one above it after the travel time, use from other weeks,
each with the errors that its meter showed on calm days. All else stays as it was read.
"""

from __future__ import annotations

import csv
import gzip
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from statistics import median
from typing import Any

STEP_S, A_DAY, HOUR = 600, 144, 6
ALL = ("F_OUT", "F_MID", "F_IN", "F_VIL", "F_IRR", "L_CH", "L_RES")
OUT, MID, IN, USED, TURNS, CHAMBER, POOL = ALL
LEVELS = (CHAMBER, POOL)
QUANTITIES = {key: "level_m" if key in LEVELS else "flow_lps" for key in ALL}
BEFORE, AFTER = 18, 72  # steps beside an event that are not calm: three hours, half a day
LONGEST_LAG = 30  # steps
HALF = 72  # steps on either side of a level
SHUT = 0.7  # of the usual flow: less is a gate, or stones
FAR, FEW = 6.0, 12  # usual errors that none of a donor's day has; readings that may be missing
DEAF = 4  # sensors that were silent: so was the site
SPOILS = {
    "outlet-middle": (MID, IN),
    "middle-reservoir": (IN,),
    "village": (USED,),
    "source": (OUT, MID, IN, CHAMBER),
}
Series = list[float | None]
Event = dict[str, Any]  # a row of events.csv


@dataclass(frozen=True)
class Water:
    """Ten minutes a step; None where nothing was read. The pool is not here: it follows."""

    name: str
    first: datetime
    series: dict[str, Series]
    lags: tuple[int, int]  # steps from the outlet to the middle, from there to the pool
    mean_lps: float
    used_lps: float
    area_m2: float
    full_m: float
    level_m: float  # of the pool at the first step


@cache
def calm(site: Path) -> Water:
    """The recording of a site of the kahriz set without its events."""
    plan = json.loads((site / "site.json").read_text(encoding="utf-8"))
    first, read = _readings(site / "readings.csv.gz")
    steps = len(read[OUT])
    spoiled = {key: [False] * steps for key in read}
    with (site / "events.csv").open(newline="", encoding="utf-8") as handle:
        for event in csv.DictReader(handle):
            _spoil(event, first, spoiled)
            if event["kind"] == "decline":
                _undo_decline(event, first, read)
    _spoil_closures(read[OUT], spoiled)
    rng = random.Random(f"calm {site.name}")
    lags = (_lag(read[OUT], read[MID]), _lag(read[MID], read[IN]))
    level = _level([None if bad else v for v, bad in zip(read[OUT], spoiled[OUT], strict=True)])
    out = _filled(read[OUT], spoiled[OUT], level, rng)
    mid = _filled(read[MID], spoiled[MID], _follows(out, read[MID], spoiled[MID], lags[0], 1), rng)
    into = _filled(read[IN], spoiled[IN], _follows(mid, read[IN], spoiled[IN], lags[1], 1), rng)
    rises = _follows(out, read[CHAMBER], spoiled[CHAMBER], 0, 2)
    chamber = _filled(read[CHAMBER], spoiled[CHAMBER], rises, rng)
    used, turns = (_other_weeks(read[k], spoiled[k]) for k in (USED, TURNS))
    keys = (OUT, MID, IN, CHAMBER, USED, TURNS)
    series = dict(zip(keys, (out, mid, into, chamber, used, turns), strict=True))
    for n in range(steps):
        if sum(values[n] is None for values in read.values()) >= DEAF:
            for values in series.values():  # nobody was heard
                values[n] = None
    pool = plan["sensors"][POOL]
    return Water(
        site.name,
        first,
        series,
        lags,
        _mean(out),
        _mean(used),
        float(pool["area_m2"]),
        float(pool["spill_level_m"]),
        next(v for v in read[POOL] if v is not None),
    )


def _mean(series: Series) -> float:
    known = [v for v in series if v is not None]
    return sum(known) / len(known)


def _readings(path: Path) -> tuple[datetime, dict[str, Series]]:
    with gzip.open(path, "rt", newline="") as handle:
        found = [
            (datetime.fromisoformat(r["time"]), r["sensor"], float(r["value"]))
            for r in csv.DictReader(handle)
            if r["value"]
        ]
    first, last = min(found)[0], max(found)[0]
    steps = step_of(last, first) + 1
    read: dict[str, Series] = {key: [None] * steps for _, key, _ in found}
    for at, key, value in found:
        read[key][step_of(at, first)] = value
    return first, read


def step_of(at: datetime, first: datetime) -> int:
    return round((at - first).total_seconds() / STEP_S)


def _spoil(event: dict[str, str], first: datetime, spoiled: dict[str, list[bool]]) -> None:
    if event["kind"] == "decline":
        return
    keys = SPOILS.get(event["place"], (event["place"],))
    if event["kind"] == "blockage":
        keys = SPOILS["source"]
    a, b = (step_of(datetime.fromisoformat(event[k]), first) for k in ("start", "end"))
    for key in keys:
        for n in range(max(0, a - BEFORE), min(len(spoiled[key]), b + AFTER)):
            spoiled[key][n] = True


def _spoil_closures(out: Series, spoiled: dict[str, list[bool]]) -> None:
    """A gate that is shut beside an event: what the meters would have read is not known."""
    keys = (OUT, MID, IN, CHAMBER)
    shut = [
        n
        for n, (v, usual) in enumerate(zip(out, _level(out), strict=True))
        if v is not None and usual is not None and v < SHUT * usual
    ]
    for n in [n for n in shut if any(spoiled[k][n] for k in keys)]:
        for key in keys:
            for m in range(max(0, n - BEFORE), min(len(out), n + AFTER)):
                spoiled[key][m] = True


def _undo_decline(event: dict[str, str], first: datetime, read: dict[str, Series]) -> None:
    a, b = (step_of(datetime.fromisoformat(event[k]), first) for k in ("start", "peak"))
    for key, power in ((OUT, 1), (MID, 1), (IN, 1), (CHAMBER, 2)):
        for n in range(a, len(read[key])):
            value = read[key][n]
            if value is not None:
                kept = 1.0 - float(event["size"]) / 100.0 * min(1.0, (n - a) / (b - a))
                read[key][n] = value / kept**power


def _lag(up: Series, down: Series) -> int:
    """Steps after which a change above is seen below: where the changes agree best."""
    changes = []
    for series in (up, down):
        filled, last = [], 0.0
        for v in series:
            last = last if v is None else v
            filled.append(last)
        rolled = [sum(filled[n : n + 3]) for n in range(len(filled) - 3)]
        changes.append([b - a for a, b in zip(rolled, rolled[3:], strict=False)])
    cut = 4.0 * median(abs(c) for c in changes[0])
    strong = [
        n for n, c in enumerate(changes[0]) if abs(c) > cut and n + LONGEST_LAG < len(changes[1])
    ]

    def agrees(lag: int) -> float:
        return sum(
            min(abs(changes[0][n]), abs(changes[1][n + lag]))
            for n in strong
            if changes[0][n] * changes[1][n + lag] > 0
        )

    return max(range(LONGEST_LAG + 1), key=agrees)


def _level(series: Series) -> Series:
    """Median of a day around each step, in a straight line over what is not known."""
    marks = []
    for n in range(0, len(series), 6):
        near = [v for v in series[max(0, n - HALF) : n + HALF] if v is not None]
        if len(near) > HALF // 2:
            marks.append((n, median(near)))
    level: Series = []
    at = 0
    for n in range(len(series)):
        while at + 1 < len(marks) - 1 and marks[at + 1][0] <= n:
            at += 1
        (a, low), (b, high) = marks[at], marks[min(at + 1, len(marks) - 1)]
        share = min(1.0, max(0.0, (n - a) / (b - a))) if b > a else 0.0
        level.append(low + (high - low) * share)
    return level


def _follows(up: Series, read: Series, spoiled: Sequence[bool], lag: int, power: int) -> Series:
    """What a meter should read for the flow above it: their usual ratio goes on."""
    known = [v if u is None else u for u, v in zip(up, _level(up), strict=True)]
    smooth = [median(v for v in known[max(0, n - 2) : n + 3] if v) for n in range(len(up))]
    above = [smooth[max(0, n - lag)] for n in range(len(up))]
    ratio = [
        v / u**power if v is not None and u is not None and u > 0 and not bad else None
        for v, u, bad in zip(read, above, spoiled, strict=True)
    ]
    usual = _level(ratio)
    return [
        None if u is None or k is None else k * u**power for u, k in zip(above, usual, strict=True)
    ]


def _filled(read: Series, spoiled: Sequence[bool], guess: Series, rng: random.Random) -> Series:
    """The guess where it is spoiled, off by what the meter was off on a calm day at that hour."""
    off = [
        v - g if v is not None and g is not None and not bad else None
        for v, g, bad in zip(read, guess, spoiled, strict=True)
    ]
    most = FAR * median(abs(o) for o in off if o is not None)
    days = range(len(read) // A_DAY)
    wild = [sum(o is None or abs(o) > most for o in off[d * A_DAY : (d + 1) * A_DAY]) for d in days]
    whole = [d for d in days if wild[d] < FEW] or [min(days, key=wild.__getitem__)]
    filled, donor, day = list(read), 0, -1
    for n, bad in enumerate(spoiled):
        if not bad:
            continue
        if n // A_DAY != day:
            day, donor = n // A_DAY, rng.choice(whole)
        here, error = guess[n], off[donor * A_DAY + n % A_DAY] or 0.0
        error = error if abs(error) <= most else 0.0
        filled[n] = None if here is None else max(0.0, here + error)
    return filled


def _other_weeks(read: Series, spoiled: Sequence[bool]) -> Series:
    """People of the same hour of the nearest calm weeks."""
    filled, week = list(read), 7 * A_DAY
    for n, bad in enumerate(spoiled):
        if bad:
            near = [n + sign * k * week for k in range(1, 26) for sign in (-1, 1)]
            known = (read[m] for m in near if 0 <= m < len(read) and not spoiled[m])
            filled[n] = next((v for v in known if v is not None), None)
    return filled
