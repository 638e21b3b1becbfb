# SPDX-License-Identifier: MIT
"""The first word about a sudden loss: from fresh readings, once, joined with what comes later."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from kahriz_detect.finding import RAISED, Finding
from kahriz_gateway.village import alarms as village_alarms
from kahriz_gateway.village import store as village_store
from kahriz_gateway.village.fall import Falls
from kahriz_water.plan import parse_plan
from kahriz_water.value import Value

SITES = Path(__file__).parents[2] / "firmware" / "kahriz_sim" / "sites"
PLAN = parse_plan((SITES / "banovshalar-gozlu" / "site.toml").read_text(encoding="utf-8"))
T0, STEP_MS, DAY = 1_790_000_100_000, 300_000, 288


@pytest.fixture
def conn(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    made = village_store.open_village(tmp_path / "village.db")
    made.execute("PRAGMA synchronous=OFF")
    yield made
    made.close()


def arrive(conn: sqlite3.Connection, lps: list[float], late_ms: int = 10_000) -> None:
    """A day of 12 L/s, then these readings, looked at as each one comes."""
    with village_store.transaction(conn):
        day = [Value("outlet", "discharge_lps", T0 + n * STEP_MS, 12.0, 0.1, 1) for n in range(DAY)]
        village_store.put_values(conn, day)
    falls = Falls(conn, PLAN, {})
    for n, value in enumerate(lps, DAY):
        ts = T0 + n * STEP_MS
        with village_store.transaction(conn):
            village_store.put_values(conn, [Value("outlet", "discharge_lps", ts, value, 0.1, 1)])
            falls.look(ts + late_ms)


def alarms(conn: sqlite3.Connection) -> list[tuple[str, str, bool]]:
    found = village_alarms.open_alarms(conn)
    return [(a.kind, a.place, a.calm is not None) for a in found]


def test_two_low_readings_ring_and_one_does_not(conn: sqlite3.Connection) -> None:
    arrive(conn, [6.0])
    assert alarms(conn) == []
    arrive(conn, [6.0, 6.1])
    assert alarms(conn) == [("source_drop", "outlet", False)]


def test_a_young_village_that_was_away_while_the_water_fell_tells_it_when_it_is_back(
    conn: sqlite3.Connection,
) -> None:
    calm, low = ([lps] * count for lps, count in ((12.0, 60), (6.0, 16)))
    values = [
        Value("outlet", "discharge_lps", T0 + n * STEP_MS, lps, 0.1, 1)
        for n, lps in enumerate(calm + low)
    ]
    with village_store.transaction(conn):
        village_store.put_values(conn, values[: len(calm)])
        Falls(conn, PLAN, {}).look(values[len(calm) - 1].ts)
        village_store.put_values(conn, values[len(calm) :])
        Falls(conn, PLAN, {}).look(values[-1].ts + 10_000)
    assert alarms(conn) == [("source_drop", "outlet", False)]


@pytest.mark.parametrize("minutes", [5, 15, 20, 30, 45, 60])
@pytest.mark.parametrize("late_s", [0, 59])
def test_a_loss_is_told_at_the_second_reading_however_far_apart_they_are(
    conn: sqlite3.Connection, minutes: int, late_s: int
) -> None:
    step_ms = minutes * 60_000
    falls, told = Falls(conn, PLAN, {}), []
    usual = 30 * 60 // minutes
    for n in range(usual + 3):
        ts = T0 + n * step_ms + (n % 2) * late_s * 1000  # no node wakes to the second
        lps = 12.0 if n < usual else 6.0
        with village_store.transaction(conn):
            village_store.put_values(conn, [Value("outlet", "discharge_lps", ts, lps, 0.1, 1)])
            falls.look(ts + 10_000)
        told.append(len(alarms(conn)))
    assert told == [0] * (usual + 1) + [1, 1]


def test_a_loss_in_a_batch_of_half_a_day_is_told_when_the_batch_comes(
    conn: sqlite3.Connection,
) -> None:
    text = (SITES / "banovshalar-gozlu" / "site.toml").read_text(encoding="utf-8")
    hourly = parse_plan(text.replace("dt_s = 300", "dt_s = 3600", 1))  # the outlet stands first
    falls, hour_ms = Falls(conn, hourly, {}), 3_600_000
    for first in (
        0,
        12,
        24,
    ):  # twelve readings a batch; the water falls with the second of the last
        come = [
            Value("outlet", "discharge_lps", T0 + n * hour_ms, 12.0 if n < 25 else 4.0, 0.1, 1)
            for n in range(first, first + 12)
        ]
        with village_store.transaction(conn):
            village_store.put_values(conn, come)
            falls.look(come[-1].ts + 10_000)
    assert alarms(conn) == [("source_drop", "outlet", False)]


def test_two_low_readings_with_hours_of_silence_between_them_are_not_one_loss(
    conn: sqlite3.Connection,
) -> None:
    arrive(conn, [6.0])
    late = T0 + (DAY + 48) * STEP_MS  # four hours
    with village_store.transaction(conn):
        village_store.put_values(conn, [Value("outlet", "discharge_lps", late, 6.0, 0.1, 1)])
        Falls(conn, PLAN, {}).look(late + 10_000)
    assert alarms(conn) == []


def test_a_history_rings_nobody(conn: sqlite3.Connection) -> None:
    arrive(conn, [6.0, 6.1, 6.0], late_ms=6 * 3_600_000)
    assert alarms(conn) == []


def test_water_that_is_back_is_calm_but_not_yet_proved(conn: sqlite3.Connection) -> None:
    arrive(conn, [6.0, 6.0, 6.0, 11.9, 11.9])
    assert alarms(conn) == [("source_drop", "outlet", True)]


def test_a_slow_fade_after_a_storm_rings_nobody(conn: sqlite3.Connection) -> None:
    arrive(conn, [12.0 * 0.998**n for n in range(200)])  # 2 % an hour
    assert alarms(conn) == []


def test_what_turns_out_to_be_a_collapse_is_told_with_it(conn: sqlite3.Connection) -> None:
    arrive(conn, [6.0, 6.0])
    now = T0 + (DAY + 2) * STEP_MS
    with village_store.transaction(conn):
        collapse = Finding(RAISED, "collapse", "outlet", now, 6.0)
        village_alarms.apply(conn, [collapse], PLAN, now, {})
    falls = Falls(conn, PLAN, {})
    with village_store.transaction(conn):
        village_store.put_values(conn, [Value("outlet", "discharge_lps", now, 6.0, 0.1, 1)])
        falls.look(now + 10_000)
    first, second = village_alarms.open_alarms(conn)
    assert (first.kind, first.parent) == ("source_drop", second.id)
