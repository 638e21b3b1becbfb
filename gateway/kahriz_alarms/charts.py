# SPDX-License-Identifier: MIT
"""The chart beside a message: the evidence of an alarm in its reader's language, and as PNG."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from kahriz_alarms import messages, rota
from kahriz_alarms.alarm import Alarm
from kahriz_alarms.messages import mark, translate
from kahriz_detect.charts.chart import chart_svg
from kahriz_detect.charts.evidence import Series, Words, evidence_of
from kahriz_detect.finding import RAISED, Finding
from kahriz_detect.site_plan import site_of
from kahriz_water.site import Plan

WORDS = {
    "raised": mark("raised"),
    "lost": mark("lost beyond normal"),
    "used": mark("used beyond usual"),
    "limit": mark("limit"),
    "before": mark("before"),
    "expected": mark("expected"),
}
FONTS = (Path("/usr/share/fonts"), Path("/usr/local/share/fonts"), Path.home() / ".fonts")
SCALE = 1.5  # of the drawing's 640 pixels: a telephone's width


def chart(alarm: Alarm, plan: Plan, language: str, series: Series) -> bytes | None:
    """SVG, at most 60 kB; None for an alarm that is not about water or a sensor in it."""
    site = site_of(plan)
    places = {r.id for r in plan.reaches} | {p.id for p in plan.points}
    if alarm.place not in places or alarm.kind == "silent_node":
        return None
    finding = Finding(
        RAISED,
        alarm.kind,
        alarm.place,
        alarm.raised,
        alarm.lps,
        alarm.lps_u,
        alarm.m3,
        dict(alarm.evidence),
    )
    zone = rota.local(plan, alarm.raised).utcoffset()
    drawn = evidence_of(
        site,
        finding,
        series,
        title=f"{messages.kind(alarm, language)}: {messages.place(plan, alarm.place, language)}",
        at_label=f"{translate(WORDS['raised'], language)} {messages.moment(alarm.raised)}",
        words=Words(**{key: translate(text, language) for key, text in WORDS.items()}),
        names={p.id: p.name.of(language) for p in plan.points},
        offset_ms=0 if zone is None else round(zone.total_seconds() * 1000),
        comma=language != "en",
    )
    if not any(line.points for panel in drawn.panels for line in panel.lines):
        return None
    return chart_svg(drawn).encode()


def png(svg: bytes) -> bytes | None:
    """The same as PNG; None where the drawer or any font is missing: a chart without its numbers
    would say nothing."""
    try:
        import resvg_py
    except ImportError:
        return None
    if not has_fonts():
        return None
    try:
        return bytes(resvg_py.svg_to_bytes(svg_string=svg.decode(), zoom=SCALE))
    except ValueError:  # no drawing: the file itself goes
        return None


@cache
def has_fonts() -> bool:
    return any(next(folder.rglob("*.[ot]tf"), None) is not None for folder in FONTS)
