# SPDX-License-Identifier: MIT
"""A deployment: which channel of which node hung at which point, from when to when, with its zero.

A sensor swap is a new deployment, so that history is always computed with the zero of its day.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

SOUND_SPEEDS = ("raw", "fixed", "compensated")
ROLES = ("head", "tail")


@dataclass(frozen=True, slots=True)
class Deployment:
    """`zero_m`: ultrasonic = face of the sensor over the crest, 4-20 mA = level at 4 mA.

    `span_m` is the level range of a 4-20 mA sensor. `sound_speed` is what an ultrasonic driver
    declares: `fixed` (its own constant speed is in the number) or `compensated` (leave it).
    `role` "tail" is the second sensor of a structure, over its tailwater or in a flume's throat.
    """

    node: str
    channel: str
    point: str
    from_ms: int
    to_ms: int | None = None
    zero_m: float | None = None
    span_m: float | None = None
    sound_speed: str | None = None
    note: str = ""
    role: str = "head"

    def holds_at(self, ts_ms: int) -> bool:
        return self.from_ms <= ts_ms and (self.to_ms is None or ts_ms < self.to_ms)


def at(deployments: Iterable[Deployment], node: str, channel: str, ts_ms: int) -> Deployment | None:
    """The deployment of a channel at a moment; the one that began last, should two overlap."""
    fitting = [
        d for d in deployments if d.node == node and d.channel == channel and d.holds_at(ts_ms)
    ]
    return max(fitting, key=lambda d: d.from_ms, default=None)
