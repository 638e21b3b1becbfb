# SPDX-License-Identifier: MIT
"""What the events of a scenario do to the water at a moment."""

from dataclasses import dataclass
from math import exp

from kahriz_sim.scenario import (
    Blockage,
    Collapse,
    Drought,
    Event,
    Fouled,
    Leak,
    Storm,
    Tapping,
    hours_to_ms,
)
from kahriz_sim.weather import DAY_MS, HOUR_MS, hour_of

MONTH_MS = 30.4 * DAY_MS


@dataclass(frozen=True)
class Push:
    """gain, kept and opening as the gallery takes them; takings from each reach in m3/s."""

    gain: float
    kept: float
    opening: float
    leaks: dict[str, float]
    thefts: dict[str, float]


QUIET = Push(1.0, 1.0, 1.0, {}, {})


@dataclass(frozen=True)
class Dated:
    event: Event
    from_ms: int
    to_ms: int


class Forcing:
    def __init__(self, events: tuple[Event, ...], origin_ms: int) -> None:
        self._dated: list[Dated] = []
        self._fouled: list[Dated] = []
        for event in events:
            self.add(event, origin_ms)

    def add(self, event: Event, origin_ms: int) -> None:
        start, end = origin_ms + hours_to_ms(event.at_h), origin_ms + hours_to_ms(event.to_h)
        dated = Dated(event, start, end)
        if isinstance(event, Fouled):
            self._fouled.append(dated)
        elif isinstance(event, Leak | Tapping | Blockage | Collapse | Drought | Storm):
            self._dated.append(dated)

    def fouling_m(self, point: str, t_ms: int) -> float:
        """How far a leaf lifts the stage at this weir."""
        lift_mm = 0.0
        for dated in self._fouled:
            e = dated.event
            if isinstance(e, Fouled) and e.point == point and dated.from_ms <= t_ms < dated.to_ms:
                part = (t_ms - dated.from_ms) / (dated.to_ms - dated.from_ms)
                lift_mm += e.first_mm + (e.last_mm - e.first_mm) * part
        return lift_mm / 1000.0

    def at(self, t_ms: int) -> Push:
        active = [d for d in self._dated if d.from_ms <= t_ms < d.to_ms]
        if not active:
            return QUIET
        gain = kept = opening = 1.0
        leaks: dict[str, float] = {}
        thefts: dict[str, float] = {}
        for dated in active:
            e, since_ms = dated.event, t_ms - dated.from_ms
            match e:
                case Leak():
                    grown = min(1.0, since_ms / (e.grow_h * HOUR_MS)) if e.grow_h else 1.0
                    leaks[e.reach] = leaks.get(e.reach, 0.0) + e.lps / 1000.0 * grown
                case Tapping():
                    if (hour_of(t_ms) - e.from_hour) % 24.0 < e.hours:
                        thefts[e.reach] = thefts.get(e.reach, 0.0) + e.lps / 1000.0
                case Blockage():
                    creep = e.creep_per_day * since_ms / DAY_MS
                    opening *= min(1.0, e.opening + creep)
                case Collapse():
                    kept *= e.kept
                case Drought():
                    gain *= exp(-e.per_month * since_ms / MONTH_MS)
                case Storm():
                    gain *= 1.0 + _pulse(e, since_ms / HOUR_MS)
        return Push(gain, kept, opening, leaks, thefts)


def _pulse(storm: Storm, hours: float) -> float:
    """Straight up, then down exponentially."""
    if hours < storm.rise_h:
        return storm.peak * hours / storm.rise_h
    return storm.peak * exp(-(hours - storm.rise_h) / storm.fall_h)
