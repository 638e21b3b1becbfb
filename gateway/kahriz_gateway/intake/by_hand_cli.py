# SPDX-License-Identifier: MIT
"""`kahriz gateway deliver`: readings that were pulled off a board, as if it had sent them."""

from __future__ import annotations

import contextlib
import sqlite3
import sys
from pathlib import Path
from typing import BinaryIO, NoReturn

import rich_click as click

from kahriz_gateway.cli_options import CLOCK, CONFIG, DATA
from kahriz_gateway.clock import ClockError, open_clock
from kahriz_gateway.config import (
    EXIT_STORE,
    KnownNodes,
    Options,
    StateError,
    earliest_ms,
    exit_code,
    read_plan,
)
from kahriz_gateway.intake.accept import Accept
from kahriz_gateway.intake.by_hand import ByHandError, parse
from kahriz_gateway.intake.by_hand import deliver as take
from kahriz_gateway.intake.store import StoreError, in_words, open_store
from kahriz_water.strict import ConfigError

EXIT_REFUSED = 3


@click.command()
@click.argument("file", type=click.File("rb"))
@CONFIG
@DATA
@CLOCK
def deliver(file: BinaryIO, config: Path, data: Path, clock_file: Path | None) -> None:
    """Store readings of a board that cannot send them: FILE of `kahriz node rescue`, - is stdin.

    Each is stored once, by the ledger; said twice, nothing changes.
    """
    options = Options(config, data, clock_file=clock_file)
    path = data / "readings.db"
    try:
        plan, clock = read_plan(options), open_clock(clock_file)
        known = KnownNodes(plan, data / "village.db")
        lines = parse(file.read(), plan.id, known)
        if not path.exists():
            raise StoreError(f"no store in {path}: run the gateway first, or give --data")
        with contextlib.closing(open_store(path, plan.id)) as conn:
            accept = Accept(conn, plan.id, known, clock, earliest_ms(options))
            found = take(conn, accept, lines, clock.now_ms() if clock.trusted() else None)
    except ByHandError as error:
        _refuse(error, EXIT_REFUSED)
    except (ConfigError, StoreError, ClockError, StateError) as error:
        _refuse(error, exit_code(error))
    except sqlite3.DatabaseError as error:
        _refuse(StoreError(in_words(path, error)), EXIT_STORE)
    click.echo(found.in_words())


def _refuse(error: Exception, code: int) -> NoReturn:
    click.echo(f"gateway: {error}", err=True)
    sys.exit(code)
