# SPDX-License-Identifier: MIT
"""office.db: the gateways that are known, the newest heartbeat of each, the book of alarms.

A heartbeat is on the disk before it is answered; a kill at any moment loses nothing that was.
"""

from __future__ import annotations

import os
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from kahriz_alarms.heartbeat import beat as wire
from kahriz_alarms.heartbeat.beat import Beat
from kahriz_alarms.loop import schema, store
from kahriz_alarms.loop.store import get_state as get_state
from kahriz_alarms.loop.store import set_state as set_state
from kahriz_alarms.loop.store import transaction as transaction

FILE = "office.db"
SLACK_MS = 60_000

# One entry is one step of the schema; steps are only ever appended.
MIGRATIONS: tuple[str, ...] = (
    schema.ALARMS
    + schema.ALARM_LOOP
    + """
-- key: the public half; n: the newest heartbeat that was taken; body: its words, JSON;
-- off: its clock less ours when it arrived, NULL where ours was found wrong afterwards
CREATE TABLE gateway(site TEXT PRIMARY KEY, key TEXT NOT NULL, region TEXT, added INTEGER NOT NULL,
    received INTEGER, n INTEGER NOT NULL DEFAULT -1, body BLOB, off INTEGER) WITHOUT ROWID;
-- the newest reading of each kahriz in InfluxDB, whatever heartbeats say
CREATE TABLE reading(site TEXT PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID;
""",
)


class OfficeStoreError(Exception):
    """A store that cannot be used: in words, with the mend."""


@dataclass(frozen=True, slots=True)
class Gateway:
    """One that is known; `beat` and `received` (our clock) are None until it has spoken."""

    site: str
    key: str
    region: str | None
    added: int
    n: int = -1
    received: int | None = None
    beat: Beat | None = None
    off: int | None = None  # its clock less ours when it spoke, where ours was right
    reading: int | None = None  # its newest reading in InfluxDB


def open_office(data: Path) -> sqlite3.Connection:
    """Open the store in that folder, making it when it is new."""
    path = data / FILE
    try:
        data.mkdir(parents=True, exist_ok=True)
        conn = store.connect(path)
        _belongs_to_its_folder(path)
    except (OSError, sqlite3.Error) as error:
        raise OfficeStoreError(f"{path} cannot be opened ({error}): see --data") from error
    try:
        store.make_durable(conn)
        store.migrate(conn, path, MIGRATIONS)
    except store.NewerStoreError as error:
        conn.close()
        raise OfficeStoreError(str(error)) from error
    except sqlite3.Error as error:
        conn.close()
        raise OfficeStoreError(
            f"{path} cannot be used ({error}): make room on the disk, or move the file away and"
            " add the gateways again"
        ) from error
    return conn


def _belongs_to_its_folder(path: Path) -> None:
    """A store that root has made by a command is still the service's; SQLite does the same."""
    owner = path.parent.stat()
    if os.geteuid() == 0 and path.exists() and path.stat().st_uid != owner.st_uid:
        os.chown(path, owner.st_uid, owner.st_gid)


def gateways(conn: sqlite3.Connection) -> list[Gateway]:
    rows = conn.execute(
        "SELECT g.*, r.at AS reading FROM gateway g LEFT JOIN reading r USING(site) ORDER BY site"
    )
    return [_gateway(row) for row in rows]


def gateway(conn: sqlite3.Connection, site: str) -> Gateway | None:
    row = conn.execute(
        "SELECT g.*, r.at AS reading FROM gateway g LEFT JOIN reading r USING(site) WHERE site=?",
        (site,),
    ).fetchone()
    return None if row is None else _gateway(row)


def add(conn: sqlite3.Connection, site: str, key: str, region: str | None, now: int) -> str:
    """What was done: added, changed, or nothing. Another key begins its counting anew."""
    old = gateway(conn, site)
    if old is None:
        conn.execute(
            "INSERT INTO gateway(site, key, region, added) VALUES(?,?,?,?)",
            (site, key, region, now),
        )
        return "added"
    if (old.key, old.region) == (key, region):
        return "known already"
    n = old.n if old.key == key else -1
    conn.execute("UPDATE gateway SET key=?, region=?, n=? WHERE site=?", (key, region, n, site))
    return "changed"


def remove(conn: sqlite3.Connection, site: str) -> bool:
    conn.execute("DELETE FROM reading WHERE site=?", (site,))
    return conn.execute("DELETE FROM gateway WHERE site=?", (site,)).rowcount > 0


def hear(conn: sqlite3.Connection, beat: Beat, now: int) -> bool:
    """Keep a heartbeat whose signature is right; False when it was heard before."""
    done = conn.execute(
        "UPDATE gateway SET n=?, received=?, body=?, off=? WHERE site=? AND n < ?",
        (beat.n, now, wire.body(beat), beat.at - now, beat.site, beat.n),
    )
    return done.rowcount == 1


def put_readings(conn: sqlite3.Connection, newest: dict[str, int]) -> None:
    conn.executemany(
        "INSERT INTO reading(site, at) VALUES(?,?)"
        " ON CONFLICT(site) DO UPDATE SET at=max(at, excluded.at)",
        list(newest.items()),
    )


def put_right(conn: sqlite3.Connection, now: int) -> None:
    """What our own clock dated into the future became true now: else it would never be silent."""
    late = now + SLACK_MS
    conn.execute("UPDATE gateway SET received=?, off=NULL WHERE received > ?", (now, late))
    conn.execute("UPDATE gateway SET added=? WHERE added > ?", (now, late))
    conn.execute("UPDATE reading SET at=? WHERE at > ?", (now, late))


def _gateway(row: sqlite3.Row) -> Gateway:
    beat = None if row["body"] is None else wire.read(bytes(row["body"]))
    return Gateway(
        row["site"], row["key"], row["region"], row["added"], row["n"], row["received"], beat,
        row["off"], row["reading"],
    )  # fmt: skip
