# SPDX-License-Identifier: MIT
"""Whether anybody has gauged a point, so that its litres can be signed.

Calibrated: gaugings at two stages or more since the rating or the zero last changed, each of three
runs within 5 %, and the device within 10 % of each.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from kahriz_water.gauging import DEVICE, Gauging

STAGES = 2
APART = 0.15  # two stages are two when their flows differ by so much of the larger


@dataclass(frozen=True, slots=True)
class Calibration:
    """`why` says what is missing; None when the point is calibrated."""

    point: str
    gaugings: int
    why: str | None

    @property
    def calibrated(self) -> bool:
        return self.why is None

    def words(self, ask: str) -> str:
        """
        >>> Calibration("outlet", 0, "nobody has gauged it").words("R. Quliyev")
        'uncalibrated: ask R. Quliyev'
        """
        if self.calibrated:
            return "calibrated"
        return f"uncalibrated: ask {ask}" if ask else "uncalibrated"


def judge(point: str, gaugings: Iterable[Gauging]) -> Calibration:
    """The gaugings of a point since its rating and zero are what they are."""
    sound = [g for g in gaugings if g.point == point and not g.complaints()]
    agreeing = [g for g in sound if g.agrees()]
    if not sound:
        return Calibration(point, 0, "nobody has gauged it")
    off = [g for g in sound if not g.agrees() and g.device_error() is not None]
    if off and off[-1].at >= max((g.at for g in agreeing), default=0):
        error = off[-1].device_error() or 0.0
        why = f"the device is {error:+.0%} off the last gauging: at most {DEVICE:.0%}"
        return Calibration(point, len(agreeing), why)
    flows = [g.lps() for g in agreeing]
    if not flows or min(flows) > (1.0 - APART) * max(flows):
        return Calibration(point, len(agreeing), f"gaugings at {STAGES} stages are needed")
    return Calibration(point, len(agreeing), None)
