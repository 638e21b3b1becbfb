# SPDX-License-Identifier: MIT
"""Water of a pool that no meter explains, and where it went.

    D(t) = V(level) - sum of (inflows - outflows) dt          e(b) = -(D(b) - D(b - 1)) / block

D stands still while the table of volumes and all meters are right. A leak lets it fall steadily, a
sensor that was moved makes it leap once and stay. e is learned as a + sum of b_j Q_j (meters err
by a share, so what an outflow errs comes and goes with it) by recursive least squares.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kahriz_detect.frame import Frame
from kahriz_detect.numbers.middle import median
from kahriz_detect.site import Pool
from kahriz_water.pool import volume_m3

SPILL_AIR_M = 0.03  # so near to its spill a pool may spill
LAST_FRAMES = 3  # a reading that is missing is the one before, for half an hour
SURE0 = 100.0  # how unsure the shares are at first


class Stored:
    """D of one pool, frame by frame.

    Parameters
    ----------
    pool : level, table, flows.
    step_s : length of a frame.

    Examples
    --------
    >>> stored = Stored(Pool("pool", "level", ("in",), (), ((0.0, 0.0), (3.0, 300.0))), 600)
    >>> for n in range(3):
    ...     d = stored.step(Frame(n, n * 600_000, {"level": 1.0 + n * 0.006, "in": 1.0}))
    >>> round(d, 2)
    100.0
    """

    def __init__(self, pool: Pool, step_s: float) -> None:
        if step_s <= 0 or len(pool.level_volume) < 2:
            raise ValueError("step_s must be positive, level_volume have at least two rows")
        self.pool, self.step_s = pool, step_s
        self.flows = (*pool.inflows, *pool.outflows)
        self.run = 0.0  # m3 that ran in since the beginning
        self.number: int | None = None
        self.seen = 0  # newest frame with a level
        self.last: dict[str, tuple[int, float]] = {}
        self.spills = False
        self.shift_m = 0.0  # by how much the level is known to read high
        self.net = 0.0  # L/s that run in, of the newest frame

    def step(self, frame: Frame) -> float | None:
        """D in m3; None across a gap, and it begins anew after one."""
        number, get = frame.number, frame.get
        flows = []
        for key in self.flows:
            value = get(key)
            if value is not None:
                self.last[key] = (number, value)
                flows.append(value)
                continue
            last = self.last.get(key)
            if last is None or number - last[0] > LAST_FRAMES:
                self.number = None
                return None
            flows.append(last[1])
        many = len(self.pool.inflows)
        self.net = sum(flows[:many]) - sum(flows[many:])
        began = self.number is None or number - self.seen > LAST_FRAMES
        if began:
            self.run, self.number = 0.0, None
        elif self.number is not None:
            self.run += self.net * (number - self.number) * self.step_s / 1000.0
        level = frame.get(self.pool.level)
        volume = None
        if level is not None:
            volume = volume_m3(level - self.shift_m, self.pool.level_volume)
            if volume is None:
                self.number = None
                return None
            spill = self.pool.spill_m
            self.seen = number
            self.spills = spill is not None and level - self.shift_m > spill - SPILL_AIR_M
        elif began:
            return None
        self.number = number
        return None if volume is None else volume - self.run

    def dump(self) -> Any:
        own = [self.run, self.number, self.seen, self.spills, self.shift_m, self.net]
        return [own, [[k, *v] for k, v in self.last.items()]]

    def load(self, state: Any) -> None:
        (self.run, self.number, self.seen, self.spills, self.shift_m, self.net), last = state
        self.last = {str(k): (int(n), float(v)) for k, n, v in last}


class Shares:
    """e = a + sum b_j Q_j, with a memory.

    Examples
    --------
    >>> shares = Shares(2, memory=100.0)
    >>> for q in range(50):
    ...     shares.learn([1.0, float(q % 7)], 0.3 + 0.02 * (q % 7), 1.0)
    >>> round(shares.expected([1.0, 5.0]), 2)
    0.4

    References
    ----------
    Young (2011), Recursive Estimation and Time-Series Analysis, chapter 2.
    """

    def __init__(self, count: int, memory: float) -> None:
        self.keeps = 1.0 - 1.0 / memory
        self.b = [0.0] * count
        self.p = [[SURE0 if i == j else 0.0 for j in range(count)] for i in range(count)]

    def expected(self, x: Sequence[float]) -> float:
        return sum(b * v for b, v in zip(self.b, x, strict=True))

    def learn(self, x: Sequence[float], e: float, most: float) -> None:
        """Take one block in; an error beyond `most` pulls no more than that."""
        px = [sum(row[j] * x[j] for j in range(len(x))) for row in self.p]
        scale = self.keeps + sum(v * p for v, p in zip(x, px, strict=True))
        error = max(-most, min(most, e - self.expected(x)))
        gain = [p / scale for p in px]
        self.b = [b + g * error for b, g in zip(self.b, gain, strict=True)]
        wide = sum(self.p[i][i] for i in range(len(x))) > len(x) * SURE0
        keeps = 1.0 if wide else self.keeps  # what does not vary is not forgotten without end
        self.p = [
            [(self.p[i][j] - gain[i] * px[j]) / keeps for j in range(len(x))] for i in range(len(x))
        ]

    def dump(self) -> Any:
        return [self.b, self.p]

    def load(self, state: Any) -> None:
        b, p = state
        self.b, self.p = list(b), [list(row) for row in p]


def leapt(d: Sequence[float], half: int, share: float, least: float) -> float | None:
    """Leap of at least so much in the middle of D, if most of it came in one step and it stayed.

    >>> leapt([5.0, 5.1, 5.0, 9.0, 9.1, 9.0], 3, 0.7, 1.0)
    4.0
    """
    if len(d) < 2 * half:
        return None
    step = d[-half] - d[-half - 1]
    if abs(step) < share * least:  # the usual case: no need of medians
        return None
    leap = median(d[-half:]) - median(d[-2 * half : -half])
    return leap if abs(leap) >= least and leap and step / leap > share else None
