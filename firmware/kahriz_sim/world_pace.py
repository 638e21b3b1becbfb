# SPDX-License-Identifier: MIT
"""Life at a given speed: how far the simulated clock may have come by now."""

from time import monotonic

LAG_MAX_S = 5.0  # a world further behind than this (a suspended laptop) does not chase its lag


class Pace:
    """Pauses for waking nodes are made up for, so that an hour of life lasts its time."""

    def __init__(self, speed: float) -> None:
        self.speed = speed
        self._wall_s = 0.0
        self._sim_ms = 0
        self._ended_s: float | None = None

    def begin(self, now_ms: int) -> None:
        """A stretch of life begins; one that follows the last at once keeps its beat."""
        wall_s = monotonic()
        follows = self._ended_s is not None and wall_s - self._ended_s < LAG_MAX_S
        if not follows or abs(self.allowed_ms() - now_ms) > LAG_MAX_S * self.speed * 1000.0:
            self._wall_s, self._sim_ms = wall_s, now_ms

    def allowed_ms(self) -> int:
        return self._sim_ms + int((monotonic() - self._wall_s) * self.speed * 1000.0)

    def end(self) -> None:
        self._ended_s = monotonic()
