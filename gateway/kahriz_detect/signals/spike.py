# SPDX-License-Identifier: MIT
"""Readings that leave and return: spikes, and a sensor that has begun to chatter.

    z(t) = min(|d(t)|, |d(t-1)|) / s   where d(t) = x(t) - x(t-1) turns its sign, else 0

s is the learned usual step, one while there is flow and one while there is next to none: a valve
that is shut says nothing about the noise of a full pipe. Water that rises in a storm does not
come back in the next reading; a lone z above `single` that came out of calm is a spike, `many` of
them above `each` within `window` readings are noise.
"""

from __future__ import annotations

from typing import Any

MEMORY = 300.0  # readings
FIRST = 50  # readings that teach all they have
CALM = 0.25  # of the leap: a step before it that is larger belongs to a storm
TOP_MEMORY = 5000.0
IDLE = 0.05  # of the highest reading: less is no flow
CLIP = 4.0  # usual steps: larger ones teach no more than that


class Spike:
    """Zigzag of successive readings in usual steps.

    Parameters
    ----------
    single : a lone leap there and back that is no water.
    each, many, window : so many smaller ones in so many readings.
    learn : readings before anything is said.

    Examples
    --------
    >>> spike = Spike(learn=50)
    >>> seen = [spike.step(5.0 if i == 120 else i % 3 / 100) for i in range(130)]
    >>> seen.index("spikes")
    121

    References
    ----------
    IOOS QARTOD (2020), Manual for real-time quality control of water level data: spike test.
    """

    __slots__ = (
        "calm",
        "d",
        "each",
        "frozen",
        "last",
        "learn",
        "many",
        "recent",
        "runs",
        "s",
        "single",
        "steps",
        "taught",
        "top",
        "window",
    )

    def __init__(
        self,
        single: float = 30.0,
        each: float = 12.0,
        many: int = 3,
        window: int = 12,
        learn: int = 150,
    ) -> None:
        if min(single, each) <= 0 or many < 2 or window < many or learn < 1:
            raise ValueError("single and each must be positive, many at least 2 and in the window")
        self.single, self.each, self.many, self.window = single, each, many, window
        self.learn = learn
        self.last: float | None = None
        self.s = 0.0
        self.d = 0.0
        self.calm = 0.0  # the step before that
        self.steps = [0.0, 0.0]
        self.top = 0.0
        self.taught = [0, 0]
        self.recent: list[int] = []
        self.runs = False  # there is flow
        self.frozen = False  # nothing is learned: somebody knows that the sensor lies

    @property
    def seen(self) -> int:
        """Steps, with and without flow."""
        return sum(self.taught)

    def step(self, value: float) -> str | None:
        """Take one reading in: "spikes", "noise", or nothing."""
        last = self.last
        self.last = value
        if last is None:
            return None
        d, before = value - last, self.d
        self.d, calm, self.calm = d, self.calm, before
        size = d if d >= 0 else -d
        level, top = value if value > last else last, self.top
        self.top = top = level if level > top else top - top / TOP_MEMORY
        runs = self.runs = level > IDLE * top
        s = self.s = self.steps[runs]
        self.taught[runs] = n = self.taught[runs] + 1
        if self.frozen:
            return None
        taught = size if n <= FIRST or size < CLIP * s else CLIP * s
        self.steps[runs] = s + (taught - s) / (n if n < MEMORY else MEMORY)
        if d * before >= 0 or n < self.learn or not runs:
            return None
        leap = min(size, abs(before))
        z = leap / s if s else 0.0
        if z < self.each:
            return None
        seen = self.seen
        self.recent = [*[i for i in self.recent if i > seen - self.window], seen]
        if len(self.recent) >= self.many:
            return "noise"
        return "spikes" if z > self.single and abs(calm) < CALM * leap else None

    def pause(self) -> None:
        """The next reading comes after others that are no numbers: between turns a weir is dry."""
        self.last, self.d, self.calm = None, 0.0, 0.0

    def dump(self) -> Any:
        first = [self.last, self.d, self.calm, self.s, self.steps, self.taught]
        return [*first, self.top, self.seen, self.recent, self.runs, self.frozen]

    def load(self, state: Any) -> None:
        self.last, self.d, self.calm, self.s, self.steps, self.taught = state[:6]
        self.top, _, self.recent, self.runs, self.frozen = state[6:]
