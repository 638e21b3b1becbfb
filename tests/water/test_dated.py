# SPDX-License-Identifier: MIT
"""Readings with dated zeros and ratings, staff checks, a second head, a meter, quality flags."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest

from kahriz_water.deployment import Deployment
from kahriz_water.interpret import Reading, interpret
from kahriz_water.manual import manual_values
from kahriz_water.plan import parse_plan
from kahriz_water.records import (
    U_STAFF_READ_M,
    U_UNCHECKED_M,
    DatedRating,
    Records,
    StaffReading,
    Zero,
)
from kahriz_water.structures.v_notch import VNotch
from kahriz_water.value import Value

PLAN = parse_plan("""
[site]
id = "x"
name = { az = "x", ru = "x", en = "x" }
district = "x"
ask = "R. Quliyev"
[[point]]
id = "outlet"
name = { az = "x", ru = "x", en = "x" }
kind = "weir"
structure = { kind = "v_notch", angle_deg = 90 }
[[point]]
id = "flume"
name = { az = "x", ru = "x", en = "x" }
kind = "weir"
structure = { kind = "parshall", throat = "3in" }
[[point]]
id = "pipe"
name = { az = "x", ru = "x", en = "x" }
kind = "flow"
meter = { litres_per_pulse = 10, low_lps = 0.5, high_lps = 30, u_percent = 2 }
""")
TS = 1_790_000_000_000
OUTLET = Deployment("outlet", "weir", "outlet", 0, zero_m=0.8, sound_speed="compensated")
HEAD = Deployment("flume", "head", "flume", 0, zero_m=0.8, sound_speed="compensated")
TAIL = Deployment("flume", "tail", "flume", 0, zero_m=0.8, sound_speed="compensated", role="tail")
RECORDS = Records((OUTLET, HEAD, TAIL))
BODY = {"weir_distance_m": 0.650, "weir_spread_m": 0.004, "weir_echoes": 16}


def values(
    node: str = "outlet",
    body: dict[str, Any] | None = None,
    records: Records = RECORDS,
    ts: int = TS,
    flags: dict[str, int] | None = None,
) -> dict[str, Value]:
    found = interpret(Reading(node, ts, 1, BODY if body is None else body, flags), records, PLAN)
    return {v.quantity: v for v in found}


def staff(at: int, offset_mm: float, zero_m: float = 0.8) -> StaffReading:
    return StaffReading("outlet", at, 0.150 + offset_mm / 1000, "R. Q.", "", "", 0.150, zero_m)


def test_the_uncertainty_is_the_sum_of_its_parts_and_the_echoes_alone_are_random() -> None:
    stage = values()["stage_m"]
    u_m = math.sqrt(0.002**2 + U_UNCHECKED_M**2 + (0.004 / 4) ** 2)
    assert stage.u == pytest.approx(2 * u_m)
    assert stage.u_random == pytest.approx(2 * 0.001)
    flow = values()["discharge_lps"]
    per_m = 2.5 / (0.150 + VNotch(90).head_offset_m())
    u = 2 * math.sqrt(0.01**2 + VNotch(90).u_shape() ** 2 + (per_m * u_m) ** 2)
    assert (flow.u or 0) / flow.value == pytest.approx(u)
    assert (flow.u_random or 0) / flow.value == pytest.approx(2 * per_m * 0.001)


def test_ten_millimetres_are_seventeen_per_cent_at_12_lps() -> None:
    per_m = VNotch(90).discharge(0.150, 0.010)
    exact = VNotch(90).discharge(0.150, 0.0)
    assert per_m.u_lps is not None
    assert exact.u_lps is not None
    assert exact.lps is not None
    head = math.sqrt(per_m.u_lps**2 - exact.u_lps**2) / 2
    assert head / exact.lps == pytest.approx(0.17, abs=0.005)


def test_a_zero_taken_anew_holds_from_its_day() -> None:
    moved = replace(RECORDS, zeros=(Zero("outlet", "weir", TS, 0.810, 0.001, "R. Q."),))
    assert values(records=moved, ts=TS - 1)["stage_m"].value == pytest.approx(0.150)
    after = values(records=moved)["stage_m"]
    assert after.value == pytest.approx(0.160)
    assert (after.u or 9) < (values()["stage_m"].u or 0), "this zero is known better"


def test_a_new_deployment_does_not_keep_the_zero_of_the_sensor_before() -> None:
    swapped = replace(
        RECORDS,
        deployments=(replace(OUTLET, to_ms=TS), replace(OUTLET, from_ms=TS, zero_m=0.83)),
        zeros=(Zero("outlet", "weir", TS - 1000, 0.810),),
    )
    assert values(records=swapped, ts=TS - 1)["stage_m"].value == pytest.approx(0.160)
    assert values(records=swapped)["stage_m"].value == pytest.approx(0.180)


def test_a_dated_rating_takes_the_place_of_the_plans_and_ends() -> None:
    rating = DatedRating("outlet", TS, TS + 10, VNotch(60), "R. Q.", ("a",))
    dated = replace(RECORDS, ratings=(rating,))
    flows = [values(records=dated, ts=ts)["discharge_lps"].value for ts in (TS - 1, TS, TS + 10)]
    assert flows == pytest.approx([12.07, 6.98, 12.07], rel=0.002)


def test_checks_with_the_staff_gauge_tell_how_well_a_sensor_agrees() -> None:
    good = replace(RECORDS, staff=(staff(TS - 20, 1.0), staff(TS - 10, -1.0)))
    bad = replace(RECORDS, staff=(staff(TS - 20, 12.0), staff(TS - 10, 12.0)))
    zero = Zero("outlet", "weir", 0, 0.8)
    assert good.u_staff_m("outlet", zero, TS) == pytest.approx(U_STAFF_READ_M)
    assert bad.u_staff_m("outlet", zero, TS) == pytest.approx(0.012)
    assert bad.u_staff_m("outlet", zero, TS - 30) == U_UNCHECKED_M, "not before it was known"
    widths = [values(records=r)["discharge_lps"].u or 0.0 for r in (good, RECORDS, bad)]
    assert widths == sorted(widths)


def test_a_check_is_moved_with_the_zero_that_is_corrected_afterwards() -> None:
    checked = staff(TS, 10.0)
    assert checked.offset_m(0.8) == pytest.approx(0.010)
    assert checked.offset_m(0.810) == pytest.approx(0.0)


@pytest.mark.parametrize(
    ("tail", "quantity", "q"),
    [
        ({"tail_distance_m": 0.740}, "discharge_lps", 1),
        ({"tail_distance_m": 0.720}, "discharge_lt_lps", 3),
        ({"tail_fault": "timeout"}, "discharge_lps", 3),
    ],
)
def test_the_second_head_of_a_flume_decides_whether_it_is_drowned(
    tail: dict[str, Any], quantity: str, q: int
) -> None:
    found = values("flume", {"head_distance_m": 0.650, **tail})
    assert found[quantity].q == q
    assert found[quantity].value == pytest.approx(177.1 * 0.15**1.55, rel=0.001)
    assert len({"discharge_lps", "discharge_lt_lps"} & set(found)) == 1
    assert found["stage_m"].value == pytest.approx(0.150), "the tailwater is no stage"


def test_a_meter_has_its_range_and_its_pulses() -> None:
    found = values("pipe", {"meter_flow_lps": 12.0, "meter_pulses": 360})
    assert found["flow_lps"].u == pytest.approx(0.24, abs=0.01)
    assert found["pulses"].value == 360
    still = values("pipe", {"meter_flow_lps": 0.0, "meter_pulses": 0})
    assert "flow_lps" not in still
    assert still["discharge_lt_lps"].value == 0.5


def test_the_flag_of_a_quality_test_travels_to_everything_made_of_the_number() -> None:
    suspect = values(flags={"weir_distance_m": 3})
    assert {v.q for v in suspect.values()} == {3}
    failed = values(flags={"weir_distance_m": 4})
    assert list(failed) == ["distance_m"]
    assert failed["distance_m"].q == 4


def test_a_stage_read_by_a_person_is_manual_and_not_evaluated() -> None:
    found = manual_values(StaffReading("outlet", TS, 0.152, "R. Q."), RECORDS, PLAN)
    stage, flow = found
    assert (stage.quantity, stage.value, stage.q, stage.manual) == ("stage_m", 0.152, 2, True)
    assert flow.quantity == "discharge_lps"
    assert flow.value == pytest.approx(12.48, abs=0.05)
    assert (flow.q, flow.manual) == (2, True)
    (_, low) = manual_values(StaffReading("outlet", TS, 0.02, "R. Q."), RECORDS, PLAN)
    assert (low.quantity, low.q) == ("discharge_lt_lps", 3)
