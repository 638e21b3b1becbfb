# SPDX-License-Identifier: MIT
"""What the commands of `kahriz alarm` share: options, the store, a refusal in one line."""

from __future__ import annotations

import sqlite3
import sys
from pathlib import Path
from typing import NoReturn

import rich_click as click

from kahriz_gateway.config import EXIT_CONFIG, EXIT_STORE, Options, read_plan
from kahriz_gateway.intake.store import StoreError
from kahriz_gateway.village import store as village_store
from kahriz_water.site import Plan
from kahriz_water.strict import ConfigError


def open_book(data: Path, read_only: bool) -> sqlite3.Connection:
    path = data / "village.db"
    if not path.exists():
        refuse(f"no village.db in {data}: run the village first, or give --data", EXIT_STORE)
    try:
        return village_store.open_village(path, read_only=read_only)
    except (StoreError, sqlite3.Error) as error:
        refuse(str(error), EXIT_STORE)


def plan_of(config: Path) -> Plan:
    try:
        return read_plan(Options(config=config, data=Path("data")))
    except ConfigError as error:
        refuse(str(error), EXIT_CONFIG)


def refuse(text: str, code: int) -> NoReturn:
    click.echo(f"alarm: {text}", err=True)
    sys.exit(code)
