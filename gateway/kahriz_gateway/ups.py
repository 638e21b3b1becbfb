# SPDX-License-Identifier: MIT
"""Mains or battery: a file that a UPS, a GPIO pin or `upsmon` writes, and the hours that are left.

`[ups] file = "/sys/class/gpio/gpio17/value"`, `lost = "0"`, `hours = 8`, `stop_hours = 0.5`.
A UPS that tells only "mains" or "battery" does not know its charge: hours are counted here.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kahriz_water.site import Ups

HOUR_MS = 3_600_000
CHARGE = 0.5  # an hour on mains gives back half an hour; a guess, on the safe side
POWER_OFF = "power-off"


@dataclass(frozen=True, slots=True)
class Power:
    """`used_ms` of the battery's hours are spent; since when the mains are away, if they are."""

    on_mains: bool
    used_ms: int
    at_ms: int
    lost_ms: int | None = None

    def hours_left(self, ups: Ups) -> float:
        return max(0.0, ups.hours - self.used_ms / HOUR_MS)

    def ends(self, ups: Ups) -> bool:
        """Whether it is time to stop cleanly."""
        return not self.on_mains and self.hours_left(ups) <= ups.stop_hours


def end_file(data: Path, environ: Mapping[str, str] = os.environ) -> Path:
    """The file whose appearance asks for a clean end; systemd's own folder forgets it at a start,

    so that a machine which starts again is not switched off by an old wish.
    """
    return Path(environ.get("RUNTIME_DIRECTORY") or data) / POWER_OFF


def on_mains(ups: Ups) -> bool | None:
    """What the file says; None when it cannot be read, which is a fault of its own."""
    try:
        return Path(ups.file).read_text(encoding="utf-8").strip() != ups.lost
    except (OSError, UnicodeDecodeError):
        return None


def after(before: Power | None, mains: bool, now_ms: int) -> Power:
    """The battery after the time that has passed since the last look."""
    if before is None or now_ms < before.at_ms:
        return Power(mains, before.used_ms if before else 0, now_ms, None if mains else now_ms)
    passed = now_ms - before.at_ms
    change = -int(passed * CHARGE) if before.on_mains else passed
    used = max(0, before.used_ms + change)
    lost = None if mains else before.lost_ms if before.lost_ms is not None else now_ms
    return Power(mains, used, now_ms, lost)
