# SPDX-License-Identifier: MIT
"""Make the stores of this version for the tests of later versions:

    .venv/bin/python tests/data/stores/make.py

writes readings-v<schema>.db and village-v<schema>.db beside itself, and refuses to touch a file
that is there: what a release has written stays as it was written.
"""

from __future__ import annotations

import sqlite3
import sys
from pathlib import Path

from kahriz_gateway.intake import store
from kahriz_gateway.intake.accept import Accept
from kahriz_gateway.records import records
from kahriz_gateway.village import store as village_store
from kahriz_water.plan import parse_plan
from kahriz_wire.messages import Hello, Row, encode_hello, encode_rows

HERE = Path(__file__).parent
SITE = HERE.parents[2] / "firmware" / "kahriz_sim" / "sites" / "banovshalar-gozlu"
NOW_MS = 1_795_000_000_000
JOURNAL = "9f3a01c2"


class Clock:
    def now_ms(self) -> int:
        return NOW_MS

    def trusted(self) -> bool:
        return True

    def not_before(self, ms: int) -> None:
        pass


def fill_readings(path: Path) -> None:
    """Rows of all sorts: synced, estimated, undated, closed, missing, in quarantine, repeated."""
    conn = store.open_store(path, "banovshalar-gozlu")
    store.put_meta(conn, "store", "c41d0001")
    accept = Accept(conn, "banovshalar-gozlu", lambda node: node != "stranger", Clock())

    def tell(node: str, kind: str, payload: bytes) -> None:
        conn.execute("BEGIN IMMEDIATE")
        accept.message(f"kahriz/v1/banovshalar-gozlu/{node}/{kind}", payload)
        accept.books.save(NOW_MS)
        conn.execute("COMMIT")

    def rows(first: int, last: int) -> list[Row]:
        return [
            Row(n, 1, {"weir_distance_m": 0.6 + n / 1e4, "air_c": 14.5}, NOW_MS - 10**7 + n * 10**4)
            for n in range(first, last + 1)
        ]

    tell("outlet", "hello", encode_hello(Hello("5be1c07a", JOURNAL, 5, 41)))
    tell("outlet", f"up/{JOURNAL}", encode_rows(rows(5, 14)))
    tell("outlet", f"up/{JOURNAL}", encode_rows(rows(5, 8)))
    tell("outlet", f"up/{JOURNAL}", encode_rows(rows(21, 30)))
    late = Row(31, 1, {"weir_distance_m": 0.61}, NOW_MS - 10**6, "est")
    tell("outlet", f"up/{JOURNAL}", encode_rows([late]))
    tell("middle", "hello", encode_hello(Hello("5be1c07b", "aaaa0001", 1, 3)))
    lost = Row(1, 9, {"weir_fault": "timeout"}, None, "unk", 300, 7)
    tell("middle", "up/aaaa0001", encode_rows([lost]))
    tell("middle", "hello", encode_hello(Hello("5be1c07c", "bbbb0002", 1, 1)))
    tell("middle", "up/aaaa0001", b"not JSON")
    tell("stranger", "hello", b"{}")
    _close(conn)


def fill_village(path: Path) -> None:
    """Deployments, values, an alarm with its life, cursors."""
    conn = village_store.open_village(path)
    plan = parse_plan((SITE / "site.toml").read_text(encoding="utf-8"))
    records.import_records(conn, SITE / "records.toml", plan)
    values = [
        village_store.Value("outlet", "discharge_lps", NOW_MS - n * 300_000, 12.1, 0.9, 1)
        for n in range(12)
    ]
    village_store.put_values(conn, values)
    conn.executescript(
        "INSERT INTO alarm(id, kind, place, state, raised, stored, lps, evidence)"
        f" VALUES(1, 'leak', 'upper', 'notified', {NOW_MS}, {NOW_MS}, 2.1, '{{}}');"
        f"INSERT INTO alarm_event(id, alarm, at, what) VALUES(1, 1, {NOW_MS}, 'raised');"
        "INSERT INTO delivery(alarm_event, channel, state) VALUES(1, 'log', 'delivered');"
    )
    village_store.set_cursor(conn, "village", 21)
    village_store.set_state(conn, "alive_ms", NOW_MS)
    _close(conn)


def _close(conn: sqlite3.Connection) -> None:
    conn.execute("PRAGMA journal_mode=DELETE")
    conn.execute("VACUUM")
    conn.close()


def main() -> int:
    made = (
        (f"readings-v{len(store.MIGRATIONS)}.db", fill_readings),
        (f"village-v{len(village_store.MIGRATIONS)}.db", fill_village),
    )
    for name, fill in made:
        if (HERE / name).exists():
            print(f"{name}: there already, left as it was written")
        else:
            fill(HERE / name)
            print(f"{name}: {(HERE / name).stat().st_size} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
