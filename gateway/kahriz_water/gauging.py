# SPDX-License-Identifier: MIT
"""Gauging by hand: bucket, pool filling, salt dilution; what it says of a device beside it.

Raw times, volumes and conductivities are kept; the flow is worked out from them each time.
At least three runs within 5 %; the device within 10 % of their mean.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

from kahriz_water.strict import ConfigError, Table

METHODS = ("bucket", "pool", "salt")
RUNS = 3
SPREAD = 0.05  # of the mean, from the lowest run to the highest
DEVICE = 0.10  # of the gauging
BUCKET_LPS = 3.0  # above it a bucket is full before anybody can stop a watch
BUCKET_S = 3.0  # connectedwater.gov.au: a container must take at least so long to fill
BACKGROUND = 3  # readings before the salt and after it


@dataclass(frozen=True, slots=True)
class Bucket:
    """So many litres in so many seconds."""

    litres: float
    seconds: float

    def lps(self) -> float:
        """
        >>> Bucket(20.0, 10.0).lps()
        2.0
        """
        return self.litres / self.seconds

    def complaint(self) -> str | None:
        if self.seconds < BUCKET_S:
            return f"{self.seconds:g} s is too short: a container must take {BUCKET_S:g} s"
        if self.lps() > BUCKET_LPS:
            return f"{self.lps():.1f} L/s is above {BUCKET_LPS:g}: use pool filling or salt"
        return None


@dataclass(frozen=True, slots=True)
class Pool:
    """A rise over an area in a time, with nothing let out meanwhile."""

    area_m2: float
    rise_m: float
    seconds: float

    def lps(self) -> float:
        """
        >>> Pool(290.0, 0.05, 1450.0).lps()
        10.0
        """
        return self.area_m2 * self.rise_m * 1000.0 / self.seconds

    def complaint(self) -> str | None:
        if self.rise_m < 0.02:
            return f"a rise of {self.rise_m * 1000:.0f} mm is too small: wait for 20 mm"
        return None


@dataclass(frozen=True, slots=True)
class Salt:
    """Salt thrown in upstream, conductivity downstream: Q = mass / (k * area under the wave).

    `factor` is k, g/L for one uS/cm, from a sample of this water to which salt was added in steps.
    The background is a straight line from the first readings to the last.
    """

    grams: float
    factor: float
    series: tuple[tuple[float, float], ...]  # (seconds, uS/cm)

    def lps(self) -> float:
        """
        >>> wave = tuple((10.0 * k, 400.0 + (50.0 if 5 <= k < 15 else 0.0)) for k in range(20))
        >>> round(Salt(250.0, 0.0005, wave).lps(), 2)
        100.0
        """
        return self.grams / (self.factor * self._area())

    def _area(self) -> float:
        first, last = self._ends()
        start, end = self.series[0][0], self.series[-1][0]
        over = [(t, us - (first + (last - first) * (t - start) / (end - start)))
                for t, us in self.series]  # fmt: skip
        return sum((b[0] - a[0]) * (a[1] + b[1]) / 2.0 for a, b in itertools.pairwise(over))

    def _ends(self) -> tuple[float, float]:
        us = [x for _, x in self.series]
        return sum(us[:BACKGROUND]) / BACKGROUND, sum(us[-BACKGROUND:]) / BACKGROUND

    def complaint(self) -> str | None:
        first, last = self._ends()
        top = max(us for _, us in self.series) - max(first, last)
        if top <= 0.0 or self._area() <= 0.0:
            return "no wave of salt in the series"
        if abs(last - first) > 0.1 * top:
            return "the water had not become fresh again when the series ended"
        return None


Run = Bucket | Pool | Salt


@dataclass(frozen=True, slots=True)
class Gauging:
    """Runs at one stage, with what the device said meanwhile."""

    point: str
    at: int
    method: str
    runs: tuple[Run, ...]
    who: str
    stage_m: float | None = None
    device_lps: float | None = None
    note: str = ""

    def lps(self) -> float:
        return sum(run.lps() for run in self.runs) / len(self.runs)

    def spread(self) -> float:
        """From the lowest run to the highest, over their mean."""
        flows = [run.lps() for run in self.runs]
        return (max(flows) - min(flows)) / self.lps()

    def u_lps(self) -> float:
        """Expanded: the scatter of the mean, and 2 % that all runs share (volume, area, factor)."""
        n, mean = len(self.runs), self.lps()
        if n < 2:
            return 0.10 * mean
        s = math.sqrt(sum((run.lps() - mean) ** 2 for run in self.runs) / (n - 1))
        return 2.0 * math.hypot(s / math.sqrt(n), 0.01 * mean)

    def complaints(self) -> list[str]:
        """Why this gauging does not count, in words; none when it does."""
        found = [c for run in self.runs if (c := run.complaint()) is not None]
        if len(self.runs) < RUNS:
            found.append(f"{len(self.runs)} runs: at least {RUNS}")
        elif self.spread() > SPREAD:
            found.append(f"runs are {self.spread():.0%} apart: at most {SPREAD:.0%}")
        return found

    def device_error(self) -> float | None:
        """How much more the device says than the gauging, of the gauging."""
        return None if self.device_lps is None else self.device_lps / self.lps() - 1.0

    def agrees(self) -> bool:
        error = self.device_error()
        return not self.complaints() and error is not None and abs(error) <= DEVICE


def read_runs(method: str, raw: Sequence[object], path: str) -> tuple[Run, ...]:
    """Runs of a record: tables of the raw numbers."""
    if not raw:
        raise ConfigError(path, "at least one run")
    runs = []
    for i, data in enumerate(raw, 1):
        table = Table(data, f"{path}[{i}]")
        runs.append(_READERS[method](table))
        table.done()
    return tuple(runs)


def _bucket(table: Table) -> Run:
    return Bucket(table.number("litres", 0.1, 5000, "litres"), _seconds(table))


def _pool(table: Table) -> Run:
    area_m2 = table.number("area_m2", 0.5, 100_000, "square metres")
    return Pool(area_m2, table.number("rise_m", 0.001, 5, "metres"), _seconds(table))


def _seconds(table: Table) -> float:
    return table.number("seconds", 0.5, 86_400, "seconds")


def _salt(table: Table) -> Run:
    pairs = table.raw("series")
    expected = f"pairs [seconds, uS/cm], time rising, at least {3 * BACKGROUND}"
    try:
        series = tuple((float(t), float(us)) for t, us in pairs)
    except (TypeError, ValueError) as error:
        raise ConfigError(table.at("series"), expected, type(pairs).__name__) from error
    rising = all(b[0] > a[0] for a, b in itertools.pairwise(series))
    if len(series) < 3 * BACKGROUND or not rising:
        raise ConfigError(table.at("series"), expected, f"{len(series)} pairs")
    grams = table.number("grams", 1, 100_000, "grams of dry salt")
    return Salt(grams, table.number("factor", 1e-4, 1e-3, "g/L for one uS/cm"), series)


_READERS = {"bucket": _bucket, "pool": _pool, "salt": _salt}
