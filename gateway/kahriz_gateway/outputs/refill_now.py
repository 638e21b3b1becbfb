# SPDX-License-Identifier: MIT
"""History again from a copy of a gateway's stores, here and to its end: no village works on it.

Place and marks are kept in the copy: what was broken off goes on where it stopped.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Sequence
from pathlib import Path

from kahriz_alarms.delivery import DeliveryError
from kahriz_gateway import notify_sign
from kahriz_gateway.backup.backup import MANIFEST
from kahriz_gateway.config import StateError
from kahriz_gateway.intake.store import StoreError
from kahriz_gateway.outputs import OUTPUTS, Surroundings, refill
from kahriz_gateway.outputs.follower import Follower
from kahriz_gateway.village import store as village_store
from kahriz_water.site import Plan
from kahriz_water.strict import ConfigError


def bring(plan: Plan, data: Path, names: Sequence[str], since_ms: int) -> None:
    """All of it; DeliveryError becomes one line that says how to go on."""
    if (data / MANIFEST).exists():
        raise StoreError(
            f"{data} is a backup, and marks written there would break its checksums: put it back"
            f" with `kahriz gateway restore {data} --data FOLDER`, and give that folder"
        )
    try:
        lock = notify_sign.take_lock(data)
    except OSError as error:
        raise StoreError(
            f"cannot write {data} ({error.strerror}): copy it to a disk with room"
        ) from error
    if lock is None:
        raise StoreError(f"a gateway works in {data}: leave out --now, and its village brings them")
    with lock, contextlib.closing(village_store.open_village(data / "village.db")) as conn:
        for name in names:
            output = OUTPUTS[name](plan, Surroundings(data, None))
            if output is None:
                raise ConfigError(name, f"an output that {plan.id} has: see its site.toml")
            waiting = refill.pending(conn, name)
            if waiting is None or waiting.since != since_ms:
                refill.request(conn, name, since_ms)
            follower = Follower(name, output, data)
            try:
                while follower.step(conn):
                    pass
            except DeliveryError as error:
                raise StateError(f"{error}; the same command goes on from here") from error
            except sqlite3.Error as error:
                raise StoreError(
                    f"{data / 'village.db'}: {error}; make room, and the same command goes on"
                ) from error
            finally:
                close = getattr(output, "close", None)
                if close is not None:
                    close()
