# SPDX-License-Identifier: MIT
"""The four stretches of time of a chart: day, week from Monday, season and year, in Baku's days.

Without a date the stretch ends now; with one it is the calendar's day, week, season or year that
holds the date.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from kahriz_gateway.page.format import DAY_MS, Formats, local, midnight, monday, start_of

HOUR_MS = 3_600_000
SPANS = ("day", "week", "season", "year")
DAYS = {"day": 1, "week": 7, "season": 92, "year": 366}
BUCKET_MS = {"day": 300_000, "week": HOUR_MS, "season": 12 * HOUR_MS, "year": DAY_MS}
FIRST_YEAR, LAST_YEAR = 1990, 2200


@dataclass(frozen=True, slots=True)
class Window:
    """From where to where, in what steps, and the dates one step back and forward."""

    span: str
    start: int
    end: int
    bucket_ms: int
    before: date | None
    after: date | None


def window(span: str, now_ms: int, day: date | None, dt_s: int = 300) -> Window:
    """The stretch to draw; steps are never shorter than the point's own interval."""
    size = max(BUCKET_MS[span], dt_s * 1000)
    if day is None:
        end = now_ms + 1
        start = end - DAY_MS if span == "day" else midnight(now_ms) - (DAYS[span] - 1) * DAY_MS
        return Window(span, start, end, size, _step(span, local(now_ms).date(), -1), None)
    first = _first(span, day)
    following = _step(span, first, 1)
    assert following is not None
    end = start_of(following)
    later = following if end <= now_ms else None
    return Window(span, start_of(first), end, size, _step(span, first, -1), later)


def parse_day(text: str) -> date | None:
    """A date as it stands in an address, or nothing when it is none."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if FIRST_YEAR <= day.year <= LAST_YEAR else None


def ticks(view: Window, formats: Formats) -> list[tuple[int, str]]:
    """Where the time axis is marked, and with what words."""
    if view.span == "day":
        first = (view.start // HOUR_MS + 1) * HOUR_MS
        hours = [t for t in range(first, view.end, HOUR_MS) if local(t).hour % 6 == 0]
        return [(t, formats.clock(t)) for t in hours]
    if view.span == "week":
        days = range(midnight(view.start), view.end, DAY_MS)
        return [(t, f"{formats.weekday(t)} {local(t).day}") for t in days if t >= view.start]
    if view.span == "season":
        weeks = range(monday(view.start), view.end, 14 * DAY_MS)
        return [(t, f"{local(t):%d.%m}") for t in weeks if t >= view.start]
    months = [t for t in range(midnight(view.start), view.end, DAY_MS) if local(t).day == 1]
    return [(t, formats.month(t)) for t in months if local(t).month % 2 == 1]


def title(view: Window, formats: Formats) -> str:
    """The stretch in figures: `22.11.2026`, `22.11 11:05 - 23.11 11:05`, `2026`."""
    last = view.end - 2
    if view.span == "day" and view.start == midnight(view.start):
        return formats.day(view.start)
    if view.span == "day":
        ends = [(formats.day(t)[:5], formats.clock(t)) for t in (view.start, view.end - 1)]
        return " – ".join(f"{day} {clock}" for day, clock in ends)
    calendar = view.end == midnight(view.end)
    if view.span == "year" and calendar:
        return str(local(view.start).year)
    return f"{formats.day(view.start)} – {formats.day(last)}"


def _first(span: str, day: date) -> date:
    if span == "week":
        return day - timedelta(days=day.weekday())
    if span == "season":  # winter from December, spring from March, ...
        month = day.month // 3 * 3
        return day.replace(month=month, day=1) if month else date(day.year - 1, 12, 1)
    if span == "year":
        return day.replace(month=1, day=1)
    return day


def _step(span: str, day: date, way: int) -> date | None:
    """A date in the stretch before or after the one that holds `day`."""
    first = _first(span, day)
    if way < 0:
        near = first - timedelta(days=1)
    else:
        near = first + timedelta(days={"day": 1, "week": 7, "season": 93, "year": 367}[span])
    found = _first(span, near)
    return found if FIRST_YEAR <= found.year <= LAST_YEAR else None
