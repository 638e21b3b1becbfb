# SPDX-License-Identifier: MIT
"""The guided tests: a pool shut for a night, a pool that fills, a bucket and a watch."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import Serve
from phone import Phone
from stores_made import HOUR, MIN, NOW, HandClock, living, plan_of, put

from kahriz_gateway import records_store, village_store
from kahriz_gateway.committee import book, pins
from kahriz_gateway.village_store import Value
from kahriz_water.pool import area_m2

POOL = plan_of().point("pool")
assert POOL is not None
AREA = area_m2(1.5, POOL.level_volume)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def phone(tmp_path: Path, serve: Serve, clock: HandClock) -> Phone:
    living(tmp_path)
    pin = pins.set_pin(book.open_book(tmp_path), "aqsaqqal", "committee", NOW)
    phone = Phone(serve(tmp_path, clock))
    phone.enter(pin)
    phone.cookies["lang"] = "en"
    return phone


def _night(data: Path, fall_m_h: float, hours: int = 8, every: int = 5) -> None:
    """Level readings after NOW, falling so many metres an hour, with a millimetre of noise."""
    put(
        data,
        [
            Value("pool", "level_m", NOW + m * MIN, 1.5 - fall_m_h * m / 60 + (m % 3 - 1) * 5e-4,
                  0.01, 1)
            for m in range(0, hours * 60 + 1, every)
        ],
    )  # fmt: skip


def _shut(phone: Phone, **more: str) -> str:
    status, _ = phone.send("/tests/pool", **{"point": "pool", "hours": "8", "way": "drawdown",
                                             "inflow": "inlet"} | more)  # fmt: skip
    assert status == 303
    return phone.sent_to


@pytest.mark.parametrize(
    ("fall_m_h", "words"),
    [(0.0, "No loss that this test can see"), (0.002, "The pool loses water"),
     (-0.004, "The level rose")],
)  # fmt: skip
def test_the_level_of_a_night_tells(
    tmp_path: Path, phone: Phone, clock: HandClock, fall_m_h: float, words: str
) -> None:
    asked = phone.get("/tests/pool")[1]
    assert f"a loss from {AREA * 3 / 8:.0f} L/h can be seen" in asked
    path = _shut(phone)
    assert "Keep it shut" in phone.get(path)[1]
    assert phone.send(path, end="keep")[0] == 409  # the night is not over
    _night(tmp_path, fall_m_h)
    clock.ms = NOW + 8 * HOUR
    assert words in phone.get(path)[1]
    assert phone.send(path, end="keep")[0] == 303
    assert words in phone.get("/tests/pool")[1]
    (kept,) = book.entries(book.open_book(tmp_path), "pool result")
    assert kept.body["loss_lph"] == pytest.approx(fall_m_h * AREA * 1000, abs=AREA * 3 / 8)
    assert phone.get(path)[0] == 404  # it has its result


def test_a_night_that_was_not_measured_says_nothing(
    tmp_path: Path, phone: Phone, clock: HandClock
) -> None:
    path = _shut(phone)
    _night(tmp_path, 0.0, hours=3)
    clock.ms = NOW + 8 * HOUR
    page = phone.get(path)[1]
    assert "Too little was measured" in page
    assert "No loss" not in page


def test_while_it_fills_the_inflow_is_compared(
    tmp_path: Path, phone: Phone, clock: HandClock
) -> None:
    path = _shut(phone, way="filling")
    inflow = 10.0  # L/s in, of which 2 do not arrive in the pool
    _night(tmp_path, -(inflow - 2.0) * 3.6 / AREA)
    put(
        tmp_path,
        [Value("inlet", "discharge_lps", NOW + m * MIN, inflow, 0.4, 1) for m in range(0, 481, 5)],
    )
    clock.ms = NOW + 8 * HOUR
    assert "The pool loses water" in phone.get(path)[1]
    phone.send(path, end="keep")
    (kept,) = book.entries(book.open_book(tmp_path), "pool result")
    assert kept.body["loss_lph"] == pytest.approx(7200, rel=0.05)
    assert kept.body["u_lph"] > AREA * 3 / 8  # only as fine as the inflow's weir


def test_wind_ends_a_test_without_a_result_and_plots_are_asked(
    tmp_path: Path, phone: Phone
) -> None:
    phone.send("/turns/set", point="outlet", start="2026-11-23T06:00", flow_lps="12",
               plots="A1 240\nB2 240\nC3 960")  # fmt: skip
    assert "Without water in that time: B2, C3" in phone.get("/tests/pool")[1]
    path = _shut(phone)
    assert phone.send(path, end="abort", why="külək")[0] == 303
    kinds = [e.kind for e in book.entries(book.open_book(tmp_path))]
    assert kinds == ["entered", "rota", "pool test", "pool test ended"]
    assert phone.get(path)[0] == 404


def test_a_bucket_says_how_far_the_node_is_off(tmp_path: Path, phone: Phone) -> None:
    runs = {f"litres{i}": "20" for i in range(3)} | {f"seconds{i}": "8,1" for i in range(3)}
    status, page = phone.send("/tests/gauging", point="outlet", **runs)
    assert status == 200
    assert "2.47" in page
    assert "The node says 1" in page
    assert "too far" in page
    conn = village_store.open_village(tmp_path / "village.db", read_only=True)
    (kept,) = records_store.gaugings(conn, "outlet")
    assert (kept.who, len(kept.runs), kept.complaints()) == ("aqsaqqal", 3, [])


@pytest.mark.parametrize(
    ("runs", "said"),
    [
        ([("20", "8"), ("20", "8")], "At least three runs"),
        ([("20", "8"), ("20", "8"), ("20", "12")], "apart, at most 5 %"),
        ([("20", "8"), ("20", "8"), ("20", "0,1")], "not possible"),
        ([("20", "8"), ("-4", "8"), ("20", "8")], "not possible"),
    ],
)
def test_runs_that_do_not_count_are_refused(
    tmp_path: Path, phone: Phone, runs: list[tuple[str, str]], said: str
) -> None:
    form = {f"litres{i}": x for i, (x, _) in enumerate(runs)}
    form |= {f"seconds{i}": s for i, (_, s) in enumerate(runs)}
    status, page = phone.send("/tests/gauging", point="outlet", **form)
    assert status == 400
    assert said in page
    conn = village_store.open_village(tmp_path / "village.db", read_only=True)
    assert records_store.gaugings(conn) == []
