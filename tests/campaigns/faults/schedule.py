# SPDX-License-Identifier: MIT
"""A schedule: what goes wrong in a run and when, drawn from a seed alone.

`how` is a number drawn with each happening: the write, the SQL statement or the packet at which it
strikes, so that a run lived again strikes in the same place.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random

HOUR_S = 3600.0
SHORT, LONG = (2.0, 120.0), (300.0, 2.2 * HOUR_S)

# kind: (shortest, longest) in seconds; what strikes at once and is over has no length
KINDS: dict[str, tuple[float, float]] = {
    "node_power_cut": (1.0, 3600.0),
    "flash_cut_clean": (0.0, 0.0),
    "flash_cut_torn": (0.0, 0.0),
    "flash_cut_garbage": (0.0, 0.0),
    "wifi_away": LONG,
    "dns_away": LONG,
    "link_loses": LONG,
    "receipt_lost": LONG,
    "same_client_id": LONG,
    "foreign_receipt": LONG,
    "unreadable_message": (0.0, 0.0),
    "broker_killed": SHORT,
    "broker_lost_state": SHORT,
    "broker_frozen": LONG,
    "intake_killed": SHORT,
    "intake_terminated": SHORT,
    "intake_frozen": LONG,
    "village_killed": SHORT,
    "village_terminated": SHORT,
    "village_frozen": LONG,
    "disk_full": LONG,
    "disk_read_only": LONG,
    "commits_slow": LONG,
    "database_down": LONG,
    "database_400": LONG,
    "database_401": LONG,
    "database_429": LONG,
    "database_503_wait_3600": LONG,
    "clock_1970": LONG,
    "clock_2036": LONG,
    "clock_2036_believed": LONG,
    "modem_hangs": LONG,
    "modem_no_network": LONG,
    "store_restored": (0.0, 0.0),
}
MONTH = "server_away_30_days"  # and the Internet with it; a kind of few schedules, for it is long
ALL_KINDS = (*KINDS, MONTH)
MONTH_SHARE = 0.005
DAY_S = 86_400.0
MONTH_DT_S = 3600
MOST = 5  # happenings of a schedule
CALM_S = 600.0  # at the beginning, so that the site comes to life
END_S = 600.0


@dataclass(frozen=True)
class Happening:
    """`kind` begins at `at_s` after the start and lasts `for_s`."""

    kind: str
    at_s: float
    for_s: float
    how: int

    @property
    def to_s(self) -> float:
        return self.at_s + self.for_s


@dataclass(frozen=True)
class Schedule:
    """One run; `fall_s` is when the mouth loses most of its water, None when it never does."""

    seed: int
    lasts_s: float
    dt_s: int
    batch: int
    drift_ppm: int
    fall_s: float | None
    fall_to: float
    happenings: tuple[Happening, ...]

    def only(self, keep: tuple[int, ...]) -> Schedule:
        """The same run with these happenings alone."""
        return replace(self, happenings=tuple(self.happenings[i] for i in keep))

    def without_fall(self) -> Schedule:
        return replace(self, fall_s=None)


def draw(seed: int) -> Schedule:
    """The schedule of a seed."""
    chance = Random(f"schedule {seed}")
    month = _month(seed) if chance.random() < MONTH_SHARE else None
    falls = chance.random() < 0.5
    lasts_s = chance.uniform(4.2, 5.5) * HOUR_S if falls else chance.uniform(2.0, 4.5) * HOUR_S
    if month is not None:
        lasts_s += month.to_s
    fall_s = chance.uniform(2.9 * HOUR_S, lasts_s - HOUR_S) if falls else None
    kinds = list(KINDS)
    found = []
    for number in range(chance.randint(1, MOST)):
        kind = chance.choice(kinds) if number else kinds[seed % len(kinds)]  # each has its turn
        shortest, longest = KINDS[kind]
        for_s = chance.uniform(shortest, longest)
        for_s = min(for_s, 0.6 * lasts_s)
        at_s = chance.uniform(CALM_S, max(CALM_S, lasts_s - for_s - 900.0))
        if fall_s is not None and chance.random() < 0.4:  # around the moment that matters
            at_s = max(CALM_S, fall_s + chance.uniform(-0.5, 1.0) * 900.0 - 0.3 * for_s)
        elif month is not None and chance.random() < 0.5:  # around its end
            at_s = month.to_s + chance.uniform(-0.5, 1.0) * 900.0 - 0.3 * for_s
        for_s = min(for_s, lasts_s - END_S - at_s)  # all is over when the last words are said
        found.append(Happening(kind, round(at_s, 1), round(for_s, 1), chance.randrange(10_000)))
    batch = chance.choice((3, 6, 12))
    if month is not None:
        found.append(month)
    return Schedule(
        seed,
        lasts_s,
        300 if month is None else MONTH_DT_S,
        batch,
        chance.randint(-50_000, 50_000),
        fall_s,
        chance.choice((0.5, 0.3, 0.02)),
        tuple(sorted(found, key=lambda h: h.at_s)),
    )


def _month(seed: int) -> Happening:
    """Thirty days without the server, from the second day on."""
    chance = Random(f"month {seed}")
    return Happening(MONTH, round(chance.uniform(1.0, 1.5) * DAY_S, 1), 30 * DAY_S, 0)
