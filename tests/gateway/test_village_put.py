# SPDX-License-Identifier: MIT
"""Values stored many at a time, each once; what differs is told, and forgotten when all know."""

from pathlib import Path

import pytest

from kahriz_gateway.village import store as village_store
from kahriz_gateway.village.changes import (
    SPAN_MOST,
    Span,
    changed_since,
    newest,
    prune,
    pruned_upto,
    put_changed,
)
from kahriz_gateway.village.moments import values_in
from kahriz_water.value import Value

TS_MS = 1_795_000_000_000


def value(number: int, quantity: str = "stage_m", worth: float = 0.25) -> Value:
    return Value("weir", quantity, TS_MS + number * 300_000, worth, 0.01, 1)


@pytest.mark.parametrize("count", [0, 1, 7, 8, 9, 47, 48, 49, 105])
def test_any_number_of_values_is_stored_whole_and_told_of_in_order(
    tmp_path: Path, count: int
) -> None:
    conn = village_store.open_village(tmp_path / "village.db")
    values = [value(i, q) for i in range(count) for q in ("stage_m", "water_c")]
    assert village_store.put_values(conn, values) == 2 * count
    stored = conn.execute("SELECT * FROM value ORDER BY ts, quantity").fetchall()
    assert [village_store.value_of(row) for row in stored] == values
    mark, told = changed_since(conn, 0, 10_000)
    assert mark == count  # a moment once, not a quantity
    assert told == ([Span("weir", values[0].ts, values[-1].ts)] if count else [])
    assert sorted(values_in(conn, told), key=lambda v: (v.ts, v.quantity)) == values
    conn.close()


def test_of_values_that_stand_already_nothing_is_told_and_what_differs_is(tmp_path: Path) -> None:
    conn = village_store.open_village(tmp_path / "village.db")
    village_store.put_values(conn, [value(i) for i in range(200)])
    before = newest(conn)
    assert village_store.put_values(conn, [value(i) for i in range(200)]) == 0
    assert newest(conn) == before
    again = [value(i, worth=0.5 if i == 3 else 0.25) for i in range(200)] + [value(203)]
    assert village_store.put_values(conn, again) == 2
    told = {v.ts for v in values_in(conn, changed_since(conn, before, 10_000)[1])}
    assert {TS_MS + 3 * 300_000, TS_MS + 203 * 300_000} <= told
    assert len(told) < 100, "not all of them again"
    conn.close()


def test_of_two_values_for_one_moment_the_later_one_stands(tmp_path: Path) -> None:
    conn = village_store.open_village(tmp_path / "village.db")
    village_store.put_values(conn, [value(1, worth=0.1 * i) for i in range(1, 9)])
    assert [row["value"] for row in conn.execute("SELECT value FROM value")] == [0.8]
    conn.close()


def test_moments_far_apart_and_of_two_points_are_spans_of_their_own(tmp_path: Path) -> None:
    conn = village_store.open_village(tmp_path / "village.db")
    hour = 3_600_000
    put_changed(conn, [("b", 0), ("a", 5 * hour), ("a", 0), ("a", hour), ("a", 0)])
    assert changed_since(conn, 0, 10) == (
        4,
        [("a", 0, hour), ("a", 5 * hour, 5 * hour), ("b", 0, 0)],
    )
    assert changed_since(conn, 0, 1) == (2, [("a", 0, hour)]), "a follower may take one at a time"
    put_changed(conn, [("c", i) for i in range(SPAN_MOST + 1)])
    assert changed_since(conn, 4, 10_000) == (
        4 + SPAN_MOST + 1, [("c", 0, SPAN_MOST - 1), ("c", SPAN_MOST, SPAN_MOST)]
    )  # fmt: skip
    conn.close()


def test_what_everybody_has_been_told_is_forgotten_and_numbers_go_on(tmp_path: Path) -> None:
    conn = village_store.open_village(tmp_path / "village.db")
    for i in range(5):
        put_changed(conn, [("weir", i)])
    village_store.set_cursor(conn, "influx", 5)
    village_store.set_cursor(conn, "csv", 3)
    assert prune(conn, ["influx", "csv", "new"]) == 0, "one has been told nothing yet"
    assert prune(conn, ["influx", "csv"]) == 3
    assert pruned_upto(conn) == 3
    assert changed_since(conn, 3, 10) == (5, [("weir", 3, 3), ("weir", 4, 4)])
    assert prune(conn, ["influx"]) == 1
    put_changed(conn, [("weir", 9)])
    assert changed_since(conn, 5, 10) == (6, [("weir", 9, 9)])
    assert prune(conn, []) == 1, "without outputs nothing waits"
    assert newest(conn) == 6
    conn.close()
