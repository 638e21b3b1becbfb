# SPDX-License-Identifier: MIT
"""Values stored many at a time: each one once, and only what differs is followed."""

from pathlib import Path

import pytest

from kahriz_gateway import village_store
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
    told = [row["ts"] for row in conn.execute("SELECT ts FROM change ORDER BY rev")]
    assert told == [TS_MS + i * 300_000 for i in range(count)]  # a moment once, not a quantity
    conn.close()


def test_among_values_that_stand_already_only_those_that_differ_are_told(tmp_path: Path) -> None:
    conn = village_store.open_village(tmp_path / "village.db")
    village_store.put_values(conn, [value(i) for i in range(60)])
    conn.execute("DELETE FROM change")
    again = [value(i, worth=0.5 if i in (3, 58) else 0.25) for i in range(62)]
    assert village_store.put_values(conn, again) == 4
    told = [row["ts"] for row in conn.execute("SELECT ts FROM change ORDER BY rev")]
    assert told == [TS_MS + i * 300_000 for i in (3, 58, 60, 61)]
    conn.close()


def test_of_two_values_for_one_moment_the_later_one_stands(tmp_path: Path) -> None:
    conn = village_store.open_village(tmp_path / "village.db")
    village_store.put_values(conn, [value(1, worth=0.1 * i) for i in range(1, 9)])
    assert [row["value"] for row in conn.execute("SELECT value FROM value")] == [0.8]
    conn.close()
