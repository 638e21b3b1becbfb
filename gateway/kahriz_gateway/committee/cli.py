# SPDX-License-Identifier: MIT
"""`kahriz gateway pin`: who may enter on the page; `forget`: a person's name goes."""

from __future__ import annotations

import contextlib
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path

import rich_click as click

from kahriz_gateway.clock import ClockError, open_clock
from kahriz_gateway.committee import book, pins
from kahriz_gateway.config import EXIT_STORE, Options, exit_code, read_plan
from kahriz_water.people import Person
from kahriz_water.strict import ConfigError

FILE = click.Path(path_type=Path, dir_okay=False)
FOLDER = click.Path(path_type=Path, file_okay=False)
_CONFIG = click.option("--config", type=FILE, default=Path("site.toml"), show_default=True)
_DATA = click.option("--data", type=FOLDER, default=Path("data"), show_default=True)
_CLOCK = click.option("--clock-file", type=FILE, hidden=True)


@click.group()
def pin() -> None:
    """Who may enter on the page, with six digits each."""


@pin.command(name="set")
@click.argument("person")
@_CONFIG
@_DATA
@_CLOCK
def set_(person: str, config: Path, data: Path, clock_file: Path | None) -> None:
    """Give PERSON of the plan a new random PIN, printed once; the old one ends."""
    try:
        found = _person(config, data, person)
        now_ms = open_clock(clock_file).now_ms()
    except (ConfigError, ClockError) as error:
        click.echo(f"pin: {error}", err=True)
        sys.exit(exit_code(error))
    with _book(data) as conn:
        new = pins.set_pin(conn, found.id, found.role, now_ms)
        book.write(conn, now_ms, found.id, found.role, "pin set", {})
    click.echo(f"{found.id} ({found.role}): {new}")
    click.echo("Tell it to this person alone; it is not kept anywhere in the clear.", err=True)


@pin.command(name="list")
@_DATA
def list_(data: Path) -> None:
    """Who has a PIN."""
    with _book(data) as conn:
        for person, role in pins.holders(conn).items():
            click.echo(f"{person}\t{role}")


@click.command()
@click.argument("person")
@_DATA
def forget(person: str, data: Path) -> None:
    """Take PERSON's name off everything entered, and the PIN away. Take it out of site.toml too."""
    with _book(data) as conn:
        count = book.forget(conn, person)
    click.echo(f"{person}: forgotten in {count} entries; older backups still hold the name")


def _person(config: Path, data: Path, ident: str) -> Person:
    plan = read_plan(Options(config=config, data=data))
    found = plan.person(ident)
    if found is None:
        raise ConfigError(
            str(config),
            "one of " + (", ".join(p.id for p in plan.people) or "no person yet"),
            ident,
        )
    return found


@contextlib.contextmanager
def _book(data: Path) -> Iterator[sqlite3.Connection]:
    try:
        conn = book.open_book(data)
    except book.BookError as error:
        click.echo(f"gateway: {error}", err=True)
        sys.exit(EXIT_STORE)
    try:
        yield conn
    finally:
        conn.close()
