# SPDX-License-Identifier: MIT
"""A site that has something to watch for every detector, calm water for it, and its troubles."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from kahriz_detect.engine import Engine
from kahriz_detect.finding import Finding, Sample
from kahriz_detect.index import DETECTORS
from kahriz_detect.site import Pool, Reach, Signal, Site, Source, Zone

HOUR_MS, DAY_MS = 3_600_000, 86_400_000
FLOWS = ("outlet", "middle", "inlet", "village", "fields")
LEVELS = ("chamber", "pool")
AREA_M2, FULL_M = 300.0, 3.0
Values = dict[str, float]


def site_of(step_s: float = 600.0, scale: float = 1.0) -> Site:
    """Gallery with a chamber, a channel of two reaches, a pool, taps and fields."""
    signals = [Signal(k, k, "flow_lps", "weir", step_s, k) for k in FLOWS]
    signals += [Signal(k, k, "level_m", k, step_s, k) for k in LEVELS]
    signals += [Signal("probe", "probe", "conductivity_us_cm", "", step_s, "probe")]
    table = ((0.0, 0.0), (FULL_M, FULL_M * AREA_M2 * scale))
    return Site(
        "here",
        tuple(signals),
        (
            Reach("upper", "outlet", "middle", travel_s=0.0),
            Reach("lower", "middle", "inlet", travel_s=0.0),
        ),
        (Pool("pool", "pool", ("inlet",), ("village", "fields"), table, 2.9),),
        (Source("gallery", "outlet", "chamber", 0.65, "middle"),),
        (Zone("village", "village", ("village",)),),
    )


@dataclass(frozen=True)
class Trouble:
    """What one detector must see: `happens(values, hours)` changes true water after `day`."""

    kind: str
    happens: Callable[[Values, float], None]
    day: float
    days: float
    step_s: int = 600
    still: str = ""  # a sensor that repeats itself


def _leak(v: Values, _: float) -> None:
    v["middle"] -= 2.0
    v["inlet"] -= 2.0


def _collapse(v: Values, _: float) -> None:
    for key in ("outlet", "middle", "inlet"):
        v[key] *= 0.5
    v["chamber"] *= 0.25


def _less(v: Values, share: float) -> None:
    for key in ("outlet", "middle", "inlet"):
        v[key] *= share
    v["chamber"] *= share * share


def _decline(v: Values, hours: float) -> None:
    _less(v, math.exp(-0.004 * hours / 24.0))


def _muddy(v: Values, hours: float) -> None:
    """Storm water in the gallery: the flow rises, the probe leaps."""
    more = 1.0 + 0.4 * min(1.0, hours / 3.0)
    _less(v, more)
    v["probe"] *= 0.55


def _misread(v: Values, _: float) -> None:
    v["middle"] *= 1.12


def _drift(v: Values, hours: float) -> None:
    v["middle"] *= 1.0 + 0.004 * hours / 24.0


def _pool_leak(v: Values, _: float) -> None:
    v["lost"] = 1.5


def _turn(v: Values, hours: float) -> None:
    v["fields"] = 25.0 if hours < 4.0 else 0.0


def _tap_leak(v: Values, _: float) -> None:
    v["village"] += 1.0


TROUBLES: dict[str, Trouble] = {
    "validity": Trouble("sensor_fault:stuck", lambda v, _: None, 6.0, 8.0, still="inlet"),
    "balance": Trouble("leak", _leak, 6.0, 8.0),
    "source": Trouble("collapse", _collapse, 6.0, 8.0),
    "decline": Trouble("decline", _decline, 60.0, 90.0, 3600),
    "storm": Trouble("storm", _muddy, 6.0, 8.0),
    "year": Trouble("decline:year", lambda v, _: _less(v, 0.85), 370.0, 500.0, 6 * 3600),
    "leap": Trouble("sensor_fault:offset", _misread, 8.0, 10.0),
    "drift": Trouble("sensor_fault:drift", _drift, 40.0, 75.0, 3600),
    "pool": Trouble("pool_leak", _pool_leak, 8.0, 10.0),
    "planned": Trouble("use:turn", _turn, 6.6, 8.0),
    "use": Trouble("leak", _tap_leak, 40.0, 46.0, 3600),
}
BY_CLOCK = ("silence", "node_clock")  # they hear words, not water


def words(trouble: str | None = None, hours: int = 100) -> Iterator[Sample]:
    """Each node once an hour, with its lag; one falls silent or has a wrong clock."""
    for hour in range(hours):
        for minute, node in enumerate((*FLOWS, *LEVELS, "probe")):
            wrong = node == "middle" and hour >= 60
            if wrong and trouble == "silence":
                continue
            ts = hour * HOUR_MS + minute * 60_000
            lag_s = 200_000.0 if wrong and trouble == "node_clock" else 120.0
            yield Sample(ts, node, "word", 1.0)
            yield Sample(ts, node, "clock", lag_s)


def water(
    step_s: int, days: float, trouble: Trouble | None = None, scale: float = 1.0, seed: int = 1
) -> Iterator[tuple[int, Values]]:
    """What all sensors read at each step; `scale` makes the whole kahriz larger."""
    rng, volume, day_s = random.Random(seed), 1.5 * AREA_M2, 86_400.0
    error, last = dict.fromkeys(FLOWS, 0.0), dict[str, float]()
    for number in range(1, int(days * day_s / step_s)):
        hour = number * step_s % day_s / 3600.0
        people = (
            2.0
            + 1.5 * math.exp(-(((hour - 8.0) / 2.5) ** 2))
            + math.exp(-(((hour - 19.0) / 3.0) ** 2))
        )
        used = people * rng.gauss(1.0, 0.03)
        v = {"outlet": 12.0, "middle": 11.6, "inlet": 11.0, "village": used, "fields": 0.0}
        v |= {"chamber": 0.30, "probe": 520.0, "lost": 0.0}
        if 5.0 <= hour < 13.0:  # the turn of every day
            v["fields"] = 3.0 * (11.0 - 3.0)
        true = number * step_s / day_s
        if trouble is not None and true >= trouble.day:
            trouble.happens(v, (true - trouble.day) * 24.0)
        run = v["inlet"] - v["village"] - v["fields"] - v.pop("lost")
        volume = min(2.9 * AREA_M2, max(30.0, volume + run * step_s / 1000.0))
        read = {}
        for key in FLOWS:
            error[key] = 0.7 * error[key] + rng.gauss(0.0, 0.004)
            read[key] = round(v[key] * (1.0 + error[key]) * scale, 4)
        read["chamber"] = round(v["chamber"] * rng.gauss(1.0, 0.006), 4)
        read["pool"] = round(volume / AREA_M2 + rng.gauss(0.0, 0.002), 4)
        read["probe"] = round(v["probe"] * rng.gauss(1.0, 0.004), 1)
        if trouble is not None and trouble.still and true >= trouble.day:
            read[trouble.still] = last[trouble.still]
        last = read
        yield number * step_s * 1000, read


QUANTITIES = dict.fromkeys(FLOWS, "flow_lps") | dict.fromkeys(LEVELS, "level_m")


def samples(stream: Iterator[tuple[int, Values]]) -> Iterator[Sample]:
    for ts, values in stream:
        for key, value in values.items():
            yield Sample(ts, key, QUANTITIES.get(key, "conductivity_us_cm"), value)


def engine(name: str, step_s: int, scale: float = 1.0) -> Engine:
    """One entry of the index alone."""
    site = site_of(step_s, scale)
    return Engine(site, DETECTORS[name](site))


def findings(engine: Engine, stream: Iterator[Sample]) -> list[Finding]:
    return [f for sample in stream for f in engine.update(sample)]
