# SPDX-License-Identifier: MIT
"""The chart of one quantity of one point over one stretch of time, with what it covers."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from markupsafe import Markup

from kahriz_alarms import messages
from kahriz_gateway.page import beside, labels, queries
from kahriz_gateway.page.beside import Beside
from kahriz_gateway.page.chart import Axes, Strip, chart
from kahriz_gateway.page.nodes import late_ms
from kahriz_gateway.page.quantities import Quantity, label, unit
from kahriz_gateway.page.queries import Bucket
from kahriz_gateway.page.span import Window, ticks, title
from kahriz_gateway.page.view import WATER_ALARMS
from kahriz_gateway.page.words import Speech
from kahriz_water.site import Plan, Point

DRAWN = (*WATER_ALARMS, "decline", "fouled_weir")


@dataclass(frozen=True, slots=True)
class Picture:
    """A drawn chart and what it says in words."""

    svg: Markup
    title: str
    data: list[Bucket]
    sorts: set[str]
    sums: Sums
    percent: int
    gaps: bool
    other: str


@dataclass(frozen=True, slots=True)
class Sums:
    """Mean, lowest and highest in words; what a weir could only bound stays a bound."""

    mean: str = "–"
    low: str = "–"
    high: str = "–"


def picture(
    conn: sqlite3.Connection,
    plan: Plan,
    speech: Speech,
    point: Point,
    what: Quantity,
    view: Window,
    now_ms: int,
    other: Point | None = None,
    by: Beside | None = None,
) -> Picture:
    """Ask for the data of a stretch and draw them, beside another point or another time."""
    span = (view.start, view.end)
    data = beside.data(conn, point, what, view)
    edges = queries.edges(conn, point.id, what)
    first_ms, due_ms = _due(edges, point, now_ms)
    places = {point.id} | {r.id for r in plan.reaches if point.id in (r.from_, r.to)}
    strips = [
        Strip(max(a.raised, view.start), min(a.closed or now_ms, view.end), text)
        for a in queries.alarms_between(conn, places, span)
        if a.kind in DRAWN
        for text in [messages.kind(a, speech.language)]
    ]
    second = beside.data(conn, other, what, view) if other else []
    if by is not None:
        second = beside.moved(conn, point, what, view, by.shift_ms)
    stretch = title(view, speech.format)
    axes = Axes(
        view.start,
        view.end,
        view.bucket_ms,
        first_ms,
        due_ms,
        ticks(view, speech.format),
        unit(speech, what),
        what.decimals,
        what.from_zero,
        comma=speech.language != "en",
    )
    percent = _percent(data, point, view, first_ms, due_ms)
    heading = f"{point.name.of(speech.language)}: {label(speech, what)}, {stretch}"
    totals = sums(speech, what, data)
    spoken = speech.text(
        "mean %(mean)s, lowest %(low)s, highest %(high)s; measured %(percent)s %% of the time",
        mean=totals.mean,
        low=totals.low,
        high=totals.high,
        percent=percent,
    )
    svg = chart(data, axes, strips, second, label=heading, description=spoken)
    sorts = {b.sort for b in data} | ({"alarm"} if strips else set())
    name = other.name.of(speech.language) if other else by.name(speech, view) if by else ""
    name = name if second else ""
    return Picture(svg, stretch, data, sorts, totals, percent, 'class="gap"' in svg, name)


def _due(edges: tuple[int, int] | None, point: Point, now_ms: int) -> tuple[int, int]:
    """From when to when readings are due: what the node has yet to send is not missing."""
    if edges is None:
        return now_ms, now_ms
    first, last = edges
    waiting = 0 <= now_ms - last <= late_ms(point.dt_s, point.batch)
    return first, last + point.dt_s * 1000 if waiting else now_ms


def _percent(data: list[Bucket], point: Point, view: Window, first_ms: int, due_ms: int) -> int:
    """The share of the readings due that are there."""
    start = max(view.start, first_ms)
    due = (min(view.end, due_ms) - start) // (point.dt_s * 1000)
    held = sum(b.n for b in data if b.sort != "manual")
    return min(100, int(100 * held / due)) if due >= 1 else 100


def sums(speech: Speech, what: Quantity, data: list[Bucket]) -> Sums:
    """Suspect and manual ones do not count; bounded ones make the mean a range, an `at least`."""
    fit = [b for b in data if b.sort not in ("suspect", "manual")]
    count = sum(b.n for b in fit)
    if not count:
        return Sums()

    def written(value: float, side: str = "") -> str:
        number = f"{speech.format.number(value, what.decimals)}\u00a0{unit(speech, what)}"
        return labels.bound(speech, side, number.rstrip("\u00a0"))

    least = sum(b.mean * b.n for b in fit if b.sort != "below") / count
    most = sum(b.mean * b.n for b in fit) / count
    if any(b.sort == "above" for b in fit):
        mean = labels.bound(speech, "above", written(least))
    elif most > least:
        mean = f"{speech.format.number(least, what.decimals)}\u00a0…\u00a0{written(most)}"
    else:
        mean = written(most)
    low = min(fit, key=lambda b: (b.sort != "below", b.low))
    high = max(fit, key=lambda b: (b.sort == "above", b.high))
    below, above = low.sort == "below", high.sort == "above"
    return Sums(
        mean,
        written(low.high if below else low.low, "below" if below else ""),
        written(
            high.low if above else high.high,
            high.sort if high.sort in ("below", "above") else "",
        ),
    )
