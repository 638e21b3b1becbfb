# SPDX-License-Identifier: MIT
"""Output to CSV files: <folder>/<point>/<point>-2026-11-23.csv, or -2026-11.csv a month.

A day is one of the site's own time zone. What comes in order is appended; where a value has
changed, come late or gone, its file is made anew from the store.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from kahriz_gateway.outputs import DeliveryError
from kahriz_gateway.outputs.csv_file import append, write_file
from kahriz_gateway.village.changes import Span
from kahriz_gateway.village.moments import values_in
from kahriz_water.plan import ConfigError
from kahriz_water.site import Plan
from kahriz_water.value import Value

Row = tuple[int, list[Value]]


class CsvFiles:
    """All files of a site."""

    def __init__(self, folder: Path, a: str, zone: tzinfo) -> None:
        self._folder = folder
        self._a = a
        self._zone = zone

    def refresh(self, conn: sqlite3.Connection, spans: Sequence[Span]) -> None:
        touched: dict[tuple[str, datetime], list[Span]] = {}
        for span in spans:
            for start, piece in self._pieces(span):
                touched.setdefault((span.point, start), []).append(piece)
        try:
            for (point, start), pieces in touched.items():
                path = self._path(point, start)
                rows = _rows(values_in(conn, pieces))
                times = {ts for ts, _ in rows}
                gone = any(a == b and a not in times for _, a, b in pieces)
                if gone or not append(path, rows, self._zone):
                    write_file(path, self._stored(conn, point, start), self._zone)
        except OSError as error:
            said = f"cannot write {error.filename or self._folder} ({error.strerror})"
            raise DeliveryError(said, permanent=False) from error

    def _pieces(self, span: Span) -> Iterator[tuple[datetime, Span]]:
        """A span cut where its files end."""
        a = span.a
        while a <= span.b:
            start = self._start(a)
            end = round(self._after(start).timestamp() * 1000)
            yield start, Span(span.point, a, min(span.b, end - 1))
            a = end

    def _stored(self, conn: sqlite3.Connection, point: str, start: datetime) -> list[Row]:
        low, high = (round(each.timestamp() * 1000) for each in (start, self._after(start)))
        return _rows(values_in(conn, [Span(point, low, high - 1)]))

    def _start(self, ts: int) -> datetime:
        """Midnight of the day, or of the month's first day, that a time lies in."""
        at = datetime.fromtimestamp(ts / 1000, self._zone)
        day = 1 if self._a == "month" else at.day
        return datetime(at.year, at.month, day, tzinfo=self._zone)

    def _after(self, start: datetime) -> datetime:
        if self._a == "day":
            return datetime(start.year, start.month, start.day, tzinfo=self._zone) + timedelta(1)
        year, month = (start.year + start.month // 12, start.month % 12 + 1)
        return datetime(year, month, 1, tzinfo=self._zone)

    def _path(self, point: str, start: datetime) -> Path:
        stamp = start.strftime("%Y-%m" if self._a == "month" else "%Y-%m-%d")
        return self._folder / point / f"{point}-{stamp}.csv"


def from_plan(plan: Plan, data_dir: Path) -> CsvFiles:
    """The files a plan asks for; a folder that is not absolute lies in the data folder."""
    assert plan.csv is not None
    return CsvFiles(data_dir / plan.csv.folder, plan.csv.a, zone_of(plan))


def zone_of(plan: Plan) -> tzinfo:
    try:
        return ZoneInfo(plan.timezone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ConfigError(
            "site.timezone", "a zone that this machine knows, such as Asia/Baku", plan.timezone
        ) from error


def _rows(values: Sequence[Value]) -> list[Row]:
    rows: dict[int, list[Value]] = {}
    for value in values:
        rows.setdefault(value.ts, []).append(value)
    return sorted(rows.items())
