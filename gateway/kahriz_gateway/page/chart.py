# SPDX-License-Identifier: MIT
"""A line chart as SVG, drawn by the gateway, so that the oldest phone shows it without a script.

Measured is a line in its band, estimated a dotted one, by hand a diamond, suspect a ring, below and
above a weir's range an arrow at the bound, missing a hatched stretch, an alarm a red stretch with a
flag: shapes, not colours alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from markupsafe import Markup, escape

from kahriz_detect.charts.marks import round_marks
from kahriz_gateway.page.queries import Bucket

WIDTH, HEIGHT = 340, 190
LEFT, RIGHT, TOP, BOTTOM = 38, 6, 20, 22
GAP = 2.2  # this many steps without a reading are a gap


@dataclass(frozen=True, slots=True)
class Strip:
    """A stretch of alarm on the time axis."""

    start: int
    end: int
    label: str


@dataclass(frozen=True, slots=True)
class Axes:
    """What is asked to be drawn: the stretch, its marks, and how numbers are written."""

    start: int
    end: int
    step_ms: int
    first_ms: int
    due_ms: int
    ticks: list[tuple[int, str]]
    unit: str
    decimals: int
    from_zero: bool
    comma: bool


@dataclass(frozen=True, slots=True)
class _Scale:
    """From time and value to the paper."""

    axes: Axes
    low: float
    high: float

    def x(self, ms: float) -> float:
        part = (ms - self.axes.start) / (self.axes.end - self.axes.start)
        return LEFT + min(1.0, max(0.0, part)) * (WIDTH - LEFT - RIGHT)

    def y(self, value: float) -> float:
        part = (value - self.low) / (self.high - self.low)
        return HEIGHT - BOTTOM - min(1.0, max(0.0, part)) * (HEIGHT - TOP - BOTTOM)


def chart(
    data: list[Bucket],
    axes: Axes,
    strips: Iterable[Strip] = (),
    other: list[Bucket] | None = None,
    *,
    label: str,
    description: str,
    key: str = "chart",
) -> Markup:
    """The drawing; `other` is a second, thinner line; `key` keeps two charts of a page apart."""
    marks = _marks([*data, *(other or [])], axes.from_zero)
    scale = _Scale(axes, marks[0], marks[-1])
    parts = [
        Markup(
            '<svg class="chart" viewBox="0 0 {w} {h}" role="img" aria-labelledby="{k}-t {k}-d">'
            '<title id="{k}-t">{t}</title><desc id="{k}-d">{d}</desc><defs><pattern id="{k}-hatch"'
            ' width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
            '<rect class="hatch" width="2" height="6"/></pattern></defs>'
        ).format(w=WIDTH, h=HEIGHT, k=key, t=label, d=description),
        *_grid(scale, marks),
        *_gaps(data, scale, key),
        *_strips(strips, scale),
        *_band(data, scale),
        *_lines(other or [], scale, "second"),
        *_lines(data, scale, "measured"),
        *_lines(data, scale, "estimated", "estimated"),
        *_bounds(data, scale),
        *_by_hand(data, scale),
        *_suspects(data, scale),
        Markup("</svg>"),
    ]
    return Markup("").join(parts)


def _marks(data: list[Bucket], from_zero: bool) -> list[float]:
    """Four to six round values that hold all there is to draw."""
    lows = [b.low - (b.u or 0) if b.n == 1 else b.low for b in data]
    highs = [b.high + (b.u or 0) if b.n == 1 else b.high for b in data]
    low, high = min(lows, default=0.0), max(highs, default=1.0)
    if from_zero:
        low, high = min(0.0, low) if low < -1e-9 else 0.0, max(high, 1e-3)
    return round_marks(low, high)


def _grid(scale: _Scale, marks: list[float]) -> list[Markup]:
    axes = scale.axes
    decimals = next(
        (d for d in range(4) if all(abs(m - round(m, d)) < 1e-9 for m in marks)), axes.decimals
    )
    parts = [Markup('<text class="unit" x="2" y="11">{}</text>').format(axes.unit)]
    for mark in marks:
        y = scale.y(mark)
        number = f"{mark:.{decimals}f}".replace("-", "\u2212")
        text = number.replace(".", ",") if axes.comma else number
        parts.append(
            Markup(
                '<path class="grid" d="M{x0} {y:.1f}H{x1}"/>'
                '<text class="mark" x="{x:.0f}" y="{ty:.1f}" text-anchor="end">{t}</text>'
            ).format(x0=LEFT, x1=WIDTH - RIGHT, x=LEFT - 4, y=y, ty=y + 4, t=text)
        )
    for ms, text in axes.ticks:
        x = scale.x(ms)
        anchor = "end" if x > WIDTH - 20 else "middle"
        parts.append(
            Markup(
                '<path class="grid" d="M{x:.1f} {y0}V{y1}"/>'
                '<text class="mark" x="{x:.1f}" y="{ty}" text-anchor="{a}">{t}</text>'
            ).format(x=x, y0=TOP, y1=HEIGHT - BOTTOM + 3, ty=HEIGHT - 5, a=anchor, t=text)
        )
    return parts


def _gaps(data: list[Bucket], scale: _Scale, key: str) -> list[Markup]:
    """What was not measured, from the first reading ever to the last that is due."""
    axes = scale.axes
    half = axes.step_ms // 2
    start = max(axes.start, min(axes.first_ms, axes.end))
    measured = (b.ts for b in data if b.sort != "manual")
    moments = [start - half, *measured, max(start, min(axes.end, axes.due_ms)) + half]
    return [
        Markup(
            '<rect class="gap" x="{x:.1f}" y="{y}" width="{w:.1f}" height="{h}" fill="url(#{k})"/>'
        ).format(
            x=scale.x(a + half),
            y=TOP,
            w=max(1.0, scale.x(b - half) - scale.x(a + half)),
            h=HEIGHT - TOP - BOTTOM,
            k=f"{key}-hatch",
        )
        for a, b in pairwise(moments)
        if b - a > GAP * axes.step_ms
    ]


def _strips(strips: Iterable[Strip], scale: _Scale) -> list[Markup]:
    parts = []
    for strip in strips:
        x0, x1 = scale.x(strip.start), scale.x(strip.end)
        right = x0 > WIDTH * 0.6
        parts.append(
            Markup(
                '<rect class="alarm" x="{x:.1f}" y="{y}" width="{w:.1f}" height="{h}"/>'
                '<path class="flag" d="M{x:.1f} {y1}V6h{f}l{g} 4l{b} 4H{x:.1f}"/>'
                '<text class="alarm-text" x="{tx:.1f}" y="14" text-anchor="{a}">{t}</text>'
            ).format(
                x=x0,
                y=TOP,
                w=max(1.5, x1 - x0),
                h=HEIGHT - TOP - BOTTOM,
                y1=HEIGHT - BOTTOM,
                f=-10 if right else 10,
                g=3 if right else -3,
                b=-3 if right else 3,
                tx=x0 - 13 if right else x0 + 13,
                a="end" if right else "start",
                t=strip.label,
            )
        )
    return parts


def _runs(data: list[Bucket], step_ms: int, sort: str) -> list[list[Bucket]]:
    """Stretches of one sort without a gap."""
    runs: list[list[Bucket]] = []
    for bucket in (b for b in data if b.sort == sort):
        if runs and bucket.ts - runs[-1][-1].ts <= GAP * step_ms:
            runs[-1].append(bucket)
        else:
            runs.append([bucket])
    return runs


def _band(data: list[Bucket], scale: _Scale) -> list[Markup]:
    """The uncertainty of single readings, or from the lowest to the highest of a step."""
    parts = []
    for run in _runs(data, scale.axes.step_ms, "measured"):
        up = [(b.ts, max(b.high, b.mean + (b.u or 0))) for b in run]
        down = [(b.ts, min(b.low, b.mean - (b.u or 0))) for b in reversed(run)]
        if len(run) > 1:
            points = " ".join(f"{scale.x(t):.1f},{scale.y(v):.1f}" for t, v in up + down)
            parts.append(Markup('<polygon class="band" points="{}"/>').format(points))
    return parts


def _lines(data: list[Bucket], scale: _Scale, name: str, sort: str = "measured") -> list[Markup]:
    parts = []
    for run in _runs(data, scale.axes.step_ms, sort):
        if len(run) == 1:
            parts.append(_shape("dot", f"M{scale.x(run[0].ts):.1f} {scale.y(run[0].mean):.1f}h0"))
            continue
        points = " ".join(f"{scale.x(b.ts):.1f},{scale.y(b.mean):.1f}" for b in run)
        parts.append(Markup('<polyline class="{}" points="{}"/>').format(name, points))
    return parts


def _bounds(data: list[Bucket], scale: _Scale) -> list[Markup]:
    """A dashed line at the bound; arrows say on which side of it the water is."""
    parts = []
    for sort, way in (("below", 7), ("above", -7)):
        for run in _runs(data, scale.axes.step_ms, sort):
            x0, x1 = scale.x(run[0].ts) - 2, scale.x(run[-1].ts) + 2
            y = scale.y(run[len(run) // 2].mean)
            count = max(1, int((x1 - x0) / 14))
            places = [x0 + (i + 0.5) * (x1 - x0) / count for i in range(count)]
            arrows = "".join(
                f"M{x:.1f} {y:.1f}v{way}m-3 {-way / 2}l3 {way / 2}l3 {-way / 2}" for x in places
            )
            parts.append(_shape("bound", f"M{x0:.1f} {y:.1f}H{x1:.1f}"))
            parts.append(_shape("arrow", arrows))
    return parts


def _suspects(data: list[Bucket], scale: _Scale) -> list[Markup]:
    return [
        Markup('<circle class="suspect" cx="{x:.1f}" cy="{y:.1f}" r="2.6"/>').format(
            x=scale.x(b.ts), y=scale.y(b.mean)
        )
        for b in data
        if b.sort == "suspect"
    ]


def _by_hand(data: list[Bucket], scale: _Scale) -> list[Markup]:
    """A diamond for each reading of a person."""
    return [
        _shape("manual", f"M{scale.x(b.ts):.1f} {scale.y(b.mean) - 4.5:.1f}l4 4.5l-4 4.5l-4 -4.5z")
        for b in data
        if b.sort == "manual"
    ]


def _shape(name: str, path: str) -> Markup:
    return Markup('<path class="{}" d="{}"/>').format(name, escape(path))
