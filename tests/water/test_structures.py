# SPDX-License-Identifier: MIT
"""Structures against the golden table, and what they say outside of their range."""

from __future__ import annotations

import csv
import json
import math
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from kahriz_water.cli import rating
from kahriz_water.pulse_meter import PulseMeter
from kahriz_water.strict import ConfigError, Table
from kahriz_water.structures import STRUCTURES, Structure
from kahriz_water.structures.gauged import Gauged
from kahriz_water.structures.parshall import THROATS, Parshall
from kahriz_water.structures.power_law import PowerLaw
from kahriz_water.structures.rating_table import RatingTable
from kahriz_water.structures.rectangular_contracted import RectangularContracted
from kahriz_water.structures.rectangular_full_width import RectangularFullWidth
from kahriz_water.structures.v_notch import VNotch

TABLE = RatingTable(((0.06, 1.249), (0.1, 4.413), (0.2, 24.689)), 6.0, "R. Q.", ("a", "b"))
ALL = [
    VNotch(90),
    VNotch(30),
    Parshall("1in"),
    Parshall("9in"),
    RectangularFullWidth(0.5, 0.3),
    RectangularContracted(0.3, 0.6, 0.3),
    TABLE,
    PowerLaw(1380.0, 0.0, 5.0, 2.48, 0.07, 0.21),
    Gauged(VNotch(90), 1.05, 3.0),
    Gauged(RectangularFullWidth(0.5, 0.3), 0.9, 3.0),
]
TABLE_TOML = """
rows = [[0.060, 1.249], [0.100, 4.413], [0.200, 24.689]]
u_percent = 6.0
author = "R. Quliyev"
gaugings = ["2026-04-01 pool", "2026-04-02 bucket"]
"""
FILES = {
    "rating_table": TABLE_TOML,
    "power_law": "coefficient_lps = 1380\nexponent = 2.5\nlow_m = 0.07\nhigh_m = 0.2\n"
    "u_percent = 5",
    "gauged": 'scale = 1.04\nu_percent = 3\nof = { kind = "v_notch", angle_deg = 90 }',
}


def _structure(kind: str, parameter: str) -> Structure:
    keys: dict[str, object] = {}
    for pair in parameter.split(";"):
        key, value = pair.split("=")
        keys[key] = value if key == "throat" else float(value)
    return STRUCTURES[kind].from_table(Table(keys, "golden"))


