# SPDX-License-Identifier: MIT
"""Days off that are no Sunday: a list in site.toml, each year's or of one year."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, timedelta

from kahriz_water.strict import ConfigError, Table

DAY = re.compile(r"(?:(\d{4})-)?(\d\d)-(\d\d)$")
EXPECTED = "MM-DD of every year or YYYY-MM-DD, alone or as first..last"
LEAP_YEAR = 2000
EPOCH = date(1970, 1, 1)
OFF = 3  # of seven, counted from a Thursday: Sunday


class Holidays:
    """Which days are lived like a Sunday.

    Examples
    --------
    >>> novruz = Holidays(["03-20..03-24", "2027-03-10"])
    >>> novruz.on(date(2026, 3, 22)), novruz.on(date(2026, 3, 10)), novruz.on(date(2027, 3, 10))
    (True, False, True)
    >>> hour = (date(2026, 3, 20) - EPOCH).days * 24 + 8  # a Friday
    >>> novruz.slot(hour) == novruz.slot(hour + 48)  # Sunday
    True
    """

    def __init__(self, days: Iterable[str] = ()) -> None:
        self._yearly: set[tuple[int, int]] = set()
        self._once: set[date] = set()
        for text in days:
            first, last, yearly = _span(text)
            for n in range((last - first).days + 1):
                day = first + timedelta(days=n)
                if yearly:
                    self._yearly.add((day.month, day.day))
                else:
                    self._once.add(day)

    def on(self, day: date) -> bool:
        return day in self._once or (day.month, day.day) in self._yearly

    def slot(self, hour: int) -> int:
        """The hour of the week, of an hour since 1970; on a holiday that of a Sunday."""
        days, of_day = divmod(hour, 24)
        if (self._yearly or self._once) and self.on(EPOCH + timedelta(days=days)):
            return OFF * 24 + of_day
        return days % 7 * 24 + of_day


def read_holidays(table: Table | None) -> tuple[str, ...]:
    """[use] holidays = ["03-20..03-24", "2027-03-10"]"""
    if table is None:
        return ()
    days = table.raw("holidays") or []
    try:
        Holidays(days)
    except (TypeError, ValueError) as error:
        raise ConfigError(table.at("holidays"), f"a list of days ({error})", days) from error
    table.done()
    return tuple(days)


def _span(text: str) -> tuple[date, date, bool]:
    """First and last day, and whether it is of every year; ValueError in words."""
    first, _, last = text.partition("..")
    ends = [_day(part.strip()) for part in (first, last or first)]
    (a, yearly), (b, also) = ends
    if yearly != also or b < a:
        raise ValueError(f"{EXPECTED}, got {text!r}")
    return a, b, yearly


def _day(text: str) -> tuple[date, bool]:
    found = DAY.match(text)
    if found is None:
        raise ValueError(f"{EXPECTED}, got {text!r}")
    year = int(found[1] or LEAP_YEAR)
    try:
        return date(year, int(found[2]), int(found[3])), found[1] is None
    except ValueError as error:
        raise ValueError(f"{EXPECTED}, got {text!r} ({error})") from error
