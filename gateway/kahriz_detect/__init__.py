# SPDX-License-Identifier: MIT
"""The detectors: an index of what can be watched, one a file."""

from __future__ import annotations

from collections.abc import Callable

from kahriz_detect.balance import Balance
from kahriz_detect.detector import Detector
from kahriz_detect.silence import Expected, Silence
from kahriz_detect.source import SourceDrop
from kahriz_water.site import Plan

TRAVEL_S_PER_M = 2.0  # 0.5 m/s in a lined channel of small slope


def _balances(plan: Plan) -> list[Detector]:
    return [Balance(r.id, r.from_, r.to, r.length_m * TRAVEL_S_PER_M) for r in plan.reaches]


def _sources(plan: Plan) -> list[Detector]:
    fed = {r.to for r in plan.reaches}
    tops = [r for r in plan.reaches if r.from_ not in fed]
    return [SourceDrop(r.from_, r.to, r.length_m * TRAVEL_S_PER_M) for r in tops]


def _silences(plan: Plan) -> list[Detector]:
    firsts = {node: next(p for p in plan.points if p.node == node) for node in plan.nodes}
    expected = [Expected(node, p.id, float(p.dt_s * p.batch)) for node, p in firsts.items()]
    return [Silence(plan.id, expected)]


DETECTORS: dict[str, Callable[[Plan], list[Detector]]] = {
    "balance": _balances,
    "source": _sources,
    "silence": _silences,
}


def detectors(plan: Plan) -> list[Detector]:
    """All detectors of a site."""
    return [detector for build in DETECTORS.values() for detector in build(plan)]
