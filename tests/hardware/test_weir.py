# SPDX-License-Identifier: MIT
"""Weirs are proposed where they may stand, with golden discharges, and refused where they harm."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

from kahriz_hardware.channel import FREEBOARD_M, UNDER_MOUTH_M, Channel
from kahriz_hardware.cli import REFUSED, hardware
from kahriz_hardware.propose import propose

GOLDEN = Path(__file__).parents[2].parent / "shared" / "golden" / "discharge.csv"
SITE = {
    "channel-width-m": 0.9,
    "channel-depth-m": 0.8,
    "drop-m": 0.5,
    "mouth-invert-m": 0.6,
    "bed-slope": 0.001,
}


def ask_weir(*more: str, **site: float) -> Result:
    keys = SITE | {name.replace("_", "-"): value for name, value in site.items()}
    words = [part for name, value in keys.items() for part in (f"--{name}", str(value))]
    return CliRunner().invoke(hardware, ["weir", *words, *more])


PROPOSALS = [
    (2, 0.6, 0.9, "v_notch", 45),
    (12, 3, 0.9, "v_notch", 90),
    (27, 4, 1.1, "v_notch", 90),
    (60, 10, 1.5, "v_notch", 90),
    (125, 15, 1.2, "rectangular_full_width", None),
]


@pytest.mark.parametrize(("max_lps", "min_lps", "wide_m", "what", "angle_deg"), PROPOSALS)
def test_each_size_of_kahriz_gets_its_weir(
    max_lps: float, min_lps: float, wide_m: float, what: str, angle_deg: float | None
) -> None:
    said = ask_weir("--json", max_lps=max_lps, min_lps=min_lps, channel_width_m=wide_m)
    assert said.exit_code == 0, said.output
    weir = json.loads(said.stdout)["weir"]
    assert weir["structure"] == what
    assert weir["angle_deg"] == angle_deg
    assert not weir["needs_gauging"]


def golden() -> list[dict[str, str]]:
    return [row for row in csv.DictReader(GOLDEN.open()) if row["discharge_lps"]]


def by_formula(angle_deg: float | None, head_m: float, width_m: float, sill_m: float) -> float:
    """L/s by the formulas of the golden table's own page, written down here once more."""
    root = math.sqrt(2.0 * 9.80665)
    if angle_deg is None:
        factor = 0.602 + 0.075 * head_m / sill_m
        return 2000.0 / 3.0 * root * factor * (width_m - 0.001) * (head_m + 0.001) ** 1.5
    t = angle_deg
    factor = 0.607165052 - 0.000874466963 * t + 6.10393334e-6 * t**2
    feet = 0.0144902648 - 0.00033955535 * t + 3.29819003e-6 * t**2 - 1.06215442e-8 * t**3
    return (
        8000.0
        / 15.0
        * root
        * factor
        * math.tan(math.radians(t / 2))
        * (head_m + 0.3048 * feet) ** 2.5
    )


@pytest.mark.skipif(not GOLDEN.exists(), reason="../shared/golden is not here")
def test_the_formulas_here_are_those_of_the_golden_table() -> None:
    checked = 0
    for row in golden():
        told = dict(part.split("=") for part in row["parameter"].split(";"))
        angle = float(told["angle_deg"]) if "angle_deg" in told else None
        if row["structure"] != "parshall":
            width, sill = (float(told.get(key, 0)) for key in ("width_m", "crest_m"))
            lps = by_formula(angle, float(row["stage_mm"]) / 1000.0, width, sill)
            assert lps == pytest.approx(float(row["discharge_lps"]), rel=0.001), row
            checked += 1
    assert checked >= 15


