# SPDX-License-Identifier: MIT
"""Faults of instruments drawn into the calm stretches of recorded rivers.

The recording stays as it is. What technicians labelled in it is neither asked for nor held against
anybody: nothing is drawn near it, and an alarm of that sensor within it is left out. All that was
not labelled is taken for a sensor in order.
"""

from __future__ import annotations

import csv
import gzip
import json
import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

from scripts.drawn_water import Event, Series

STEP_S, A_DAY = 900, 96
EVENTS, LEARN_DAYS = 12, 14
BEFORE, AFTER = timedelta(hours=6), timedelta(hours=24)
CODE = -9999.0
LEAPS = {  # least and most by which an instrument errs: a share of its reading, and units
    "temperature_c": (0.0, 0.0, 1.0, 5.0),
    "conductivity_us_cm": (0.1, 0.5, 0.0, 0.0),
    "level_m": (0.0, 0.0, 0.04, 0.3),
}
HOURS = {  # how long
    "stuck": (4.0, 48.0),
    "spikes": (3.0, 24.0),
    "offset": (4.0, 72.0),
    "drift": (48.0, 240.0),
    "dropout": (3.0, 48.0),
    "missing": (1.0, 24.0),
}


@dataclass(frozen=True)
class River:
    """A quarter of an hour a step; the windows that technicians labelled, for each sensor."""

    name: str
    first: datetime
    quantities: dict[str, str]
    series: dict[str, Series]
    labelled: tuple[tuple[str, datetime, datetime], ...]


@cache
def river(site: Path) -> River:
    """A recorded site of lro_faults."""
    plan = json.loads((site / "site.json").read_text(encoding="utf-8"))["sensors"]
    quantities = {key: sensor["quantity"] for key, sensor in plan.items()}
    with gzip.open(site / "readings.csv.gz", "rt", newline="") as handle:
        found = [
            (datetime.fromisoformat(r["time"]), r["sensor"], float(r["value"]))
            for r in csv.DictReader(handle)
            if r["value"]
        ]
    first, last = min(found)[0], max(found)[0]
    steps = round((last - first).total_seconds() / STEP_S) + 1
    series: dict[str, Series] = {key: [None] * steps for key in quantities}
    for at, key, value in found:
        series[key][round((at - first).total_seconds() / STEP_S)] = value
    with (site / "events.csv").open(newline="", encoding="utf-8") as handle:
        labelled = tuple(
            (r["place"], datetime.fromisoformat(r["start"]), datetime.fromisoformat(r["end"]))
            for r in csv.DictReader(handle)
        )
    return River(site.name, first, quantities, series, labelled)


def beside(water: River, place: str, at: datetime) -> bool:
    """Whether a sensor was labelled at that time, or nearly."""
    near = (a - BEFORE < at < b + AFTER for key, a, b in water.labelled if key == place)
    return any(near)


def drawn(water: River, copy: int) -> tuple[dict[str, Series], list[Event]]:
    """The readings of a copy, and what was drawn into them.

    >>> flat = {"temp": [8.0 + n % 5 / 10 for n in range(120 * A_DAY)]}
    >>> here = River("x", datetime(2025, 1, 1), {"temp": "temperature_c"}, flat, ())
    >>> readings, events = drawn(here, 1)
    >>> len(events) > 6, readings["temp"] == flat["temp"]
    (True, False)
    """
    rng = random.Random(f"{water.name} {copy}")
    series = {key: list(values) for key, values in water.series.items()}
    steps, events = len(next(iter(series.values()))), list[Event]()
    taken: list[tuple[str, int, int]] = []
    for _ in range(50 * EVENTS):
        if len(events) == EVENTS:
            break
        key, kind = rng.choice(sorted(series)), rng.choice(sorted(HOURS))
        a = rng.randrange(LEARN_DAYS * A_DAY, steps - A_DAY)
        b = min(steps - 1, a + round(rng.uniform(*HOURS[kind]) * 4))
        times = [water.first + timedelta(seconds=n * STEP_S) for n in (a, b)]
        day = timedelta(days=1)
        calm = all(
            y + day < times[0] or times[1] + day < x for k, x, y in water.labelled if k == key
        )
        apart = all(k != key or y + A_DAY < a or b + A_DAY < x for k, x, y in taken)
        known = [n for n in range(a, b) if series[key][n] not in (None, CODE)]
        if not calm or not apart or len(known) < 0.8 * (b - a):
            continue
        taken.append((key, a, b))
        what = _errs(rng, series[key], kind, water.quantities[key], known)
        growth, peak = ("linear", times[1]) if kind == "drift" else ("abrupt", times[0])
        events.append(_told(len(events) + 1, kind, what, key, times, peak, growth))
    return series, sorted(events, key=lambda e: str(e["start"]))


def _told(
    number: int, kind: str, what: str, key: str, times: list[datetime], peak: datetime, growth: str
) -> Event:
    a, b, top = (f"{t:%Y-%m-%dT%H:%M}" for t in (*times, peak))
    fault = "range" if kind == "missing" else kind
    row = {"event": f"e{number} {what}", "kind": f"sensor_fault:{fault}", "place": key}
    row |= {"start": a, "end": b, "peak": top, "size": "", "size_unit": ""}
    return row | {"growth": growth, "counted": 1}


def _errs(rng: random.Random, values: Series, kind: str, quantity: str, known: list[int]) -> str:
    """The readings of the known steps as a bad instrument gives them; what that is called."""
    low, high, least, most = LEAPS[quantity]
    first = values[known[0]] or 0.0
    digits = 4 if quantity == "level_m" else 3
    leap = rng.choice((-1.0, 1.0)) * (
        abs(first) * rng.uniform(low, high) + rng.uniform(least, most)
    )
    if kind in ("offset", "drift"):
        # an instrument that hangs in the air or below zero is out of range, not off
        leap = abs(leap) if first + leap <= 0.1 * abs(first) else leap
    for number, n in enumerate(known):
        value = values[n] or 0.0
        if kind == "stuck":
            values[n] = first
        elif kind == "dropout":
            values[n] = None
        elif kind == "missing":
            values[n] = CODE
        elif kind == "offset":
            values[n] = round(value + leap, digits)
        elif kind == "drift":
            values[n] = round(value + leap * number / len(known), digits)
        elif number == 0 or rng.random() < 0.1:  # spikes
            values[n] = round(value + leap * rng.uniform(0.7, 2.0), digits)
    return f"{kind} of {quantity}"
