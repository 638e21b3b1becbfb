# SPDX-License-Identifier: MIT
"""The picture of an alarm: small, whole, honest about gaps, readable by any converter."""

from __future__ import annotations

import random
import xml.etree.ElementTree as ET

from kahriz_detect.charts.chart import Evidence, Line, Panel, chart_svg

STEP_MS = 600_000
SVG = "{http://www.w3.org/2000/svg}"


def _evidence(*panels: Panel, steps: int = 300, title: str = "leak") -> Evidence:
    return Evidence(title, panels, 0, steps * STEP_MS, steps * STEP_MS, "raised", STEP_MS)


def _line(steps: int = 300, gap: range = range(0), label: str = "outlet") -> Line:
    noise = random.Random(steps)
    return Line(label, [(i * STEP_MS, 12 + noise.random()) for i in range(steps) if i not in gap])


def test_a_year_of_six_lines_is_at_most_60_kb() -> None:
    lines = tuple(_line(52_560, label=str(i)) for i in range(3))
    svg = chart_svg(_evidence(Panel("L/s", lines), Panel("m", lines), steps=52_560))
    assert len(svg.encode()) <= 60_000


def test_a_gap_is_not_drawn_over() -> None:
    whole = chart_svg(_evidence(Panel("L/s", (_line(),))))
    broken = chart_svg(_evidence(Panel("L/s", (_line(gap=range(100, 150)),))))
    assert (whole.count("<polyline"), broken.count("<polyline")) == (1, 2)


def test_a_spike_among_a_year_of_readings_is_seen() -> None:
    points = [(i * STEP_MS, 400.0 if i == 30_001 else 12.0) for i in range(52_560)]
    svg = chart_svg(_evidence(Panel("L/s", (Line("outlet", points),)), steps=52_560))
    (line,) = ET.fromstring(svg).iter(f"{SVG}polyline")
    heights = {float(p.split(",")[1]) for p in line.attrib["points"].split()}
    assert len(heights) == 2


def test_limit_moment_and_beginning_are_drawn_and_words_are_escaped() -> None:
    panel = Panel("L/s", (_line(label="<outlet> & co"),), (2.5,), "limit")
    svg = chart_svg(_evidence(panel, title='a "leak" < 2 & more'))
    root = ET.fromstring(svg)
    texts = [t.text for t in root.iter(f"{SVG}text")]
    assert {"<outlet> & co", "limit", 'a "leak" < 2 & more', "raised"} <= set(texts)
    dashed = [p for p in root.iter(f"{SVG}path") if p.attrib.get("stroke-dasharray") == "4 2"]
    assert len(dashed) == 2  # across the panel, and in the legend


def test_nothing_measured_and_values_that_are_no_numbers_still_make_a_picture() -> None:
    odd = Line("odd", [(0, float("nan")), (STEP_MS, float("inf"))])
    for panels in ((), (Panel("L/s", ()),), (Panel("L/s", (odd,)),)):
        ET.fromstring(chart_svg(_evidence(*panels)))
    ET.fromstring(chart_svg(Evidence("", (Panel("", (odd,)),), 5, 5, 5)))


def test_it_needs_no_style_sheet_and_no_script() -> None:
    svg = chart_svg(_evidence(Panel("L/s", (_line(),))))
    names = {e.tag.removeprefix(SVG) for e in ET.fromstring(svg).iter()}
    assert names <= {"svg", "rect", "text", "path", "polyline", "circle"}