@pytest.mark.parametrize(("max_lps", "min_lps", "wide_m", "what", "angle_deg"), PROPOSALS)
def test_a_proposal_gives_the_discharges_of_the_standard_from_end_to_end(
    tmp_path: Path, max_lps: float, min_lps: float, wide_m: float, what: str,
    angle_deg: float | None,
) -> None:  # fmt: skip
    said = ask_weir("--json", "--out", str(tmp_path), max_lps=max_lps, min_lps=min_lps,
                 channel_width_m=wide_m)  # fmt: skip
    weir = json.loads(said.stdout)["weir"]
    for lps, head in ((min_lps, weir["head_min_mm"]), (max_lps, weir["head_max_mm"])):
        there = by_formula(angle_deg, head / 1000.0, wide_m, weir["sill_m"])
        assert there == pytest.approx(lps, rel=0.005), what
    table = {row["stage_mm"]: row for row in csv.DictReader((tmp_path / "rating.csv").open())}
    assert len(table) >= 4
    for stage, row in table.items():
        lps = by_formula(angle_deg, float(stage) / 1000.0, wide_m, weir["sill_m"])
        assert float(row["discharge_lps"]) == pytest.approx(lps, rel=0.005)
    if GOLDEN.exists() and angle_deg is not None:
        for row in golden():
            if row["parameter"] == f"angle_deg={angle_deg}" and row["stage_mm"] in table:
                mine = float(table[row["stage_mm"]]["discharge_lps"])
                assert mine == pytest.approx(float(row["discharge_lps"]), rel=0.005)


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
    said = ask_weir(max_lps=30, min_lps=4, channel_width_m=1.2, **site)
    assert said.exit_code == REFUSED, said.output
    assert "No weir may stand here" in said.output
    refusals = [line for line in said.output.splitlines() if why in line]
    assert refusals, said.output
    assert all(" m" in line and any(c.isdigit() for c in line) for line in refusals)


def test_where_no_weir_may_stand_a_flume_or_a_pipe_meter_is_named() -> None:
    flume = ask_weir(max_lps=30, min_lps=4, channel_width_m=1.2, mouth_invert_m=0.4, drop_m=0.0)
    assert flume.exit_code == REFUSED
    assert "Parshall flume" in flume.output
    pipe = ask_weir(max_lps=30, min_lps=4, mouth_invert_m=0.1, drop_m=0.0)
    assert pipe.exit_code == REFUSED
    assert "meter in a full pipe" in pipe.output


def test_a_small_dry_flow_gets_a_narrow_notch_and_the_near_walls_a_gauging() -> None:
    small = json.loads(ask_weir("--json", max_lps=10, min_lps=0.9, channel_width_m=1.1).stdout)
    assert small["weir"]["angle_deg"] == 60
    near = ask_weir(max_lps=30, min_lps=2)
    assert near.exit_code == 0
    assert "two gaugings before its litres are believed" in near.output


@pytest.mark.parametrize("wrong", ["nan", "inf", "-inf", 1e9, -1e9])
@pytest.mark.parametrize(
    ("option", "name"),
    [
        ("channel_width_m", "width_m"), ("channel_depth_m", "depth_m"), ("drop_m", "drop_m"),
        ("mouth_invert_m", "mouth_invert_m"), ("bed_slope", "bed_slope"),
        ("roughness", "roughness"), ("pool_width_m", "pool_width_m"),
        ("tail_depth_m", "tail_depth_m"), ("max_lps", "max_lps"), ("min_lps", "min_lps"),
    ],
)  # fmt: skip
def test_no_number_that_cannot_be_measured_gets_a_weir(
    option: str, name: str, wrong: float, tmp_path: Path
) -> None:
    out = tmp_path / "weir"
    said = ask_weir("--out", str(out), **({"max_lps": 30, "min_lps": 2} | {option: wrong}))
    assert said.exit_code == 2, said.output
    assert name in said.output
    assert not out.exists()


@pytest.mark.parametrize(
    ("site", "name"),
    [
        ({"channel_width_m": 0}, "width_m"),
        ({"bed_slope": 0}, "bed_slope"),
        ({"min_lps": 0}, "min_lps"),
        ({"min_lps": 40}, "min_lps"),
        ({"pool_width_m": 0.5}, "pool_width_m"),
        ({"drop_m": -0.1}, "drop_m"),
        ({"tail_depth_m": -1}, "tail_depth_m"),
    ],
)
def test_a_measure_that_cannot_be_is_named(site: dict[str, float], name: str) -> None:
    said = ask_weir(**({"max_lps": 30, "min_lps": 2} | site))
    assert said.exit_code == 2
    assert name in said.output


def test_water_that_shoots_towards_the_weir_is_told() -> None:
    assert "shoots" not in ask_weir(max_lps=12, min_lps=3).output
    steep = ask_weir(max_lps=12, min_lps=3, bed_slope=0.02)
    assert steep.exit_code == 0
    assert "the water shoots in this channel (Froude 1." in steep.output


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
