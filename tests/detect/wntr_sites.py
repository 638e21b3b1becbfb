# SPDX-License-Identifier: MIT
"""Kahrizes made with WNTR (EPANET): other networks, other seeds, water that obeys hydraulics.

A spring feeds a pipe of some reaches into a tank, a village with a morning and an evening draws
from it. Leaks, and a blockage before the pipe, are elements of the network; meters have their own
share of error and errors that last. Nothing here knows a detector.
"""

from __future__ import annotations

import json
import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from kahriz_detect.finding import Sample

STEP_S = 1800
METERS = ("one", "two", "three")


@dataclass(frozen=True)
class Kahriz:
    """A site.json, its samples in order of time, and what truly happened."""

    site: str
    samples: list[tuple[int, Sample]]
    place: str | None
    from_ms: int
    lps: float


def make(wntr: Any, seed: int, days: int, leak_day: float | None, share: float) -> Kahriz:
    """Draw a network from the seed, run it, read its meters."""
    rng = random.Random(seed)
    lps = rng.uniform(6.0, 30.0)
    reach = rng.randrange(2)
    lost = share * lps
    network = _network(wntr, rng, lps, days, None if leak_day is None else (reach, leak_day, lost))
    flows = _run(wntr, network)
    site, places = _site(rng, lps)
    samples = list(_read(rng, flows))
    if leak_day is None:
        return Kahriz(site, samples, None, 0, 0.0)
    return Kahriz(site, samples, places[reach], round(leak_day * 86_400_000), lost)


def _network(
    wntr: Any, rng: random.Random, lps: float, days: int, leak: tuple[int, float, float] | None
) -> Any:
    """Spring (a junction that gives), pipes, tank, village; rougher and longer by the seed."""
    wn = wntr.network.WaterNetworkModel()
    steps = days * 86_400 // STEP_S
    phase = rng.uniform(0.0, 365.0)
    spring = [
        -(1.0 + 0.12 * math.sin(2 * math.pi * (i * STEP_S / 86_400 + phase) / 365.0))
        for i in range(steps + 1)
    ]
    wn.add_pattern("spring", spring)
    hours = [
        0.4 + 1.2 * math.exp(-(((h - 7.5) / 2.0) ** 2)) + math.exp(-(((h - 19) / 2.5) ** 2))
        for h in (i * STEP_S / 3600.0 for i in range(86_400 // STEP_S))
    ]
    wn.add_pattern("people", [h * rng.uniform(0.97, 1.03) for h in hours])
    high = rng.uniform(18.0, 40.0)
    wn.add_junction("j0", base_demand=lps / 1000.0, demand_pattern="spring", elevation=high)
    for n in (1, 2, 3):
        wn.add_junction(f"j{n}", elevation=high * (3 - n) / 3.0)
    wn.add_tank("pool", elevation=0.0, init_level=2.0, max_level=50.0, diameter=40.0)
    wn.add_junction("village", base_demand=0.4 * lps / 1000.0, demand_pattern="people")
    diameter = 0.15 if lps < 15 else 0.25
    for n, key in enumerate(METERS):
        length = rng.uniform(300.0, 1500.0)
        ends = (f"j{n}", f"j{n + 1}")
        wn.add_pipe(key, *ends, length=length, diameter=diameter, roughness=rng.uniform(90, 140))
    wn.add_pipe("last", "j3", "pool", length=20.0, diameter=diameter, roughness=120)
    wn.add_pipe("taps", "pool", "village", length=400.0, diameter=0.2, roughness=120)
    if leak is not None:  # at the joint between two meters
        reach, day, lost = leak
        begins = round(day * 86_400 / STEP_S)
        wn.add_pattern("leak", [float(i >= begins) for i in range(steps + 1)])
        joint = wn.get_node(f"j{reach + 1}")
        joint.add_demand(lost / 1000.0, "leak")
    time = wn.options.time
    time.duration = days * 86_400
    time.hydraulic_timestep = time.pattern_timestep = time.report_timestep = STEP_S
    return wn


def _run(wntr: Any, network: Any) -> list[tuple[int, dict[str, float]]]:
    results = wntr.sim.EpanetSimulator(network).run_sim()
    table = results.link["flowrate"][list(METERS)]
    return [
        (int(s), {k: 1000.0 * float(v) for k, v in zip(METERS, row, strict=True)})
        for s, row in zip(table.index, table.to_numpy(), strict=True)
    ]


def _site(rng: random.Random, lps: float) -> tuple[str, tuple[str, str]]:
    places = ("upper", "lower")
    between = {places[0]: "between one and two", places[1]: "between two and three"}
    sensors = {k: {"quantity": "flow_lps", "at": "conveyance pipe"} for k in METERS}
    data = {"site": f"wntr-{rng.random():.3f}", "interval_s": STEP_S, "sensors": sensors}
    data |= {"conveyance": "full pipe", "conveyance_length_m": 3000, "places": between}
    return json.dumps(data | {"mean_flow_lps": round(lps, 1)}), places


def _read(
    rng: random.Random, flows: list[tuple[int, dict[str, float]]]
) -> Iterator[tuple[int, Sample]]:
    share = {k: rng.gauss(1.0, 0.02) for k in METERS}
    error = dict.fromkeys(METERS, 0.0)
    for seconds, values in flows[1:]:
        for key, lps in values.items():
            error[key] = 0.6 * error[key] + rng.gauss(0.0, 0.006)
            if rng.random() < 0.01:
                continue  # a reading that was lost
            value = max(0.0, lps * (share[key] + error[key]))
            ts = seconds * 1000
            yield ts, Sample(ts, key, "flow_lps", round(value, 3))
