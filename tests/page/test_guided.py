# SPDX-License-Identifier: MIT
"""The guided tests: a pool shut for a night, a pool that fills, a bucket and a watch."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import Serve
from phone import Phone
from stores_made import HOUR, MIN, NOW, HandClock, living, plan_of, put

from kahriz_gateway.committee import book, pins
from kahriz_gateway.records import store as records_store
from kahriz_gateway.village import store as village_store
from kahriz_gateway.village.store import Value
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


def _wave(data: Path, start: int, grams: float, lps: float, factor: float = 0.0005) -> None:
    """What a probe stores every 10 s while salt passes in a flow: its area is grams / (k Q)."""
    rows = range(60)
    shape = [max(0.0, 1.0 - abs(k - 25) / 10) for k in rows]
    top = grams / (factor * lps) / (10 * sum(shape))
    put(data, [Value("outlet", "us_cm", start + k * 10_000, 400 + top * s, 2.0, 1)
               for k, s in zip(rows, shape, strict=True)])  # fmt: skip


def test_the_stored_wave_of_a_probe_gauges_and_asks_for_a_second_stage(
    tmp_path: Path, phone: Phone, clock: HandClock
) -> None:
    assert "No probe" in phone.get("/tests/salt")[1]
    form = {"point": "outlet", "probe": "outlet", "factor": "0,5"}
    for i in range(3):
        start = NOW - (3 - i) * 20 * MIN
        _wave(tmp_path, start, 500.0, 12.0)
        begun = 5 + 20 * i  # minutes past ten
        form |= {f"grams{i}": "500", f"from{i}": f"2026-11-23T10:{begun:02}"}
        form |= {f"until{i}": f"2026-11-23T10:{begun + 10:02}"}
    status, page = phone.send("/tests/salt", **form)
    assert status == 200
    assert "<b>12.00</b>" in page
    assert "gauge once more when it runs below 10.2 or above 14.1 L/s" in page
    assert "That is so now" not in page
    hub = phone.get("/work")[1]
    assert "gauge once more when it runs below 10.2" in hub
    put(tmp_path, [Value("outlet", "discharge_lps", NOW + HOUR, 9.0, 0.3, 1)])
    clock.ms = NOW + HOUR
    assert "That is so now" in phone.get("/work")[1]
    conn = village_store.open_village(tmp_path / "village.db", read_only=True)
    (kept,) = records_store.gaugings(conn, "outlet")
    assert (kept.method, len(kept.runs), kept.complaints()) == ("salt", 3, [])


def test_a_span_without_a_wave_is_named(tmp_path: Path, phone: Phone) -> None:
    _wave(tmp_path, NOW - HOUR, 500.0, 12.0)
    form = {"point": "outlet", "probe": "outlet", "factor": "0,5"}
    for i in range(3):
        form |= {f"grams{i}": "500", f"from{i}": "2026-11-22T10:00"}
        form |= {f"until{i}": "2026-11-22T10:10"}
    status, page = phone.send("/tests/salt", **form)
    assert status == 400
    assert "Run 1: the probe has 0 readings in that time" in page
    assert "2026-11-22T10:10" in page
    backwards = form | {"until0": "2026-11-22T09:00"}
    assert "Run 1: the end after the start" in phone.send("/tests/salt", **backwards)[1]


def test_a_pool_that_fills_gauges_its_inflow(tmp_path: Path, phone: Phone) -> None:
    form = {"point": "outlet", "pool": "pool", "level": "1,5"}
    form |= {f"rise{i}": "5" for i in range(3)} | {f"minutes{i}": "20" for i in range(3)}
    status, page = phone.send("/tests/filling", **form)
    assert status == 200
    assert f"<b>{AREA * 0.05 * 1000 / 1200:.2f}</b>" in page
    conn = village_store.open_village(tmp_path / "village.db", read_only=True)
    assert records_store.gaugings(conn, "outlet")[0].method == "pool"
