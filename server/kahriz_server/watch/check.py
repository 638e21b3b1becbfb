# SPDX-License-Identifier: MIT
"""What `kahriz server check` looks at: people, ways, certificate, store, InfluxDB."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

from kahriz_alarms.channels import Outside, channels
from kahriz_alarms.channels.to_people import to_people
from kahriz_alarms.kinds import OFFICE_ROLES
from kahriz_alarms.loop.clock import Clock
from kahriz_alarms.loop.store import version_of
from kahriz_alarms.service import secret_file
from kahriz_server.influxql import QueryDoor
from kahriz_server.watch import store
from kahriz_server.watch.config import Office
from kahriz_server.watch.readings import auth_of, newest
from kahriz_server.watch.run import tls_of
from kahriz_water.strict import ConfigError

Found = tuple[bool, str, str]
QUICK_S = 5.0


def examine(office: Office, data: Path, clock: Clock) -> Iterator[Found]:
    """Each: whether it is well, its name, what to say."""
    yield from _people(office)
    yield from _listen(office)
    yield from _store(data)
    yield from _influx(office, clock)


def _people(office: Office) -> Iterator[Found]:
    plan = office.plan
    try:
        names = {channel.name for channel in to_people(plan, secret_file.read)}
        channels(plan, Outside(None, secret_file.read))
    except ConfigError as error:
        yield False, "ways", str(error)
        return
    for person in plan.people:
        reached = sorted(set(person.channels) & names)
        says = f"by {', '.join(reached)}" if reached else "no way of theirs is set up"
        yield bool(reached), person.id, says
    asked = [person.id for person in plan.people if person.role in OFFICE_ROLES]
    if not asked:
        wanted = " or ".join(OFFICE_ROLES)
        yield False, "people", f"nobody is asked: add a [[person]] with the role {wanted}"


def _listen(office: Office) -> Iterator[Found]:
    wanted = office.listen
    where = f"{wanted.host}:{wanted.port}"
    try:
        tls = tls_of(wanted)
    except ConfigError as error:
        yield False, "listen", str(error)
        return
    yield True, "listen", f"{where}, {'TLS' if tls else 'no TLS: behind nginx'}"


def _store(data: Path) -> Iterator[Found]:
    path = data / store.FILE
    if not path.exists():
        yield True, "store", f"{path} will be made"
        return
    try:
        conn = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=5)
        conn.row_factory = sqlite3.Row
        try:
            if version_of(conn) == 0:
                yield True, "store", f"{path} is empty and will be made whole"
                return
            found = store.gateways(conn)
        finally:
            conn.close()
    except sqlite3.Error as error:
        yield False, "store", f"{path}: {error}"
        return
    says = f"{len(found)} gateways" if found else "no gateway: kahriz server gateway add"
    yield bool(found), "store", says


def _influx(office: Office, clock: Clock) -> Iterator[Found]:
    wanted = office.influx
    if wanted is None:
        yield True, "influx", "not in office.toml: only heartbeats are watched"
        return
    try:
        door = QueryDoor(wanted.url, auth_of(wanted), wanted.bucket, QUICK_S)
    except ConfigError as error:
        yield False, "influx", str(error)
        return
    answer = newest(door, clock.now_ms())
    says = answer.error or f"readings of {len(answer.newest)} kahrizes"
    yield answer.error is None, "influx", says
