# SPDX-License-Identifier: MIT
"""What `kahriz hardware weir` draws: a plate to cut, a staff gauge that prints true."""

from __future__ import annotations

import csv
import io
import json
import math
import xml.etree.ElementTree as ET
from itertools import groupby, pairwise
from pathlib import Path

import ezdxf
import pytest
import resvg_py
from PIL import Image

from tests.hardware.test_weir import ask_weir

DOTS = 10  # a millimetre


def drawn(svg: str) -> Image.Image:
    """The page as a printer lays it down."""
    png = bytes(resvg_py.svg_to_bytes(svg_string=svg, dpi=25.4 * DOTS, background="white"))
    image = Image.open(io.BytesIO(png)).convert("L")
    assert image.size == (210 * DOTS, 297 * DOTS)
    return image


def lines_mm(strip: Image.Image) -> list[float]:
    """Middles of what is black along a strip one dot wide."""
    found, at = [], 0
    for dark, group in groupby(dot < 128 for dot in strip.tobytes()):
        size = sum(1 for _ in group)
        if dark:
            found.append((at + size / 2) / DOTS)
        at += size
    return found


def test_the_drawings_are_of_one_plate(tmp_path: Path) -> None:
    said = ask_weir("--out", str(tmp_path), max_lps=12, min_lps=3)
    assert said.exit_code == 0, said.output
    polyline = ezdxf.readfile(tmp_path / "plate.dxf").modelspace().query("LWPOLYLINE").first
    assert polyline is not None
    points = [(x, y) for x, y, *_ in polyline.get_points()]
    assert (0.0, 0.0) in points
    (left, top), (right, _) = points[5], points[3]
    assert math.degrees(2 * math.atan((right - left) / 2 / top)) == pytest.approx(90.0, abs=0.01)
    svg = (tmp_path / "plate.svg").read_text()
    width = max(x for x, _ in points) - min(x for x, _ in points)
    assert f'width="{width:.1f}mm"' in svg
    table = list(csv.DictReader((tmp_path / "rating.csv").open()))
    by_stage = {row["stage_mm"]: float(row["discharge_lps"]) for row in table}
    assert by_stage["100"] == pytest.approx(4.413, rel=0.005)
    assert "0" not in by_stage
    gauge = (tmp_path / "staff-gauge-1.svg").read_text()
    assert "&lt; 1.2" in gauge
    assert ">4.4<" in gauge


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    said = ask_weir("--out", str(tmp_path / "file" / "plate"), max_lps=12, min_lps=3)
    assert said.exit_code == 1
    assert str(tmp_path / "file" / "plate") in said.output


SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize(("max_lps", "min_lps", "wide_m"), [(2, 0.6, 0.9), (125, 15, 1.2)])
def test_a_printed_staff_gauge_is_as_long_as_the_water_is_deep(
    tmp_path: Path, max_lps: float, min_lps: float, wide_m: float
) -> None:
    """The page's millimetres are its units; ticks are measured on the drawn picture."""
    said = ask_weir("--json", "--out", str(tmp_path), max_lps=max_lps, min_lps=min_lps,
                 channel_width_m=wide_m)  # fmt: skip
    head_mm = json.loads(said.stdout)["weir"]["head_max_mm"]
    pages = sorted(tmp_path.glob("staff-gauge-*.svg"))
    highest = -1
    for page in pages:
        text = page.read_text(encoding="utf-8")
        root = ET.fromstring(text)
        assert root.get("viewBox") == "0 0 210 297"
        assert (root.get("width"), root.get("height")) == ("210mm", "297mm")
        page_drawn = drawn(text)
        left, right = lines_mm(page_drawn.crop((0, 278 * DOTS, 2100, 278 * DOTS + 1)))
        assert right - left == pytest.approx(100.0, abs=0.1), "the bar at the foot"
        marks = [(float(t.get("y", 0)), int(t.text or "")) for t in root.iter(f"{SVG}text")
                 if t.get("class") == "cm"]  # fmt: skip
        ticks = lines_mm(page_drawn.crop((79 * DOTS, 0, 79 * DOTS + 1, 268 * DOTS)))
        assert len(ticks) == len(marks), "a long tick a centimetre"
        for (y, _), tick in zip(sorted(marks), ticks, strict=True):
            assert tick == pytest.approx(y - 2.5, abs=0.1), "beside its number"
        for upper, lower in pairwise(ticks):
            assert lower - upper == pytest.approx(10.0, abs=0.1)
        for (low_y, low), (high_y, high) in pairwise(sorted(marks, reverse=True)):
            assert low_y - high_y == pytest.approx(10.0)
            assert high == low + 1
        assert min(cm for _, cm in marks) in (highest, highest + 1), "nothing is left out"
        highest = max(cm for _, cm in marks)
    assert highest * 10 >= head_mm
