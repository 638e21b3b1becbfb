# SPDX-License-Identifier: MIT
"""Weirs are proposed where they may stand, with golden discharges, and refused where they harm."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path

import ezdxf
import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

from kahriz_hardware.candidates import head_m
from kahriz_hardware.channel import FREEBOARD_M, UNDER_MOUTH_M, Channel
from kahriz_hardware.cli import REFUSED, hardware
from kahriz_hardware.propose import propose
from kahriz_water.structures.v_notch import VNotch

GOLDEN = Path(__file__).parents[2].parent / "shared" / "golden" / "discharge.csv"
SITE = {
    "channel-width-m": 0.9,
    "channel-depth-m": 0.8,
    "drop-m": 0.5,
    "mouth-invert-m": 0.6,
    "bed-slope": 0.001,
}


def _weir(*more: str, **site: float) -> Result:
    keys = SITE | {name.replace("_", "-"): value for name, value in site.items()}
    words = [part for name, value in keys.items() for part in (f"--{name}", str(value))]
    return CliRunner().invoke(hardware, ["weir", *words, *more])


@pytest.mark.parametrize(
    ("max_lps", "min_lps", "wide_m", "what", "angle_deg"),
    [
        (2, 0.6, 0.9, "v_notch", 45),
        (12, 3, 0.9, "v_notch", 90),
        (27, 4, 1.1, "v_notch", 90),
        (60, 10, 1.5, "v_notch", 90),
        (125, 15, 1.2, "rectangular_full_width", None),
    ],
)
def test_each_size_of_kahriz_gets_its_weir(
    max_lps: float, min_lps: float, wide_m: float, what: str, angle_deg: float | None
) -> None:
    said = _weir("--json", max_lps=max_lps, min_lps=min_lps, channel_width_m=wide_m)
    assert said.exit_code == 0, said.output
    weir = json.loads(said.stdout)["weir"]
    assert weir["structure"] == what
    assert weir["angle_deg"] == angle_deg
    assert not weir["needs_gauging"]


@pytest.mark.skipif(not GOLDEN.exists(), reason="../shared/golden is not here")
def test_heads_of_the_proposal_give_the_golden_discharge() -> None:
    checked = 0
    for row in csv.DictReader(GOLDEN.open()):
        if row["parameter"] != "angle_deg=90" or not row["discharge_lps"]:
            continue
        head = head_m(VNotch(90.0), float(row["discharge_lps"]))
        if head is not None:
            checked += 1
            again = VNotch(90.0).free_flow_m3s(float(row["stage_mm"]) / 1000.0)
            assert head * 1000.0 == pytest.approx(float(row["stage_mm"]), rel=0.002)
            assert again * 1000.0 == pytest.approx(float(row["discharge_lps"]), rel=0.005)
    assert checked >= 5


@pytest.mark.parametrize(
    ("site", "why"),
    [
        ({"mouth_invert_m": 0.2, "drop_m": 0.0}, "ponds the gallery"),
        ({"channel_depth_m": 0.25, "drop_m": 0.0}, "overtops the lining"),
        ({"tail_depth_m": 0.9, "drop_m": 0.4}, "drowned"),
    ],
)
def test_a_weir_that_would_harm_is_refused_with_its_numbers(
    site: dict[str, float], why: str
) -> None:
    said = _weir(max_lps=30, min_lps=4, channel_width_m=1.2, **site)
    assert said.exit_code == REFUSED, said.output
    assert "No weir may stand here" in said.output
    refusals = [line for line in said.output.splitlines() if why in line]
    assert refusals, said.output
    assert all(" m" in line and any(c.isdigit() for c in line) for line in refusals)


def test_where_no_weir_may_stand_a_flume_or_a_pipe_meter_is_named() -> None:
    flume = _weir(max_lps=30, min_lps=4, channel_width_m=1.2, mouth_invert_m=0.4, drop_m=0.0)
    assert flume.exit_code == REFUSED
    assert "Parshall flume" in flume.output
    pipe = _weir(max_lps=30, min_lps=4, mouth_invert_m=0.1, drop_m=0.0)
    assert pipe.exit_code == REFUSED
    assert "meter in a full pipe" in pipe.output


def test_a_small_dry_flow_gets_a_narrow_notch_and_the_near_walls_a_gauging() -> None:
    small = json.loads(_weir("--json", max_lps=10, min_lps=0.9, channel_width_m=1.1).stdout)
    assert small["weir"]["angle_deg"] == 60
    near = _weir(max_lps=30, min_lps=2)
    assert near.exit_code == 0
    assert "two gaugings before its litres are believed" in near.output


def test_the_drawings_are_of_one_plate(tmp_path: Path) -> None:
    said = _weir("--out", str(tmp_path), max_lps=12, min_lps=3)
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
    said = _weir("--out", str(tmp_path / "file" / "plate"), max_lps=12, min_lps=3)
    assert said.exit_code == 1
    assert str(tmp_path / "file" / "plate") in said.output


@pytest.mark.parametrize(
    ("site", "name"),
    [
        ({"channel_width_m": 0}, "width_m"),
        ({"bed_slope": 0}, "bed_slope"),
        ({"min_lps": 40}, "min_lps"),
        ({"pool_width_m": 0.5}, "pool_width_m"),
        ({"tail_depth_m": -1}, "tail_depth_m"),
        ({"channel_depth_m": "nan"}, "depth_m"),
    ],
)
def test_a_measure_that_cannot_be_is_named(site: dict[str, float], name: str) -> None:
    said = _weir(**({"max_lps": 30, "min_lps": 2} | site))
    assert said.exit_code == 2
    assert name in said.output


def test_normal_depth_obeys_manning_and_backwater_is_as_long_as_a_level_pool_or_longer() -> None:
    channel = Channel(1.0, 1.0, 0.0, 1.0, 0.001)
    depth = channel.normal_depth_m(0.030)
    area, radius = depth, depth / (1.0 + 2.0 * depth)
    assert area * radius ** (2 / 3) * math.sqrt(0.001) / 0.015 == pytest.approx(0.030, rel=1e-6)
    assert channel.backwater_m(depth, 0.030) == 0.0
    level_pool = (0.5 - depth) / 0.001
    assert level_pool < channel.backwater_m(0.5, 0.030) < 1.2 * level_pool


@given(
    st.floats(0.4, 3.0),
    st.floats(0.2, 2.0),
    st.floats(0.0, 1.0),
    st.floats(0.05, 2.0),
    st.floats(0.0005, 0.02),
    st.floats(0.3, 30.0),
    st.floats(1.0, 20.0),
)
@settings(deadline=None)
def test_whatever_is_proposed_keeps_every_rule(
    width: float, depth: float, drop: float, mouth: float, slope: float, low: float, times: float
) -> None:
    channel = Channel(width, depth, drop, mouth, slope)
    weir = propose(channel, low, low * times).weir
    if weir is None:
        return
    assert weir.level_max_m <= mouth - UNDER_MOUTH_M + 1e-9
    assert weir.level_max_m <= depth - FREEBOARD_M + 1e-9
    assert weir.crest_m - weir.tail_m >= weir.candidate.free_fall_m - 1e-9
    limits = weir.candidate.contraction
    assert weir.sill_m >= limits.sill_m - 1e-9
    assert weir.head_max_m / weir.sill_m <= limits.head_per_sill + 1e-6
    assert weir.head_min_m >= weir.structure.low_m - 1e-6
    assert weir.structure.discharge(weir.head_max_m, 0.002).lps == pytest.approx(
        low * times, rel=1e-6
    )