def test_the_golden_table_is_met_within_half_a_percent(shared: Path) -> None:
    with (shared / "golden" / "discharge.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {row["structure"] for row in rows} >= {"v_notch", "parshall", "rectangular_full_width"}
    for row in rows:
        structure = _structure(row["structure"], row["parameter"])
        flow = structure.discharge(float(row["stage_mm"]) / 1000.0, 0.002)
        if row["discharge_lps"]:
            assert flow.q == 1, row
            assert flow.lps == pytest.approx(float(row["discharge_lps"]), rel=0.005), row
        else:
            assert flow.lps is None, row
            assert flow.q == 3, row
            assert (flow.below_lps is None) != (flow.above_lps is None), row
            assert "valid" in str(flow.why), row


def test_a_weir_as_wide_as_its_channel_is_the_full_width_weir() -> None:
    for stage_m in (0.05, 0.15, 0.3):
        narrow = RectangularContracted(0.5, 0.5, 0.3).free_flow_m3s(stage_m)
        full = RectangularFullWidth(0.5, 0.3).free_flow_m3s(stage_m)
        assert narrow == pytest.approx(full, rel=0.002)


@pytest.mark.parametrize(
    ("ratio", "alpha", "beta"),
    [(0.2, 0.589, -0.0018), (0.4, 0.591, 0.0058), (0.6, 0.593, 0.018), (0.8, 0.597, 0.045)],
)
def test_the_coefficient_in_feet_is_that_of_iso_1438_in_metres(
    ratio: float, alpha: float, beta: float
) -> None:
    weir = RectangularContracted(0.4, 0.4 / ratio, 0.3)
    for stage_m in (0.05, 0.3):
        assert weir.coefficient(stage_m) == pytest.approx(
            alpha + beta * stage_m / 0.3, rel=0.004
        )  # of two curves


def test_a_wide_channel_gives_what_francis_measured() -> None:
    weir = RectangularContracted(0.5, 2.5, 0.6)  # far walls: Q = 1.838 (b - 0.2 h) h^1.5, m and s
    francis = 1.838 * (0.5 - 0.2 * 0.15) * 0.15**1.5
    assert weir.free_flow_m3s(0.15) == pytest.approx(francis, rel=0.03)


def test_a_rating_table_meets_its_rows_and_is_straight_between_their_logarithms() -> None:
    for stage_m, lps in TABLE.rows:
        assert TABLE.free_flow_m3s(stage_m) * 1000 == pytest.approx(lps)
    middle = math.sqrt(0.1 * 0.2)
    assert TABLE.free_flow_m3s(middle) * 1000 == pytest.approx(math.sqrt(4.413 * 24.689))
    assert TABLE.exponent_at(0.15) == pytest.approx(2.48, abs=0.01)


@pytest.mark.parametrize("rows", [[], [[0.1, 1.0]], [[0.1, 2.0], [0.2, 1.0]], [[0, 0], [1, 1]], 5])
def test_a_rating_table_that_does_not_rise_is_refused(rows: object) -> None:
    data = {"rows": rows, "u_percent": 5.0, "author": "R. Q.", "gaugings": ["a"]}
    with pytest.raises(ConfigError, match="rising"):
        RatingTable.from_table(Table(data, "table"))


@pytest.mark.parametrize("throat", list(THROATS))
def test_a_drowned_flume_is_a_bound_and_not_a_number(throat: str) -> None:
    flume, limit = Parshall(throat), THROATS[throat][4]
    stage_m = 0.15
    free = flume.discharge(stage_m, 0.002, tail_m=stage_m * limit * 0.99)
    drowned = flume.discharge(stage_m, 0.002, tail_m=stage_m * limit * 1.01)
    assert free.q == 1
    assert drowned.q == 3
    assert drowned.lps is None
    assert drowned.below_lps == free.lps
    assert "drowned" in str(drowned.why)


def test_a_weir_is_drowned_as_soon_as_the_tailwater_stands_over_its_crest() -> None:
    assert VNotch(90).discharge(0.15, 0.002, tail_m=-0.05).q == 1
    assert VNotch(90).discharge(0.15, 0.002, tail_m=0.01).below_lps == pytest.approx(12.07, abs=0.1)


@pytest.mark.parametrize(
    ("structure", "stage_m", "percent"),
    [(VNotch(90), 0.150, 1.66), (RectangularFullWidth(0.5, 0.3), 0.150, 0.99)],
)
def test_a_millimetre_costs_what_the_exponent_says(
    structure: Structure, stage_m: float, percent: float
) -> None:
    exact = structure.discharge(stage_m, 0.0)
    with_head = structure.discharge(stage_m, 0.001, u_random_m=0.001)
    assert exact.lps is not None
    assert exact.u_lps is not None
    assert with_head.u_lps is not None
    head_only = math.sqrt(with_head.u_lps**2 - exact.u_lps**2) / 2.0 / exact.lps
    assert 100 * head_only == pytest.approx(percent, abs=0.02)
    assert with_head.u_random_lps / 2.0 / exact.lps == pytest.approx(head_only)


@pytest.mark.parametrize("structure", ALL, ids=lambda s: s.kind)
def test_what_a_structure_writes_of_itself_reads_back(structure: Structure) -> None:
    written = json.loads(json.dumps(structure.as_table()))
    kind = written.pop("kind")
    table = Table(written, "table")
    assert STRUCTURES[kind].from_table(table) == structure
    table.done()


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("low_m = 0.3", "more than low_m"),
        ("offset_m = -0.1", "above 0"),
        ("exponent = 9", "1 to 4"),
        ("scale = 3.0", "0.7 to 1.4"),
        ('of = { kind = "gauged" }', "one of v_notch"),
    ],
)
def test_a_fitted_rating_that_cannot_be_is_refused(text: str, word: str) -> None:
    key = text.split(" ", 1)[0]
    kind = next(k for k in ("power_law", "gauged") if key in FILES[k] or key == "offset_m")
    kept = [line for line in FILES[kind].splitlines() if not line.startswith(f"{key} ")]
    with pytest.raises(ConfigError, match=word):
        STRUCTURES[kind].from_table(Table(tomllib.loads("\n".join([*kept, text])), "rating"))


