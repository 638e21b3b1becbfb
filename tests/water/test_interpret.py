# SPDX-License-Identifier: MIT
"""Reading in, values out."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from kahriz_water.deployment import Deployment
from kahriz_water.interpret import Reading, interpret
from kahriz_water.plan import parse_plan
from kahriz_water.value import Value

SITES = Path(__file__).parents[2] / "firmware" / "kahriz_sim" / "sites"
PLAN = parse_plan((SITES / "banovshalar-gozlu" / "site.toml").read_text(encoding="utf-8"))
WEIR = Deployment("outlet", "weir", "outlet", 0, zero_m=0.800, sound_speed="fixed")
RECORDS = [
    WEIR,
    Deployment("outlet", "air", "outlet", 0),
    Deployment("pool", "loop", "pool", 0, zero_m=0.0, span_m=3.0),
]
TS = 1_790_000_000_000


def _values(
    node: str, body: dict[str, object], records: list[Deployment] | None = None, q: int = 1
) -> dict[str, Value]:
    found = interpret(Reading(node, TS, q, body), records or RECORDS, PLAN)
    assert len({(v.point, v.quantity) for v in found}) == len(found)
    return {v.quantity: v for v in found}


def _read_distance(true_m: float, air_c: float) -> float:
    return true_m * 343.4 / (331.3 + 0.606 * air_c)


def test_a_weir_row_becomes_stage_and_discharge_with_uncertainty() -> None:
    body = {
        "weir_distance_m": _read_distance(0.650, 30.0),
        "weir_spread_m": 0.001,
        "weir_echoes": 15,
        "air_c": 30.0,
    }
    values = _values("outlet", body)
    assert set(values) == {"stage_m", "discharge_lps", "c"}
    assert values["stage_m"].value == pytest.approx(0.150, abs=1e-9)
    assert values["discharge_lps"].value == pytest.approx(12.071, rel=0.001)
    assert values["discharge_lps"].u is not None
    assert 0.03 < values["discharge_lps"].u / 12.07 < 0.15
    assert values["discharge_lps"].q == 1


@pytest.mark.parametrize("air_c", [-10.0, 0.0, 10.0, 40.0])
def test_the_air_moves_the_reported_level_by_less_than_a_millimetre(air_c: float) -> None:
    body = {"weir_distance_m": _read_distance(0.650, air_c), "air_c": air_c}
    assert _values("outlet", body)["stage_m"].value == pytest.approx(0.150, abs=0.001)


def test_a_compensated_sensor_is_left_alone() -> None:
    records = [dataclasses.replace(WEIR, sound_speed="compensated")]
    assert _values("outlet", {"weir_distance_m": 0.65}, records)["stage_m"].value == pytest.approx(
        0.15
    )


def test_without_a_thermometer_the_value_is_suspect_and_says_how_uncertain() -> None:
    with_air = _values("outlet", {"weir_distance_m": 0.65, "air_c": 15.0})
    without = _values("outlet", {"weir_distance_m": 0.65, "air_fault": "no_presence"})
    assert without["discharge_lps"].q == 3
    assert (without["discharge_lps"].u or 0) > 2 * (with_air["discharge_lps"].u or 0)


def test_the_power_on_value_of_a_thermometer_is_not_used() -> None:
    values = _values("outlet", {"weir_distance_m": 0.65, "air_c": 85.0})
    assert values["c"].q == 4
    assert values["stage_m"].q == 3


def test_low_water_is_a_bound_and_not_a_zero() -> None:
    values = _values("outlet", {"weir_distance_m": _read_distance(0.770, 20.0), "air_c": 20.0})
    assert "discharge_lps" not in values
    assert values["discharge_lt_lps"].value == pytest.approx(1.249, abs=0.001)
    assert values["discharge_lt_lps"].q == 3
    assert values["stage_m"].q == 1


def test_a_flood_is_a_bound_and_not_a_clamp() -> None:
    values = _values("outlet", {"weir_distance_m": _read_distance(0.400, 20.0), "air_c": 20.0})
    assert "discharge_lps" not in values
    assert values["discharge_gt_lps"].value == pytest.approx(122.2, abs=0.1)


def test_a_loop_current_becomes_level_and_volume() -> None:
    values = _values("pool", {"loop_current_ma": 12.0})
    assert values["level_m"].value == pytest.approx(1.5)
    assert values["volume_m3"].value == pytest.approx(435.0)
    assert values["volume_m3"].u == pytest.approx(290 * (values["level_m"].u or 0))


def test_an_open_loop_is_a_failed_current_and_no_level() -> None:
    values = _values("pool", {"loop_current_ma": 0.0})
    assert set(values) == {"current_ma"}
    assert values["current_ma"].q == 4


def test_a_fault_makes_no_number() -> None:
    assert _values("outlet", {"weir_fault": "timeout"}, q=9) == {}


def test_the_error_value_of_a_logger_is_kept_and_flagged() -> None:
    values = _values("tank", {"loop_level_m": -9999.0})
    assert values["level_m"].value == -9999.0
    assert values["level_m"].q == 4
    assert "volume_m3" not in values


def test_a_new_zero_begins_with_its_deployment() -> None:
    records = [
        dataclasses.replace(WEIR, to_ms=TS),
        dataclasses.replace(WEIR, from_ms=TS, zero_m=0.810),
    ]
    records = [dataclasses.replace(r, sound_speed="compensated") for r in records]
    body = {"weir_distance_m": 0.650}
    assert _values("outlet", body, records)["stage_m"].value == pytest.approx(0.160)
    before = interpret(Reading("outlet", TS - 1, 1, body), records, PLAN)
    assert next(v.value for v in before if v.quantity == "stage_m") == pytest.approx(0.150)


def test_a_node_without_records_still_shows_what_needs_no_zero() -> None:
    values = _values("inlet", {"s_flow_lps": 7.5, "weir_distance_m": 0.6})
    assert values["flow_lps"].value == 7.5
    assert values["distance_m"].value == 0.6
    assert "stage_m" not in values


def test_a_quantity_of_a_later_version_is_kept_as_not_evaluated() -> None:
    values = _values("inlet", {"probe_ntu": 3.0})
    assert values["ntu"].value == 3.0
    assert values["ntu"].q == 2
