# SPDX-License-Identifier: MIT
"""Messages that nobody can read and no node sends again: where each is, by its name.

Such a message goes with the only place that has it: with a store that dies, when its backup is
older than the message, and with a broker that loses its state, when intake has not stored it. Both
are looked at when it happens: a message that was nowhere then was lost before, by us.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from pathlib import Path

from .disk import plain_connect
from .small import NODE, SITE

TOPIC = f"kahriz/v1/{SITE}/{NODE}/up/00000bad"


def body_of(how: int) -> bytes:
    """A message that breaks off."""
    return b'[{"n":%d,"ts":' % how


class Foreign:
    """`names` are the bodies that intake was handed; `excused` says why some may be gone."""

    def __init__(self) -> None:
        self.names: set[bytes] = set()
        self.excused: dict[bytes, str] = {}

    def sent(self, body: bytes) -> None:
        """The broker has taken it for intake."""
        self.names.add(body)

    def broker_loses(self, waiting: Iterable[tuple[str, bytes]], store: Path) -> None:
        """What waits in the broker is gone with its state, unless it is stored already."""
        gone = {body for topic, body in waiting if topic == TOPIC} & self.names
        for body in gone - kept(store):
            self.excused[body] = "it waited in a broker that lost its state"

    def store_dies(self, store: Path, copy: Path) -> None:
        """The store is put back from a copy: what came between the two is gone with the disk."""
        for body in (kept(store) - kept(copy)) & self.names:
            self.excused[body] = "it came after the copy of the store that was put back"

    def judged(self, store: Path) -> tuple[list[str], list[str]]:
        """Of those that are not in the store: who is excused, and who was lost."""
        gone = sorted(self.names - kept(store))
        excused = [f"{_name(b)}: {self.excused[b]}" for b in gone if b in self.excused]
        return excused, [_name(b) for b in gone if b not in self.excused]


def kept(store: Path) -> set[bytes]:
    """Bodies of these messages in a store's quarantine, whole."""
    if not store.exists():
        return set()
    conn = plain_connect(store)
    try:
        return {
            bytes(b) for (b,) in conn.execute("SELECT body FROM quarantine WHERE topic=?", (TOPIC,))
        }
    except sqlite3.OperationalError:
        return set()  # made, and its tables not yet
    finally:
        conn.close()


def _name(body: bytes) -> str:
    return f"message {body[6:].split(b',')[0].decode()}"
