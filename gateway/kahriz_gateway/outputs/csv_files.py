# SPDX-License-Identifier: MIT
"""Output to CSV files: <folder>/<point>/<point>-2026-11-23.csv, or -2026-11.csv a month.

A day is one of the site's own time zone. What comes in order is appended; where a value has
changed, come late or gone, its file is made anew from the store.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from kahriz_gateway.outputs import DeliveryError
from kahriz_gateway.outputs.csv_file import append, write_file
from kahriz_gateway.village_moments import Moment, moments_from, values_at
from kahriz_gateway.village_store import quantities_of
from kahriz_water.plan import ConfigError
from kahriz_water.site import Plan
from kahriz_water.value import Value

ALL = 1_000_000  # moments of a month; one a second would be 2.7 million

Row = tuple[int, list[Value]]


class CsvFiles:
    """All files of a site."""

    def __init__(self, folder: Path, a: str, zone: tzinfo) -> None:
        self._folder = folder
        self._a = a
        self._zone = zone

    def refresh(self, conn: sqlite3.Connection, moments: Sequence[Moment]) -> None:
        touched: dict[tuple[str, datetime], list[Moment]] = {}
        for point, ts in moments:
            touched.setdefault((point, self._start(ts)), []).append((point, ts))
        try:
            for (point, start), some in touched.items():
                path = self._path(point, start)
                rows = _rows(values_at(conn, some))
                complete = len(rows) == len(some)  # else something was taken back
                if not (complete and append(path, rows, self._zone)):
                    write_file(path, self._stored(conn, point, start), self._zone)
        except OSError as error:
            said = f"cannot write {error.filename or self._folder} ({error.strerror})"
            raise DeliveryError(said, permanent=False) from error

    def _stored(self, conn: sqlite3.Connection, point: str, start: datetime) -> list[Row]:
        if not quantities_of(conn, point):
            return []
        low, high = (round(each.timestamp() * 1000) for each in (start, self._after(start)))
        _, moments = moments_from(conn, point, low, ALL, high)
        return _rows(values_at(conn, moments))

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
