# SPDX-License-Identifier: MIT
"""What a stretch of time is laid beside: the same week last year, days after a renovation."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, replace

from kahriz_gateway.page import queries
from kahriz_gateway.page.format import DAY_MS, start_of
from kahriz_gateway.page.quantities import Quantity
from kahriz_gateway.page.queries import Bucket
from kahriz_gateway.page.span import Window
from kahriz_gateway.page.words import Speech, mark
from kahriz_water.site import Plan, Point

LAST_YEAR_MS = 52 * 7 * DAY_MS  # whole weeks: a Monday stays beside a Monday
NAMES = {"year": mark("A year before"), "renovated": mark("After the renovation")}


@dataclass(frozen=True, slots=True)
class Beside:
    """Another stretch of the same point, moved by so much onto this one."""

    key: str
    shift_ms: int

    def name(self, speech: Speech, view: Window) -> str:
        day = speech.format.day(view.start - self.shift_ms)
        return speech.text("%(what)s, from %(day)s", what=speech.text(NAMES[self.key]), day=day)


def known(plan: Plan, view: Window, edges: tuple[int, int]) -> list[Beside]:
    """The comparisons for which there is anything."""
    found = [Beside("year", LAST_YEAR_MS)]
    if plan.page.renovated is not None:
        after = start_of(plan.page.renovated) + DAY_MS
        found.append(Beside("renovated", view.start - after))
    return [
        b
        for b in found
        if b.shift_ms and edges[0] < view.end - b.shift_ms and edges[1] >= view.start - b.shift_ms
    ]


def data(conn: sqlite3.Connection, point: Point, what: Quantity, view: Window) -> list[Bucket]:
    """Every reading of a short stretch or the means of a long one, by how they came to be."""
    span = (view.start, view.end)
    single = view.bucket_ms <= point.dt_s * 1000
    found = (
        queries.readings(conn, point.id, what, span)
        if single
        else queries.buckets(conn, point.id, what, span, view.bucket_ms)
    )
    guessed = queries.guessed(conn, point.node, span)
    if guessed:
        half = 0 if single else view.bucket_ms // 2
        found = [_timed(b, guessed, half) for b in found]
    by_hand = queries.by_hand(conn, point.id, what, span)
    return sorted([*found, *by_hand], key=lambda b: b.ts) if by_hand else found


def moved(
    conn: sqlite3.Connection, point: Point, what: Quantity, view: Window, shift_ms: int
) -> list[Bucket]:
    """The data of another stretch, at the times of this one."""
    then = replace(view, start=view.start - shift_ms, end=view.end - shift_ms)
    return [replace(b, ts=b.ts + shift_ms) for b in data(conn, point, what, then)]


def _timed(bucket: Bucket, guessed: list[int], half_ms: int) -> Bucket:
    """Estimated when at least half of its times are."""
    if bucket.sort != "measured":
        return bucket
    count = sum(bucket.ts - half_ms <= ts <= bucket.ts + half_ms for ts in guessed)
    return replace(bucket, sort="estimated") if 2 * count >= bucket.n else bucket
