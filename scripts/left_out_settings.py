# SPDX-License-Identifier: MIT
"""Settings that were chosen by looking at scores, each as one knob: its limits times a scale."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from unittest.mock import patch

from kahriz_detect.numbers import glr, nights, steps
from kahriz_detect.numbers.cusum import Cusum
from kahriz_detect.reach import drift, leap
from kahriz_detect.signals.spike import Spike

WINDOWS, SPANS, Z = nights.WINDOWS, steps.SPANS, dict(glr.Z)
SPIKES = Spike.__init__.__defaults__ or ()


@contextmanager
def _use(scale: float) -> Iterator[None]:
    """Limits of the nights, the hours and the steps of a tap network."""
    nights.WINDOWS = tuple(replace(w, z=w.z * scale) for w in WINDOWS)
    steps.SPANS = tuple(replace(s, z=s.z * scale) for s in SPANS)
    glr.Z.update({days: z * scale for days, z in Z.items()})
    try:
        yield
    finally:
        nights.WINDOWS, steps.SPANS = WINDOWS, SPANS
        glr.Z.update(Z)


@contextmanager
def _sums(scale: float) -> Iterator[None]:
    """Thresholds of the sums that watch reaches, pools and the chamber."""
    begin = Cusum.__init__

    def scaled(self: Cusum, drift: float, threshold: float, persist: int) -> None:
        begin(self, drift, threshold * scale, persist)

    with patch.object(Cusum, "__init__", scaled):
        yield


@contextmanager
def _instruments(scale: float) -> Iterator[None]:
    """Scatters of a leap and of a drift, usual steps of a spike and of noise."""
    single, each, *rest = SPIKES
    with (
        patch.object(leap, "SCATTERS", leap.SCATTERS * scale),
        patch.object(drift, "SCATTERS", drift.SCATTERS * scale),
        patch.object(Spike.__init__, "__defaults__", (single * scale, each * scale, *rest)),
    ):
        yield


@dataclass(frozen=True)
class Setting:
    """A knob, the groups of alarms that it moves, and the sets on which it was chosen."""

    name: str
    groups: tuple[str, ...]
    sets: tuple[str, ...]
    times: Callable[[float], AbstractContextManager[None]]
    scales: tuple[float, ...] = (0.8, 1.0, 1.25)


SETTINGS = (
    Setting("use", ("loss",), ("dma_real",), _use, (0.8, 0.9, 1.0, 1.1, 1.25)),
    Setting("sums", ("loss", "source"), ("kahriz", "simulated"), _sums),
    Setting("instruments", ("fault",), ("kahriz", "lro_faults", "simulated"), _instruments),
)
