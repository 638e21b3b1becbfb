# SPDX-License-Identifier: MIT
"""The evidence of an alarm as one small picture: `chart_svg(evidence) -> str`, SVG, nothing else.

Panels lie under each other on one time axis: what was measured, then the residual with its limit.
A grey stripe runs from when it began to when the alarm was raised. Everything is an attribute of
its element, no style sheet and no script, so that a converter to PNG draws the same.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from xml.sax.saxutils import escape, quoteattr

from kahriz_detect.charts.marks import round_marks
from kahriz_detect.numbers.middle import median

WIDTH, PANEL, TITLE, FOOT = 640, 150, 26, 26  # pixels; a panel has its legend above it
LEFT, RIGHT, LEGEND, AIR = 52, 12, 24, 8
POINTS = 2400  # of all lines together: 60 kB hold twice as many
GAP = 3.5  # usual distances between two readings are a gap
# dash and colour: four lines are told apart without the colours
INKS = (("", "#1f4e9c"), ("7 3", "#b3541e"), ("2 3", "#2f7d3b"), ("9 3 2 3", "#6b3fa0"))
LIMIT, ALARM, GRID, TEXT = "#c00000", "#c00000", "#d8d8d8", "#222222"
STEPS_H = (1, 2, 3, 6, 12, 24, 48, 96, 168, 336, 720, 1440)
HOUR_MS, DAY_MS = 3_600_000, 86_400_000

Points = Sequence[tuple[int, float]]


@dataclass(frozen=True, slots=True)
class Line:
    """Values in order of time (ms); they need not be evenly spaced."""

    label: str
    points: Points


@dataclass(frozen=True, slots=True)
class Panel:
    """Lines of one unit, and values that are drawn across as limits."""

    unit: str
    lines: tuple[Line, ...]
    limits: tuple[float, ...] = ()
    limit_label: str = ""
    from_zero: bool = False


@dataclass(frozen=True, slots=True)
class Evidence:
    """What an alarm rests on. All words come from the caller, in its reader's language."""

    title: str
    panels: tuple[Panel, ...]
    start_ms: int
    end_ms: int
    at_ms: int  # the moment at which it was raised
    at_label: str = ""
    since_ms: int | None = None  # when it began, as far as that is known
    offset_ms: int = 0  # of the reader's clock to UTC
    comma: bool = False  # 1,5 instead of 1.5


