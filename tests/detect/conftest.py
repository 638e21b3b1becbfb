# SPDX-License-Identifier: MIT
"""Simulated water as the detectors see it: rows through the gateway's own interpretation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from kahriz_detect.engine import Engine
from kahriz_detect.finding import Finding, Sample
from kahriz_detect.site import Site
from kahriz_detect.site_plan import site_of
from kahriz_gateway.records.records import parse_records
from kahriz_sim.series import START_MS, rows
from kahriz_water.interpret import Reading, interpret
from kahriz_water.plan import Plan, parse_plan

SITES = Path(__file__).parents[2] / "firmware" / "kahriz_sim" / "sites"
GOZLU, VALIBAY = "banovshalar-gozlu", "baharli-valibay"
WEIRS = ("outlet", "middle", "inlet")
HOUR_MS = 3_600_000
LIFE_MS = START_MS + 7 * 24 * HOUR_MS  # scenarios begin after seven days of history
BOUNDS = {"discharge_lps": None, "discharge_lt_lps": "lt", "discharge_gt_lps": "gt"}


def plan_of(site: str) -> Plan:
    return parse_plan((SITES / site / "site.toml").read_text(encoding="utf-8"))


def water_of(site: str) -> Site:
    """What the detectors know of it."""
    return site_of(plan_of(site))


def samples(
    site: str, scenario: str = "calm", seed: int = 1, days: float = 7.5, **more: Any
) -> Iterator[Sample]:
    """Discharges of the three weirs in event time."""
    plan = plan_of(site)
    text = (SITES / site / "records.toml").read_text(encoding="utf-8")
    deployments = parse_records(text, plan)
    for row in rows(site, scenario, seed, days, nodes=WEIRS, **more):
        reading = Reading(row.node, int(row.values["ts"]), int(row.values["q"]), row.values)
        for v in interpret(reading, deployments, plan):
            if v.quantity in BOUNDS:
                bound = BOUNDS[v.quantity]
                yield Sample(v.ts, v.point, "discharge_lps", v.value, v.u, v.q, bound)


def findings(site: str, stream: Iterable[Sample]) -> list[Finding]:
    """All detectors of a site over a stream, and what they decide together."""
    engine = Engine(water_of(site))
    found: list[Finding] = []
    for sample in stream:
        found += engine.update(sample)
    return found


def raised(found: Iterable[Finding]) -> list[tuple[str, str]]:
    return [(f.kind, f.place) for f in found if f.what == "raised"]


@pytest.fixture(scope="session")
def water() -> SimpleNamespace:
    """The above, for tests."""
    return SimpleNamespace(**globals())
