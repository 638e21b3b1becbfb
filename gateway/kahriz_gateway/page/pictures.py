# SPDX-License-Identifier: MIT
"""The chart of one quantity of one point over one stretch of time, with what it covers."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from kahriz_water.plan import Plan, Point
from markupsafe import Markup

from kahriz_gateway.page import labels, queries
from kahriz_gateway.page.chart import Axes, Strip, chart
from kahriz_gateway.page.quantities import Quantity, label, unit
from kahriz_gateway.page.queries import Bucket
from kahriz_gateway.page.span import Window, ticks, title
from kahriz_gateway.page.words import Speech

RAINY = ("leak", "tapping", "source_drop", "blockage", "collapse", "fouled_weir")


@dataclass(frozen=True, slots=True)
class Picture:
    """A drawn chart and what it says in numbers."""

    svg: Markup
    title: str
    data: list[Bucket]
    sorts: set[str]
    mean: float | None
    low: float | None
    high: float | None
    percent: int
    gaps: bool


def picture(
    conn: sqlite3.Connection,
    plan: Plan,
    speech: Speech,
    point: Point,
    what: Quantity,
    view: Window,
    now_ms: int,
) -> Picture:
    """Ask for the data of a stretch and draw them."""
    span = (view.start, view.end)
    data = queries.buckets(conn, point.id, what, span, view.bucket_ms)
    places = {point.id} | {r.id for r in plan.reaches if point.id in (r.from_, r.to)}
    strips = [
        Strip(max(a.raised, view.start), min(a.closed or now_ms, view.end), text)
        for a in queries.alarms_between(conn, places, span)
        if a.kind in RAINY
        for text in [labels.alarm_kind(speech, a.kind)]
    ]
    measured = [b for b in data if b.sort == "measured"]
    total = sum(b.n for b in measured)
    mean = sum(b.mean * b.n for b in measured) / total if total else None
    low = min((b.low for b in measured), default=None)
    high = max((b.high for b in measured), default=None)
    stretch = title(view, speech.format)
    axes = Axes(
        view.start,
        view.end,
        view.bucket_ms,
        now_ms,
        ticks(view, speech.format),
        unit(speech, what),
        what.decimals,
        what.from_zero,
        comma=speech.language != "en",
    )
    percent = _percent(data, point, view, now_ms)
    heading = f"{point.name.of(speech.language)}: {label(speech, what)}, {stretch}"
    svg = chart(
        data,
        axes,
        strips,
        label=heading,
        description=_description(speech, what, mean, low, high, percent),
    )
    sorts = {b.sort for b in data} | ({"alarm"} if strips else set())
    return Picture(svg, stretch, data, sorts, mean, low, high, percent, 'class="gap"' in svg)


def _percent(data: list[Bucket], point: Point, view: Window, now_ms: int) -> int:
    """The share of the readings due in a stretch, up to now, that are there."""
    due = (min(view.end, max(now_ms, view.start)) - view.start) / (point.dt_s * 1000)
    held = sum(b.n for b in data)
    return min(100, int(100 * held / due)) if due >= 1 else 100


def _description(
    speech: Speech,
    what: Quantity,
    mean: float | None,
    low: float | None,
    high: float | None,
    percent: int,
) -> str:
    """What the picture shows, for those who hear the page."""
    covered = speech.text("measured %(percent)s %% of the time", percent=percent)
    if mean is None or low is None or high is None:
        return covered
    mean_text, low_text, high_text = (
        f"{speech.format.number(v, what.decimals)} {unit(speech, what)}" for v in (mean, low, high)
    )
    numbers = speech.text(
        "mean %(mean)s, lowest %(low)s, highest %(high)s",
        mean=mean_text,
        low=low_text,
        high=high_text,
    )
    return f"{numbers}; {covered}"
