# SPDX-License-Identifier: MIT
"""When the water has proved a repair: pure judgement over facts that the store gives.

A dead sensor, a gap, a dry kahriz or a running irrigation turn proves nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

COVERAGE = 0.90  # of the readings expected in a day, at each point involved
FLOW_BAND = 0.10  # the flow that comes in must be as before, within this share
DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known about the places of an alarm over the last 24 hours.

    `calm`: the detector says that the loss is back in its band. `before_lps` and `now_lps` are
    the flow at the upper end before the alarm and over the last day; None where nobody knows.
    """

    calm: bool
    silent: tuple[str, ...] = ()  # nodes involved that are not heard or not well
    coverage: Mapping[str, float] = field(default_factory=dict)  # by point
    before_lps: float | None = None
    now_lps: float | None = None
    planned: str | None = None  # a turn, a closure or a maintenance that runs


def lacking(facts: Facts) -> dict[str, str]:
    """What the proof still lacks, with the figure that says so; empty when it is proved.

    >>> lacking(Facts(True, (), {"outlet": 1.0}, 12.0, 11.5))
    {}
    >>> lacking(Facts(True, (), {"outlet": 1.0}, 12.0, 0.0))
    {'dry': '0.0 L/s'}
    """
    found: dict[str, str] = {}
    if not facts.calm:
        found["loss"] = "not back in its band"
    if facts.silent:
        found["nodes"] = ", ".join(facts.silent)
    thin = {p: share for p, share in facts.coverage.items() if share < COVERAGE}
    if thin or not facts.coverage:
        found["coverage"] = ", ".join(f"{p} {share:.0%}" for p, share in thin.items()) or "no data"
    if facts.planned:
        found["planned"] = facts.planned
    return found | _flow(facts.before_lps, facts.now_lps)


def _flow(before: float | None, now: float | None) -> dict[str, str]:
    if before is None or now is None:
        return {"flow_unknown": "no flow at the upper end to compare with"}
    if now <= 0:
        return {"dry": f"{now:.1f} L/s"}
    if before <= 0 or abs(now - before) > FLOW_BAND * before:
        return {"flow": f"{now:.1f} L/s, before {before:.1f} L/s"}
    return {}
