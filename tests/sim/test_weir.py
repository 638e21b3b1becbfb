# SPDX-License-Identifier: MIT
"""The oracle's own V-notch formula against the reference table."""

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kahriz_sim.weir import VNotch


@pytest.fixture(scope="module")
def golden(shared: Path) -> list[tuple[VNotch, float, str]]:
    path = shared / "golden" / "discharge.csv"
    if not path.exists():
        pytest.skip("no ../shared/golden/discharge.csv: the reference table is not here")
    with path.open(newline="") as file:
        return [
            (
                VNotch(float(row["parameter"].removeprefix("angle_deg="))),
                float(row["stage_mm"]) / 1000.0,
                row["discharge_lps"],
            )
            for row in csv.DictReader(file)
            if row["structure"] == "v_notch"
        ]


def test_the_v_notch_meets_the_reference_table(golden: list[tuple[VNotch, float, str]]) -> None:
    inside = [(w, h, float(q)) for w, h, q in golden if q]
    assert len(inside) >= 14
    for weir, stage_m, lps in inside:
        assert weir.is_valid(stage_m)
        assert weir.discharge_m3s(stage_m) * 1000.0 == pytest.approx(lps, rel=0.001)


def test_a_stage_the_table_leaves_open_is_out_of_range(
    golden: list[tuple[VNotch, float, str]],
) -> None:
    outside = [(w, h) for w, h, q in golden if not q]
    assert outside
    assert not any(weir.is_valid(stage_m) for weir, stage_m in outside)


def test_twelve_litres_stand_fifteen_centimetres_over_a_right_angled_notch() -> None:
    # USBR Water Measurement Manual 7-7, 90 degrees: 12.07 L/s at 150 mm.
    assert VNotch().discharge_m3s(0.150) * 1000.0 == pytest.approx(12.07, rel=0.001)


@given(st.floats(0.001, 0.5), st.floats(25.0, 100.0))
def test_stage_and_discharge_are_each_others_inverse(stage_m: float, angle_deg: float) -> None:
    weir = VNotch(angle_deg)
    assert weir.stage_m(weir.discharge_m3s(stage_m)) == pytest.approx(stage_m, rel=1e-9)


def test_a_dry_weir_has_no_stage() -> None:
    assert VNotch().stage_m(0.0) == 0.0
    assert VNotch().discharge_m3s(-0.02) == 0.0