def chart_svg(evidence: Evidence) -> str:
    """The picture, at most 60 kB.

    Examples
    --------
    >>> up = Line("outlet", [(0, 12.0), (600_000, 12.0)])
    >>> svg = chart_svg(Evidence("leak", (Panel("L/s", (up,)),), 0, 600_000, 600_000))
    >>> svg.startswith("<svg"), svg.count("<polyline")
    (True, 1)
    """
    panels = evidence.panels
    height = TITLE + len(panels) * (PANEL + LEGEND + AIR) + FOOT
    count = sum(len(p.lines) for p in panels)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}"'
        f' height="{height}" font-family="DejaVu Sans, sans-serif" font-size="12"'
        f' fill="{TEXT}" role="img" aria-label={quoteattr(evidence.title)}>',
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        _text(8, 18, _cut(evidence.title, 52), "start", ' font-size="14" font-weight="bold"'),
        _text(WIDTH - RIGHT, 18, _cut(evidence.at_label, 30), "end", f' fill="{ALARM}"'),
    ]
    top = TITLE
    for number, panel in enumerate(panels):
        top += LEGEND
        last = number == len(panels) - 1
        parts += _panel(evidence, panel, top, POINTS // max(1, count), last)
        top += PANEL + AIR
    parts.append("</svg>")
    return "".join(parts)


@dataclass(frozen=True, slots=True)
class _Scale:
    start: int
    end: int
    low: float
    high: float
    top: float

    def x(self, ms: float) -> float:
        part = (ms - self.start) / max(1, self.end - self.start)
        return LEFT + min(1.0, max(0.0, part)) * (WIDTH - LEFT - RIGHT)

    def y(self, value: float) -> float:
        part = (value - self.low) / (self.high - self.low)
        return self.top + PANEL - min(1.0, max(0.0, part)) * PANEL


def _panel(e: Evidence, panel: Panel, top: float, most: int, last: bool) -> list[str]:
    lines = [_clean(line, e) for line in panel.lines]
    marks = _marks(panel, lines)
    scale = _Scale(e.start_ms, e.end_ms, marks[0], marks[-1], top)
    parts = _stripe(e, scale)
    decimals = next((d for d in range(4) if all(abs(m - round(m, d)) < 1e-9 for m in marks)), 4)
    for mark in marks:
        y = scale.y(mark)
        parts.append(_rule(LEFT, y, WIDTH - RIGHT, y, GRID))
        number = f"{mark:.{decimals}f}".replace("-", "\u2212")
        parts.append(_text(LEFT - 5, y + 4, number.replace(".", ",") if e.comma else number, "end"))
    parts += _times(e, scale, last)
    for limit in panel.limits:
        y = scale.y(limit)
        parts.append(_rule(LEFT, y, WIDTH - RIGHT, y, LIMIT, ' stroke-dasharray="4 2"'))
    for (dash, ink), (_, points) in zip(_inks(len(lines)), lines, strict=True):
        parts += _polylines(points, most, scale, dash, ink)
    return parts + _legend(panel, top)


def _clean(line: Line, e: Evidence) -> tuple[str, list[tuple[int, float]]]:
    kept = [(t, v) for t, v in line.points if e.start_ms <= t <= e.end_ms and math.isfinite(v)]
    return line.label, kept


def _inks(count: int) -> list[tuple[str, str]]:
    return [INKS[i % len(INKS)] for i in range(count)]


def _marks(panel: Panel, lines: list[tuple[str, list[tuple[int, float]]]]) -> list[float]:
    """Four to six round values that hold all there is to draw."""
    values = [v for _, points in lines for _, v in points] + [*panel.limits]
    if panel.from_zero or not values:
        values.append(0.0)
    return round_marks(min(values), max(values))


def _thin(points: list[tuple[int, float]], most: int) -> list[tuple[int, float]]:
    """The lowest and highest of each stretch: a spike stays a spike."""
    if len(points) <= most:
        return points
    size = math.ceil(2 * len(points) / max(2, most))
    found = []
    for i in range(0, len(points), size):
        part = points[i : i + size]
        ends = {min(part, key=lambda p: p[1]), max(part, key=lambda p: p[1])}
        found += sorted(ends)
    return found


def _polylines(
    points: list[tuple[int, float]], most: int, scale: _Scale, dash: str, ink: str
) -> list[str]:
    """A line stops at a gap; a reading alone is a dot."""
    if not points:
        return []
    usual = median(b[0] - a[0] for a, b in pairwise(points)) if len(points) > 1 else 0
    runs = [[points[0]]]
    for a, b in pairwise(points):
        if b[0] - a[0] > GAP * usual:
            runs.append([])
        runs[-1].append(b)
    if len(runs) > most // 4:  # more gaps than can be seen
        runs = [points]
    dashes = f' stroke-dasharray="{dash}"' if dash else ""
    parts = []
    for run in runs:
        if len(run) == 1:
            x, y = scale.x(run[0][0]), scale.y(run[0][1])
            parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="1.6" fill="{ink}"/>')
            continue
        thin = _thin(run, most * len(run) // len(points))
        path = " ".join(f"{scale.x(t):.1f},{scale.y(v):.1f}" for t, v in thin)
        parts.append(
            f'<polyline points="{path}" fill="none" stroke="{ink}" stroke-width="1.6"{dashes}/>'
        )
    return parts


def _stripe(e: Evidence, scale: _Scale) -> list[str]:
    """From when it began to the moment; the moment is a line with a flag."""
    at = scale.x(e.at_ms)
    parts = []
    if e.since_ms is not None:
        x = scale.x(e.since_ms)
        parts.append(
            f'<rect x="{x:.1f}" y="{scale.top:.1f}" width="{max(1.0, at - x):.1f}"'
            f' height="{PANEL}" fill="#f3dede"/>'
        )
    parts.append(_rule(at, scale.top - 4, at, scale.top + PANEL, ALARM, ' stroke-width="2"'))
    return parts


def _times(e: Evidence, scale: _Scale, last: bool) -> list[str]:
    hours = (e.end_ms - e.start_ms) / HOUR_MS
    step_h = next((s for s in STEPS_H if hours / s <= 8), STEPS_H[-1])
    step = step_h * HOUR_MS
    first = -(-(e.start_ms + e.offset_ms) // step) * step
    parts = []
    for local in range(first, e.end_ms + e.offset_ms + 1, step):
        x = scale.x(local - e.offset_ms)
        parts.append(_rule(x, scale.top, x, scale.top + PANEL, GRID))
        if last:
            moment = datetime.fromtimestamp(local / 1000, UTC)
            text = f"{moment:%d.%m}" if local % DAY_MS == 0 else f"{moment:%H:%M}"
            parts.append(_text(min(x, WIDTH - 24), scale.top + PANEL + 16, text, "middle"))
    return parts


def _legend(panel: Panel, top: float) -> list[str]:
    y, x = top - 9, float(LEFT)
    parts = [_text(LEFT - 5, y, panel.unit, "end")]
    samples = [(f' stroke-dasharray="{d}"' if d else "", i) for d, i in _inks(len(panel.lines))]
    labels = [line.label for line in panel.lines]
    if panel.limits and panel.limit_label:
        samples.append((' stroke-dasharray="4 2"', LIMIT))
        labels.append(panel.limit_label)
    room = (WIDTH - LEFT - RIGHT) / max(1, len(labels))
    for (dash, ink), label in zip(samples, labels, strict=True):
        parts.append(_rule(x, y - 4, x + 22, y - 4, ink, f'{dash} stroke-width="1.6"'))
        parts.append(_text(x + 27, y, _cut(label, int((room - 30) / 6.6)), "start"))
        x += room
    return parts


def _rule(x0: float, y0: float, x1: float, y1: float, ink: str, more: str = "") -> str:
    return f'<path d="M{x0:.1f} {y0:.1f}L{x1:.1f} {y1:.1f}" stroke="{ink}" fill="none"{more}/>'


def _text(x: float, y: float, text: str, anchor: str, more: str = "") -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{more}'
    return f"<text {place}>{escape(text)}</text>"


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: max(1, most - 1)] + "…"
