# SPDX-License-Identifier: MIT
"""What people told to be closed, and what they take above the mouth, on its way to an alarm."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kahriz_detect.finding import RAISED, Finding
from kahriz_gateway.village import alarms as village_alarms
from kahriz_gateway.village import store as village_store
from kahriz_gateway.village.fall import Falls
from kahriz_gateway.village.watch import Watch
from kahriz_water.plan import parse_plan
from kahriz_water.value import Value

T0, STEP_MS, DAY, HOUR = 1_790_000_100_000, 600_000, 144, 6
NAME = 'name = { az = "-", ru = "-", en = "-" }'
WEIR = 'structure = { kind = "v_notch", angle_deg = 90 }'
KINDS = {"chamber": "chamber", "garden": "flow", "outlet": "weir", "middle": "weir"}
WAYS = (("gallery", "chamber", "outlet"), ("upper", "outlet", "middle"))
PLAN = parse_plan(
    "\n".join(
        [f'[site]\nid = "here"\n{NAME}\ndistrict = "-"']
        + [
            f'[[point]]\nid = "{p}"\nkind = "{k}"\n{NAME}\ndt_s = 600'
            + (f"\n{WEIR}" if k == "weir" else "")
            for p, k in KINDS.items()
        ]
        + [
            f'[[reach]]\nid = "{r}"\n{NAME}\nfrom = "{a}"\nto = "{b}"\nlength_m = 300'
            for r, a, b in WAYS
        ]
        + [f'[[offtake]]\nid = "gate"\n{NAME}\nreach = "gallery"\npoint = "garden"']
        + [f'[[offtake]]\nid = "hatch"\n{NAME}\nreach = "upper"']
    )
)
FLOWS = ("garden", "outlet", "middle")
State = dict[str, float]


@pytest.fixture
def conn(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    made = village_store.open_village(tmp_path / "village.db")
    made.execute("PRAGMA synchronous=OFF")
    yield made
    made.close()


def usual() -> State:
    return {"garden": 0.0, "outlet": 12.0, "middle": 11.6, "chamber": 0.30}


def close(conn: sqlite3.Connection, place: str, first: int, last: int) -> None:
    with village_store.transaction(conn):
        conn.execute(
            "INSERT INTO maintenance(place, from_ms, to_ms, who, why) VALUES(?,?,?,'ali','-')",
            (place, T0 + first * STEP_MS, T0 + last * STEP_MS),
        )


def put(conn: sqlite3.Connection, n: int, state: State, noise: float = 0.0) -> int:
    rng = random.Random(n)
    ts = T0 + n * STEP_MS
    village_store.put_values(
        conn,
        [
            Value(
                point,
                "discharge_lps" if point in FLOWS else "level_m",
                ts,
                v * (1.0 + noise * rng.gauss(0.0, 1.0)),
                0.1,
                1,
            )
            for point, v in state.items()
        ],
    )
    return ts


def falls(
    conn: sqlite3.Connection, happens: Callable[[int, State], None], steps: int = 60
) -> list[int]:
    """After a usual day: the readings until the alarm, of which it is the last; none is empty."""
    with village_store.transaction(conn):
        for n in range(DAY):
            put(conn, n, usual())
    watch = Falls(conn, PLAN, {})
    for n in range(steps):
        state = usual()
        happens(n, state)
        with village_store.transaction(conn):
            watch.look(put(conn, DAY + n, state) + 10_000)
        if village_alarms.open_alarms(conn):
            return [n]
    return []


def shut_gate(_: int, state: State) -> None:
    state |= {"outlet": 0.2, "middle": 0.1, "chamber": 0.6}


def test_a_gate_that_lets_the_chamber_rise_is_no_sudden_loss(conn: sqlite3.Connection) -> None:
    assert falls(conn, shut_gate, 24) == []


@pytest.mark.parametrize("level", [0.30, 0.05, None])
def test_without_a_chamber_that_rises_it_rings_at_the_second_reading(
    conn: sqlite3.Connection, level: float | None
) -> None:
    def happens(n: int, state: State) -> None:
        shut_gate(n, state)
        state.pop("chamber")
        if level is not None:
            state["chamber"] = level

    assert falls(conn, happens) == [1]


def turn(_: int, state: State) -> None:
    state |= {"garden": 5.0, "outlet": 7.0, "middle": 6.7}


def test_what_a_metered_offtake_takes_above_the_mouth_is_no_loss(conn: sqlite3.Connection) -> None:
    assert falls(conn, turn, 24) == []


def test_nothing_waits_for_an_offtake_whose_meter_is_silent(conn: sqlite3.Connection) -> None:
    def happens(n: int, state: State) -> None:
        turn(n, state)
        del state["garden"]

    assert falls(conn, happens) == [1]


def test_more_is_lost_than_the_offtake_takes(conn: sqlite3.Connection) -> None:
    def happens(n: int, state: State) -> None:
        turn(n, state)
        state["outlet"] = 2.0

    assert falls(conn, happens) == [1]


@pytest.mark.parametrize("place", ["outlet", "gate", "gallery", "here"])
def test_a_mouth_that_people_closed_and_opened_again_is_silent(
    conn: sqlite3.Connection, place: str
) -> None:
    def happens(n: int, state: State) -> None:
        if n < 5 * HOUR:
            state |= {"outlet": 3.0, "middle": 2.9}  # a board in the channel, not all of it

    close(conn, place, DAY - 1, DAY + 5 * HOUR)
    assert falls(conn, happens) == []


def test_what_outlives_the_closure_of_a_mouth_rings_two_hours_after_it(
    conn: sqlite3.Connection,
) -> None:
    close(conn, "outlet", DAY - 1, DAY + 2 * HOUR)
    (n,) = falls(conn, lambda _, state: state.update(outlet=3.0, middle=2.9))
    assert 4 * HOUR < n < 4 * HOUR + 4


def test_a_chamber_that_falls_with_a_closed_mouth_rings_all_the_same(
    conn: sqlite3.Connection,
) -> None:
    close(conn, "outlet", DAY - 1, DAY + 8 * HOUR)
    (n,) = falls(conn, lambda _, s: s.update(outlet=3.0, middle=2.9, chamber=0.02))
    assert n <= 2


BEGINS = 5 * DAY


def watched(conn: sqlite3.Connection, ends: int) -> list[tuple[str, str, float]]:
    """A fourth of the water leaves between the weirs from the fifth day on, until `ends`."""
    watch = Watch(conn, PLAN, {})
    for first in range(0, BEGINS + DAY, HOUR):
        with village_store.transaction(conn):
            for n in range(first, first + HOUR):
                state = usual()
                if BEGINS <= n < ends:
                    state["middle"] -= 3.0
                ts = put(conn, n, state, 0.004)
            if first >= BEGINS - HOUR:
                watch.follow(dict.fromkeys(state, ts), ts + 10_000)
        if first % DAY == 2 * HOUR:  # as after a kill
            watch = Watch(conn, PLAN, {})
    found = conn.execute("SELECT kind, place, raised FROM alarm ORDER BY id").fetchall()
    return [(k, p, (ts - T0) / STEP_MS / HOUR - 5 * 24) for k, p, ts in found]


def test_a_turn_through_a_hatch_without_a_meter_rings_when_nobody_said_so(
    conn: sqlite3.Connection,
) -> None:
    ((kind, place, hours), *_) = watched(conn, BEGINS + 7 * HOUR)
    assert (kind, place) == ("leak", "upper")
    assert hours < 4.0


@pytest.mark.parametrize("place", ["hatch", "upper", "here"])
def test_the_same_turn_told_as_a_closure_is_silent(conn: sqlite3.Connection, place: str) -> None:
    close(conn, place, BEGINS - 3, BEGINS + 7 * HOUR + 3)
    assert watched(conn, BEGINS + 7 * HOUR) == []


def test_a_leak_that_outlives_the_closure_is_told_within_six_hours_of_its_end(
    conn: sqlite3.Connection,
) -> None:
    close(conn, "hatch", BEGINS - 3, BEGINS + 7 * HOUR)
    ((kind, place, hours),) = watched(conn, BEGINS + DAY)
    assert (kind, place) == ("leak", "upper")
    assert 7.0 < hours < 7.0 + 6.0


@pytest.mark.parametrize(("kind", "kept"), [("collapse", False), ("source_drop", True)])
def test_work_that_was_told_keeps_alarms_quiet_but_no_collapse(
    conn: sqlite3.Connection, kind: str, kept: bool
) -> None:
    close(conn, "outlet", 0, 6)
    with village_store.transaction(conn):
        lost = Finding(RAISED, kind, "outlet", T0 + STEP_MS, 6.0)
        village_alarms.apply(conn, [lost], PLAN, T0 + STEP_MS, {})
    (alarm,) = village_alarms.open_alarms(conn)
    assert (alarm.shelved_until is not None) == kept
