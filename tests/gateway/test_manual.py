# SPDX-License-Identifier: MIT
"""Readings of people: manual values that count, and checks of the sensor beside the staff gauge."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kahriz_gateway.records import manual as manual_store
from kahriz_gateway.records import store as records_store
from kahriz_gateway.records.records import export_records
from kahriz_gateway.records.toml import iso
from kahriz_gateway.village import store as village_store

from .waters import DT_MS, START_MS, Waters, weir


@pytest.fixture
def waters(tmp_path: Path) -> Waters:
    return Waters(tmp_path)


def at(k: float) -> str:
    return iso(round(START_MS + k * DT_MS))


def read(waters: Waters, staff_cm: float, k: float, *more: str) -> str:
    return waters.run(
        *("reading", "add", "--point", "outlet", "--staff-cm", str(staff_cm)),
        *("--who", "Ş. Əliyeva", "--at", at(k), *more),
    )


def test_a_reading_typed_by_hand_is_manual_flagged_and_counted(waters: Waters) -> None:
    told = read(waters, 15.2, 0.0)
    assert told.endswith("15.2 cm, Ş. Əliyeva: not compared yet\n")
    (flow,) = waters.values("discharge_lps")
    assert flow.value == pytest.approx(12.48, abs=0.05)
    assert (flow.q, flow.manual) == (2, True)
    assert waters.changes() >= 1, "outputs hear of the moment"
    told = waters.run("total", "--point", "outlet", "--from", at(0), "--to", at(1))
    assert "3.7 m3" in told
    assert "1 of them manual" in told


def test_a_reading_with_its_picture_comes_out_with_the_records(waters: Waters) -> None:
    photo = waters.folder / "staff.jpg"
    photo.write_bytes(b"\xff\xd8")
    read(waters, 15.2, 0.0, "--photo", str(photo), "--note", "leaves at the plate")
    exported = export_records(waters.conn)
    assert f'photo = "{photo}"' in exported
    assert 'note = "leaves at the plate"' in exported
    missing = waters.run(
        *("reading", "add", "--point", "outlet", "--staff-cm", "15", "--who", "x"),
        *("--photo", str(waters.folder / "none.jpg")),
        code=2,
    )
    assert "doesnotexist" in re.sub(r"\W", "", missing)  # in a frame, lines break anywhere


def test_a_reading_waits_for_the_sensors_row_and_is_then_a_check(waters: Waters) -> None:
    waters.put(weir(0.150) for _ in range(6))
    waters.work()
    unchecked = waters.values("discharge_lps")[0].u or 0.0
    read(waters, 15.1, 8.2)
    waters.work()
    assert records_store.load(waters.conn).staff[0].computed_m is None
    waters.put((weir(0.150) for _ in range(6)), first=6)  # the hour's upload
    waters.work()
    (check,) = records_store.load(waters.conn).staff
    assert check.computed_m == pytest.approx(0.150)
    assert check.zero_m == 0.8
    u = {v.ts: v.u or 0.0 for v in waters.values("discharge_lps") if not v.manual}
    assert u[START_MS] == pytest.approx(unchecked), "it says nothing about the time before it"
    assert u[START_MS + 9 * DT_MS] < unchecked, "a sensor that agrees is known better"
    assert "+1 mm against the sensor" in waters.run("reading", "list")


def test_a_sensor_too_far_from_the_staff_gauge_is_noted_until_it_agrees(waters: Waters) -> None:
    waters.put(weir(0.150) for _ in range(12))
    waters.work()
    told = read(waters, 16.4, 3.0)
    assert "+14 mm against the sensor: beyond 10 mm" in told
    note = manual_store.instrument_notes(waters.conn)["outlet"]
    assert (note["offset_mm"], note["who"]) == (14.0, "Ş. Əliyeva")
    assert "instrument +14 mm off" in waters.run("reading", "list")
    waters.work()
    u = {v.ts: (v.u or 0) / v.value for v in waters.values("discharge_lps") if not v.manual}
    assert u[START_MS + 4 * DT_MS] > 2 * u[START_MS + 2 * DT_MS]
    read(waters, 15.2, 8.0)
    assert manual_store.instrument_notes(waters.conn) == {}


def test_manual_values_follow_a_new_rating_and_outlive_a_recomputation(waters: Waters) -> None:
    waters.put(weir(0.150) for _ in range(4))
    waters.work()
    read(waters, 15.0, 2.0)  # the very moment of a row of the sensor
    read(waters, 15.0, 2.5)
    waters.import_(
        f"""[[rating]]
point = "outlet"
from = {at(0)}
author = "R. Quliyev"
structure = {{ kind = "v_notch", angle_deg = 60 }}
"""
    )
    waters.work()
    waters.run("recompute", "--since", at(0))
    flows = waters.values("discharge_lps")
    assert [v.manual for v in flows] == [False, False, False, True, False]
    assert [v.value for v in flows] == pytest.approx([6.98] * 5, rel=0.002)


def test_readings_of_people_wake_no_detector(waters: Waters) -> None:
    read(waters, 15.0, 1.0)
    assert village_store.values_between(waters.conn, "outlet", "stage_m", 0, 2 * START_MS) == []


def test_a_point_or_a_stage_that_cannot_be_is_refused(waters: Waters) -> None:
    wrong = waters.run("reading", "add", "--point", "sea", "--staff-cm", "1", "--who", "x", code=3)
    assert "one of outlet" in wrong
    far = waters.run(
        "reading", "add", "--point", "outlet", "--staff-cm", "9999", "--who", "x", code=2
    )
    assert "2000" in far
