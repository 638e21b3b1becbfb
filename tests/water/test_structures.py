# SPDX-License-Identifier: MIT
"""Structures against the golden table, and what they say outside of their range."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from kahriz_water.cli import rating
from kahriz_water.strict import Table
from kahriz_water.structures import STRUCTURES, Structure
from kahriz_water.structures.v_notch import VNotch

GOLDEN = Path(__file__).parent / "golden_discharge.csv"


def _structure(kind: str, parameter: str) -> Structure:
    keys: dict[str, object] = {}
    for pair in parameter.split(";"):
        key, value = pair.split("=")
        keys[key] = value if key == "throat" else float(value)
    return STRUCTURES[kind].from_table(Table(keys, "golden"))


def _golden() -> list[dict[str, str]]:
    with GOLDEN.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("row", _golden(), ids=lambda r: f"{r['structure']}-{r['stage_mm']}")
def test_the_golden_table_is_met_within_half_a_percent(row: dict[str, str]) -> None:
    flow = _structure(row["structure"], row["parameter"]).discharge(
        float(row["stage_mm"]) / 1000.0, 0.002
    )
    if row["discharge_lps"]:
        assert flow.q == 1
        assert flow.lps == pytest.approx(float(row["discharge_lps"]), rel=0.005)
    else:
        assert flow.lps is None
        assert flow.q == 3
        assert (flow.below_lps is None) != (flow.above_lps is None)
        assert flow.why is not None
        assert "valid" in flow.why


def test_every_structure_stands_in_the_golden_table() -> None:
    assert set(STRUCTURES) == {row["structure"] for row in _golden()}


def test_one_millimetre_is_about_1_7_percent_at_12_lps() -> None:
    exact = VNotch(90).discharge(0.150, 0.0)
    with_head = VNotch(90).discharge(0.150, 0.001)
    assert exact.lps is not None
    assert exact.u_lps is not None
    assert with_head.u_lps is not None
    head_only = (with_head.u_lps**2 - exact.u_lps**2) ** 0.5 / 2.0 / exact.lps
    assert head_only == pytest.approx(0.017, abs=0.001)


@given(st.floats(0.0, 1.0), st.floats(0.0, 0.02))
def test_a_discharge_is_a_number_or_a_bound_and_never_zero(stage_m: float, u_m: float) -> None:
    flow = VNotch(90).discharge(stage_m, u_m)
    given_ones = [x for x in (flow.lps, flow.below_lps, flow.above_lps) if x is not None]
    assert len(given_ones) == 1
    assert given_ones[0] > 1.0


def test_the_command_prints_json_with_a_bound_below_the_range() -> None:
    result = CliRunner().invoke(rating, ["v_notch", "--stage-mm", "60,40", "--json"])
    assert result.exit_code == 0, result.output
    sixty, forty = json.loads(result.output)
    assert sixty["discharge_lps"] == 1.249
    assert sixty["q"] == 1
    assert forty["discharge_lps"] is None
    assert forty["discharge_lt_lps"] == 1.249


@pytest.mark.parametrize("structure", sorted(STRUCTURES))
def test_every_structure_has_its_command(structure: str) -> None:
    arguments = {
        "v_notch": ["--angle-deg", "60"],
        "parshall": ["--throat", "6in"],
        "rectangular_full_width": ["--width-m", "0.5", "--crest-m", "0.3"],
    }[structure]
    result = CliRunner().invoke(rating, [structure, *arguments, "--stage-mm", "100"])
    assert result.exit_code == 0, result.output
    assert "L/s" in result.output
