# SPDX-License-Identifier: MIT
"""Numbers, dates and ages as people write them in Azerbaijani, Russian and English.

Own short tables: the phone's browser knows no Azerbaijani dates, and Babel (33 MB) stays out of
the gateway. Nothing here changes the case of a text: i and ı are two letters.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone

# Asia/Baku has kept UTC+4 without summer time since 2016 (IANA tz database, 2016d).
OFFSET_MS = 4 * 3_600_000
BAKU = timezone(timedelta(milliseconds=OFFSET_MS))
DAY_MS = 86_400_000
NBSP = "\u00a0"
MINUS = "\u2212"

# CLDR 48 abbreviated names: stand-alone months, days from Monday.
MONTHS = {
    "az": ["yan", "fev", "mar", "apr", "may", "iyn", "iyl", "avq", "sen", "okt", "noy", "dek"],
    "ru": ["янв", "фев", "мар", "апр", "май", "июн", "июл", "авг", "сен", "окт", "ноя", "дек"],
    "en": ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"],
}
DAYS = {
    "az": ["B.E.", "Ç.A.", "Ç.", "C.A.", "C.", "Ş.", "B."],
    "ru": ["пн", "вт", "ср", "чт", "пт", "сб", "вс"],
    "en": ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"],
}


@dataclass(frozen=True, slots=True)
class Formats:
    """How one language writes numbers and times."""

    language: str

    def number(self, value: float, decimals: int = 1) -> str:
        """1234.56 -> `1.234,6` (az), `1 234,6` (ru), `1 234.6` (en)."""
        if not math.isfinite(value):
            return "?"
        whole, _, part = f"{abs(value):,.{decimals}f}".partition(".")
        group, point = {"az": (".", ","), "ru": (NBSP, ",")}.get(self.language, (NBSP, "."))
        text = whole.replace(",", group) + (point + part if part else "")
        negative = value < 0 and any(c in "123456789" for c in text)
        return MINUS + text if negative else text

    def day(self, ms: int) -> str:
        """`23.11.2026`."""
        return f"{local(ms):%d.%m.%Y}"

    def clock(self, ms: int) -> str:
        """`14:05`."""
        return f"{local(ms):%H:%M}"

    def weekday(self, ms: int) -> str:
        return self._days()[local(ms).weekday()]

    def month(self, ms: int) -> str:
        return MONTHS.get(self.language, MONTHS["en"])[local(ms).month - 1]

    def moment(self, ms: int, now_ms: int) -> str:
        """The time of today, the day and the time of this year, or all of it."""
        then, now = local(ms), local(now_ms)
        if then.date() == now.date():
            return f"{then:%H:%M}"
        if then.year == now.year:
            return f"{then:%d.%m %H:%M}"
        return f"{then:%d.%m.%Y %H:%M}"

    def _days(self) -> list[str]:
        return DAYS.get(self.language, DAYS["en"])


def local(ms: int) -> datetime:
    """The wall clock in Baku."""
    return datetime.fromtimestamp(ms / 1000, UTC).astimezone(BAKU)


def midnight(ms: int) -> int:
    """The start of this day in Baku."""
    return (ms + OFFSET_MS) // DAY_MS * DAY_MS - OFFSET_MS


def start_of(day: date) -> int:
    """The first millisecond of a day in Baku."""
    return int(datetime(day.year, day.month, day.day, tzinfo=BAKU).timestamp() * 1000)


def monday(ms: int) -> int:
    """The start of this week in Baku: weeks begin on Monday."""
    return midnight(ms) - local(ms).weekday() * DAY_MS
