# SPDX-License-Identifier: MIT
"""Volumes and balances from the store, and the flags of quality on their way there."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from kahriz_gateway.records.toml import iso
from kahriz_gateway.records.totals import balance_of, total_of
from kahriz_gateway.village import store as village_store
from kahriz_gateway.village.interpret import Interpreter

from .waters import DT_MS, START_MS, Waters, weir


@pytest.fixture
def waters(tmp_path: Path) -> Waters:
    return Waters(tmp_path)


def flags(waters: Waters, quantity: str) -> list[int]:
    return [v.q for v in waters.values(quantity)]


def test_a_day_of_a_weir_is_as_uncertain_as_its_zero(waters: Waters) -> None:
    waters.put(weir(0.150 + 0.002 * (k % 2)) for k in range(288))
    waters.work()
    outlet = waters.plan.point("outlet")
    assert outlet is not None
    found = total_of(waters.conn, outlet, START_MS, START_MS + 288 * DT_MS)
    assert found is not None
    assert found.m3 == pytest.approx(12.27 * 86.4, rel=0.01)
    assert found.coverage == pytest.approx(1.0)
    one = waters.values("discharge_lps")[0]
    assert found.u_m3 / found.m3 == pytest.approx((one.u or 0) / one.value, rel=0.05)
    assert found.u_random_m3 < 0.01 * found.u_m3
    told = waters.run(
        *("total", "--point", "outlet", "--from", iso(START_MS)),
        *("--to", iso(START_MS + 288 * DT_MS), "--json"),
    )
    assert json.loads(told)["m3"] == pytest.approx(found.m3)


def test_a_reach_between_two_weirs_has_the_errors_of_both(waters: Waters) -> None:
    waters.put(weir(0.150) for _ in range(100))
    waters.put((weir(0.140) for _ in range(100)), node="middle")
    waters.work()
    upper = waters.plan.reach("upper")
    assert upper is not None
    found = balance_of(waters.conn, waters.plan, upper, START_MS, START_MS + 100 * DT_MS)
    assert found is not None
    assert found.lost_m3 == pytest.approx((12.07 - 10.17) * 30.0, rel=0.02)
    assert found.u_m3 == pytest.approx(math.hypot(found.above.u_m3, found.below.u_m3))
    span = ("--from", iso(START_MS), "--to", iso(START_MS + 100 * DT_MS))
    assert "within the ±" in waters.run("total", "--reach", "upper", *span)
    assert "says nothing" in waters.run("total", "--reach", "lower", *span, code=1)
    assert "upper, lower" in waters.run("total", "--reach", "middle", *span, code=3)
    lower = waters.plan.reach("lower")
    assert lower is not None
    assert balance_of(waters.conn, waters.plan, lower, START_MS, START_MS + DT_MS) is None


def test_a_drought_is_a_range_and_not_nothing(waters: Waters) -> None:
    waters.put(weir(0.040) for _ in range(12))
    waters.work()
    told = waters.run(
        *("total", "--point", "outlet", "--from", iso(START_MS)),
        *("--to", iso(START_MS + 12 * DT_MS)),
    )
    assert "0.0 to 4.5 m3" in told
    late = iso(START_MS + 10**9)
    none = waters.run("total", "--point", "outlet", "--from", late, "--to", "2030-01-01", code=1)
    assert "no reading speaks" in none


def test_a_bird_under_the_sensor_is_suspect_once_the_next_reading_is_there(
    waters: Waters,
) -> None:
    waters.put([weir(0.150), weir(0.151), weir(0.290)])
    waters.work()
    assert flags(waters, "discharge_lps") == [1, 1, 1]
    waters.put([weir(0.150)], first=3)
    waters.work()
    assert flags(waters, "discharge_lps") == [1, 1, 3, 1]
    assert flags(waters, "stage_m") == [1, 1, 3, 1]


def test_an_echo_from_nowhere_fails_afterwards_and_takes_its_discharge_back(
    waters: Waters,
) -> None:
    waters.put([weir(0.150), weir(0.150), weir(-1.4)])
    waters.work()
    assert len(waters.values("discharge_lt_lps")) == 1
    waters.put([weir(0.150)], first=3)
    changes = waters.changes()
    waters.work()
    assert flags(waters, "distance_m") == [4]
    assert flags(waters, "discharge_lt_lps") == [9]
    assert waters.changes() > changes + 3, "outputs hear that it is gone"


def test_a_gate_that_opens_and_a_leak_are_not_suspect(waters: Waters) -> None:
    waters.put(weir(h) for h in [0.150] * 6 + [0.120] * 6 + [0.220] * 6)
    waters.work()
    assert flags(waters, "discharge_lps") == [1] * 18


def test_a_stuck_sensor_is_suspect_after_a_day_however_its_rows_arrive(tmp_path: Path) -> None:
    found = []
    for size in (400, 12):
        folder = tmp_path / str(size)
        folder.mkdir()
        waters = Waters(folder)
        for first in range(0, 400, size):
            waters.put((weir(0.150) for _ in range(min(size, 400 - first))), first=first)
            waters.work()
            waters.interpreter = Interpreter(waters.conn, waters.plan)  # a restart
        found.append(flags(waters, "stage_m"))
    assert found[0] == [1] * 288 + [3] * 112
    assert found[1] == found[0]


def test_recomputing_gives_the_same_flags(waters: Waters) -> None:
    waters.put(weir(0.150 if k % 17 else 0.260) for k in range(60))
    waters.work()
    before = flags(waters, "discharge_lps")
    assert before.count(3) == 3, "the first and the last have no neighbour"
    waters.run("recompute", "--since", iso(START_MS))
    assert flags(waters, "discharge_lps") == before
    with village_store.transaction(waters.conn):
        village_store.set_cursor(waters.conn, "village", 0)
    waters.work()
    assert flags(waters, "discharge_lps") == before
