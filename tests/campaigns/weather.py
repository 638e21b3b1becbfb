# SPDX-License-Identifier: MIT
"""What goes wrong in a life, drawn from a seed: outages, bad lines, cuts, a clock that wanders."""

import math
from dataclasses import dataclass
from random import Random

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
WANDER_PPM = 150  # the RC follows the temperature of the day
KINDS = ("ap", "broker", "frozen", "no_clock", "bad_line")


@dataclass(frozen=True)
class Outage:
    """`kind` is away from `begin_ms` to `end_ms`."""

    kind: str
    begin_ms: int
    end_ms: int


@dataclass(frozen=True)
class Rates:
    """How much goes wrong."""

    outages_a_year: float = 30.0
    longest_days: float = 20.0
    cuts_a_year: float = 60.0
    cut_every_wakes: int = 0  # beside these: in one wake of so many, at any flash operation
    restores_a_year: float = 1.0
    drift_most_ppm: int = 50_000
    bad_session: float = 0.02
    updates: int = 0  # of program and configuration, spread over the life


USUAL = Rates()


class Weather:
    """One node's luck over a span."""

    def __init__(self, seed: str, begin_ms: int, days: float, rates: Rates = USUAL) -> None:
        self.seed = seed
        self.rates = rates
        chance = Random(seed)
        self.begin_ms = begin_ms
        self.end_ms = begin_ms + round(days * DAY_MS)
        self.base_ppm = chance.randint(-rates.drift_most_ppm, rates.drift_most_ppm)
        calm_ms = 6 * HOUR_MS  # at either end, so that what is owed can be delivered
        self.outages = []
        for _ in range(round(rates.outages_a_year * days / 365) or 1):
            begin = chance.randint(begin_ms + calm_ms, self.end_ms - calm_ms)
            most_h = min(rates.longest_days * 24, days * 24 / 4)
            length = math.exp(chance.uniform(0, math.log(max(most_h, 1.5)))) * HOUR_MS
            end = min(begin + round(length), self.end_ms - calm_ms)
            self.outages.append(Outage(chance.choice(KINDS), begin, end))
        self.cuts = sorted(
            chance.randint(begin_ms + HOUR_MS, self.end_ms - calm_ms)
            for _ in range(round(rates.cuts_a_year * days / 365))
        )
        self.restores = sorted(
            chance.randint(begin_ms + DAY_MS, self.end_ms - calm_ms)
            for _ in range(round(rates.restores_a_year * days / 365) if days > 3 else 0)
        )
        span_ms = (self.end_ms - begin_ms) // (rates.updates + 1)
        self.updates = [begin_ms + span_ms * (i + 1) for i in range(rates.updates)]

    def is_away(self, kind: str, at_ms: int) -> bool:
        """Whether this kind of outage is on."""
        return any(o.kind == kind and o.begin_ms <= at_ms < o.end_ms for o in self.outages)

    def ppm(self, at_ms: int) -> float:
        """How fast the RTC runs now."""
        return self.base_ppm + WANDER_PPM * math.sin(2 * math.pi * at_ms / DAY_MS)
