# SPDX-License-Identifier: MIT
"""Instruments of a kahriz that lie or are dumb: each changes its own readings and nothing else."""

from __future__ import annotations

import random

from scripts.drawn_water import (
    A_DAY,
    ALL,
    CHAMBER,
    HOUR,
    IN,
    MID,
    OUT,
    POOL,
    TURNS,
    USED,
    Event,
    Series,
)

FIRST_DAY, FAULTS = 14, 4
SCALE = {CHAMBER: 0.5, POOL: 2.0}  # of its readings; that of a flow is the mean of the site
FLOWS = (OUT, MID, IN, USED, TURNS)
FAULTY = {  # whose instrument may err in that way
    "stuck": ALL,
    "spikes": ALL,
    "dropout": ALL,
    "missing": ALL,
    "offset": ALL,
    "drift": FLOWS,
    "fouled_weir": (OUT, MID, IN),
}
CLASSES = (0.05, 0.10, 0.20)


def event(
    kind: str, place: str, a: int, b: int, peak: int, size: float, unit: str, growth: str, what: str
) -> Event:
    keys = ("kind", "place", "from", "to", "peak", "size", "size_unit", "growth", "what")
    return dict(zip(keys, (kind, place, a, b, peak, size, unit, growth, what), strict=True))


def size_class(share: float) -> str:
    """
    >>> size_class(0.04), size_class(0.07), size_class(0.3)
    ('below 5 %', '5-10 %', 'from 20 %')
    """
    low, middle, high = (round(100 * c) for c in CLASSES)
    if share < CLASSES[0]:
        return f"below {low} %"
    if share < CLASSES[1]:
        return f"{low}-{middle} %"
    return f"{middle}-{high} %" if share < CLASSES[2] else f"from {high} %"


def faults(rng: random.Random, mean_lps: float, series: dict[str, Series]) -> list[Event]:
    """Four kinds, each at another instrument."""
    events, keys = list[Event](), list(ALL)
    for kind in rng.sample(list(FAULTY), FAULTS):
        free = [k for k in FAULTY[kind] if k in keys]
        if not free:
            continue
        key = rng.choice(free)
        keys.remove(key)
        a = rng.randrange(FIRST_DAY * A_DAY, len(series[key]) - 14 * A_DAY)
        events.append(_errs(rng, mean_lps, series[key], kind, key, a))
    return events


def _errs(
    rng: random.Random, mean_lps: float, values: Series, kind: str, key: str, a: int
) -> Event:
    """One instrument from a step on: changes its readings in place."""
    scale, size = SCALE.get(key, mean_lps), rng.uniform(0.08, 0.24)
    sign, days = rng.choice((-1.0, 1.0)), {"stuck": (0.4, 4.0), "offset": (2.0, 8.0)}
    b = a + round(rng.uniform(*days.get(kind, (1.0, 3.0))) * A_DAY)
    peak, growth = a, "abrupt"
    if kind in ("drift", "fouled_weir"):
        peak, growth = a + rng.randint(A_DAY, 4 * A_DAY), "linear"
        b = peak + rng.randint(A_DAY, 4 * A_DAY)
    if kind == "drift":
        peak = b = a + rng.randint(5 * A_DAY, 12 * A_DAY)
    at = next((n for n in range(a, b) if values[n] is not None), a)
    frozen = values[at]
    for n in range(a, b):
        value = values[n]
        if value is None:
            continue
        grown = min(1.0, (n - a) / (peak - a)) if peak > a else 1.0
        if kind == "stuck":
            values[n] = frozen
        elif kind == "dropout":
            values[n] = None
        elif kind == "missing":
            values[n] = -9999.0 if rng.random() < 0.7 else value
        elif kind == "spikes":
            if rng.random() < 0.08:
                values[n] = max(0.0, value + scale * rng.choice((-0.85, 0.4, 1.0, 1.65, 3.15)))
        elif kind == "fouled_weir":
            values[n] = value * (1.0 + size * grown)
        else:
            values[n] = max(0.0, value + sign * size * scale * grown)
    what = f"{kind} of {'a level' if key in SCALE else 'a flow'}"
    if kind in ("offset", "drift", "fouled_weir"):
        what += f", {size_class(size)}"
    told = (key, a, b, peak, 100 * size, "% of scale", growth, what)
    return event(f"sensor_fault:{'range' if kind == 'missing' else kind}", *told)


def outage(rng: random.Random, series: dict[str, Series], steps: int) -> None:
    """Nobody was heard."""
    for _ in range(rng.randint(0, 2)):
        a = rng.randrange(steps)
        for n in range(a, min(steps, a + rng.randint(2 * HOUR, 24 * HOUR))):
            for values in series.values():
                values[n] = None