@given(st.sampled_from(ALL), st.floats(-0.1, 1.5), st.floats(0.0, 0.02), st.floats(0.0, 1.0))
def test_a_discharge_is_a_number_or_one_bound_and_never_zero(
    structure: Structure, stage_m: float, u_m: float, tail: float
) -> None:
    flow = structure.discharge(stage_m, u_m, tail_m=tail * stage_m)
    given_ones = [x for x in (flow.lps, flow.below_lps, flow.above_lps) if x is not None]
    assert len(given_ones) == 1
    assert given_ones[0] > 0.0
    assert (flow.lps is not None) == (flow.q == 1) == (flow.why is None)


@given(st.sampled_from(ALL), st.floats(0, 1), st.floats(0, 1))
def test_more_water_stands_higher(structure: Structure, a: float, b: float) -> None:
    low, span = structure.low_m, structure.high_m - structure.low_m
    first, second = (structure.free_flow_m3s(low + x * span) for x in sorted((a, b)))
    assert first <= second * (1 + 1e-9)


def test_a_meter_outside_of_its_range_is_a_bound() -> None:
    still = PulseMeter(100.0, 0.5, 30.0).flow(0.0, 60.0)
    assert still.lps is None
    assert still.below_lps == pytest.approx(100 / 60)
    assert PulseMeter(10.0, 0.5, 30.0).flow(31.0, 60.0).above_lps == 30.0


def test_few_pulses_are_uncertain() -> None:
    coarse = PulseMeter(100.0, 0.5, 30.0).flow(11.7, 60.0)  # 7 pulses in a minute
    assert coarse.lps is not None
    assert coarse.u_lps is not None
    assert 0.10 < coarse.u_lps / coarse.lps < 0.14


def test_the_command_prints_the_five_words_and_a_bound_below_the_range() -> None:
    result = CliRunner().invoke(
        rating, ["v_notch", "--angle-deg", "90", "--stage-mm", "60,100,40,400", "--json"]
    )
    assert result.exit_code == 0, result.output
    sixty, hundred, forty, flood = json.loads(result.output)
    assert list(sixty) == ["stage_mm", "discharge_lps", "uncertainty_pct", "q", "why"]
    assert (sixty["stage_mm"], sixty["discharge_lps"], sixty["q"]) == (60, 1.249, 1)
    assert sixty["why"] is None
    assert hundred["discharge_lps"] == 4.413
    assert forty["discharge_lps"] is None
    assert forty["q"] == 3
    assert "less than 1.249 L/s" in forty["why"]
    assert "more than 122" in flood["why"]


def test_every_structure_has_its_command(tmp_path: Path) -> None:
    for kind, text in FILES.items():
        (tmp_path / f"{kind}.toml").write_text(text, encoding="utf-8")
    arguments = {
        "v_notch": ["--angle-deg", "60"],
        "parshall": ["--throat", "6in", "--tail-mm", "20"],
        "rectangular_full_width": ["--width-m", "0.5", "--crest-m", "0.3"],
        "rectangular_contracted": [
            *("--width-m", "0.4", "--channel-width-m", "0.8", "--crest-m", "0.3")
        ],
        **{kind: ["--file", str(tmp_path / f"{kind}.toml")] for kind in FILES},
    }
    assert set(arguments) == set(STRUCTURES)
    for structure, given_ones in arguments.items():
        result = CliRunner().invoke(rating, [structure, *given_ones, "--stage-mm", "100"])
        assert result.exit_code == 0, result.output
        assert "L/s ±" in result.output


def test_a_drowned_flume_is_said_by_the_command() -> None:
    arguments = ["parshall", "--throat", "3in", "--stage-mm", "100", "--tail-mm", "70", "--json"]
    (row,) = json.loads(CliRunner().invoke(rating, arguments).output)
    assert row["discharge_lps"] is None
    assert "70% is above 50%: drowned" in row["why"]


@pytest.mark.parametrize(
    ("option", "given"),
    [
        ("--stage-mm", "9" * 400),
        ("--stage-mm", "nan"),
        ("--u-stage-mm", "nan"),
        ("--u-stage-mm", "1e308"),
        ("--angle-deg", "nan"),
    ],
    ids=lambda each: each[:12],
)
def test_a_number_that_no_weir_can_have_is_refused_in_words(option: str, given: str) -> None:
    said = CliRunner().invoke(rating, ["v_notch", "--stage-mm", "100", option, given])
    assert said.exit_code == 2, said.output
    assert f"Invalid value for '{option}'" in said.output
    assert "9" * 50 not in said.output
