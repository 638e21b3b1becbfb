# SPDX-License-Identifier: MIT
"""Intake as a process: `python -m kahriz_gateway.intake.service` starts without the command line's

packages; `kahriz gateway intake` calls the same `serve`.
"""

from __future__ import annotations

import argparse
import sqlite3
import sys
import threading
from pathlib import Path
from typing import IO

from kahriz_alarms.service import logs
from kahriz_alarms.service.notify import Notifier
from kahriz_alarms.service.stopping import stop_at_signal
from kahriz_gateway import notify_sign
from kahriz_gateway.broker import selftest as broker_selftest
from kahriz_gateway.broker.tls import context
from kahriz_gateway.clock import ClockError, open_clock
from kahriz_gateway.config import (
    KnownNodes,
    Options,
    StateError,
    client_id,
    earliest_ms,
    exit_code,
    read_plan,
)
from kahriz_gateway.intake.intake import Intake
from kahriz_gateway.intake.pulse import DeafError, Pulse
from kahriz_gateway.intake.store import StoreError, in_words
from kahriz_gateway.memory import give_back
from kahriz_gateway.mqtt import Door
from kahriz_water.strict import ConfigError


def serve(options: Options, stop: threading.Event) -> None:
    """Take in what the nodes send until `stop`; ConfigError, StoreError, ClockError, StateError."""
    plan = read_plan(options)
    clock = open_clock(options.clock_file)
    with _alone_in(options.data):
        known = KnownNodes(plan, options.data / "village.db")
        path = options.data / "readings.db"
        try:
            intake = Intake(path, plan.id, known, clock, earliest_ms(options))
        except sqlite3.DatabaseError as error:  # it could be opened, and not read
            raise StoreError(in_words(path, error)) from error
        door = Door(
            client_id(plan, "intake"),
            plan.broker.host,
            plan.broker.port,
            intake.filters,
            intake.arrived,
            intake.announcement,
            context(plan.broker, "intake"),
            on_status=intake.status_heard,
        )
        pulse = Pulse(options.data, intake, door, clock, Notifier())
        door.start()
        broker_selftest.begin(options, door, stop)
        give_back()
        try:
            intake.run(door, stop, pulse)
        finally:
            pulse.stopped()
            door.stop()


def _alone_in(data: Path) -> IO[str]:
    """A lock that ends with this process: two intakes on one store would contradict each other."""
    try:
        data.mkdir(parents=True, exist_ok=True)
        lock = notify_sign.take_lock(data)
    except OSError as error:
        raise StoreError(
            f"cannot write {data} ({error.strerror}): choose another --data folder"
        ) from error
    if lock is not None:
        return lock
    raise StateError(
        f"another intake already works in {data}: stop it, or give another --data folder"
    )


def main(argv: list[str] | None = None) -> int:
    """Command line of the child process; one line and an exit code when it cannot go on."""
    return run_service(options_from(argv))


def options_from(argv: list[str] | None) -> Options:
    """Intake's options; what only the village needs passes by."""
    parser = argparse.ArgumentParser(prog="kahriz gateway intake")
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--clock-file", type=Path)
    for name in ("--broker", "--earliest"):
        parser.add_argument(name)
    known, _ = parser.parse_known_args(argv)
    return Options(**vars(known))


def run_service(options: Options) -> int:
    """`serve` until SIGTERM or Ctrl-C."""
    logs.set_up("intake")
    try:
        serve(options, stop_at_signal())
    except (ConfigError, StoreError, ClockError, StateError) as error:
        print(f"intake: {error}", file=sys.stderr)
        return exit_code(error)
    except DeafError as error:
        print(f"intake: {error}: ends, to be started again", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
