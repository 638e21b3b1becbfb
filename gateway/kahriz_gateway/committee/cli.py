# SPDX-License-Identifier: MIT
"""`kahriz gateway pin`: who may enter on the page; `about`, `forget`: what is kept of a person."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path

import rich_click as click

from kahriz_gateway.cli_options import CLOCK, CONFIG, DATA, FILE
from kahriz_gateway.clock import ClockError, open_clock
from kahriz_gateway.committee import book, pins
from kahriz_gateway.committee import person as person_store
from kahriz_gateway.config import EXIT_CONFIG, EXIT_STORE, Options, exit_code, read_plan
from kahriz_water.strict import ConfigError

ROLES = ("committee", "crew", "technician")


@click.group()
def pin() -> None:
    """Who may enter on the page, with six digits each."""


@pin.command(name="set")
@click.argument("person")
@click.option("--pin-file", type=FILE, help="Take the six digits out of this file.")
@CONFIG
@DATA
@CLOCK
def set_(
    person: str, pin_file: Path | None, config: Path, data: Path, clock_file: Path | None
) -> None:
    """Give PERSON of the plan a new random PIN, printed once; the old one ends.

    PERSON may be a role (committee, crew, technician): then all of that role share the PIN, and
    what they enter bears no name.
    """
    try:
        ident, role = (person, person) if person in ROLES else _person(config, data, person)
        now_ms = open_clock(clock_file).now_ms()
        wanted = pin_file.read_text(encoding="ascii").strip() if pin_file else None
    except (ConfigError, ClockError) as error:
        click.echo(f"pin: {error}", err=True)
        sys.exit(exit_code(error))
    except (OSError, ValueError) as error:
        click.echo(f"pin: {pin_file}: a file of six digits ({error})", err=True)
        sys.exit(EXIT_CONFIG)
    with _book(data) as conn:
        try:
            new = pins.set_pin(conn, ident, role, now_ms, wanted)
        except pins.PinError as error:
            click.echo(f"pin: {error}", err=True)
            sys.exit(EXIT_CONFIG)
        book.write(conn, now_ms, ident, role, "pin set", {})
    if wanted is not None:
        click.echo(f"{ident} ({role}): the PIN of {pin_file}")
        return
    click.echo(f"{ident} ({role}): {new}")
    click.echo("Tell it to this person alone; it is not kept anywhere in the clear.", err=True)


@pin.command(name="list")
@DATA
def list_(data: Path) -> None:
    """Who has a PIN."""
    with contextlib.suppress(OSError):  # a folder that is shut: told by who opens it
        if not (data / book.FILE).exists():
            made = "it is made by `kahriz gateway pin set PERSON`"
            click.echo(f"gateway: no {book.FILE} in {data}: see --data; {made}", err=True)
            sys.exit(EXIT_STORE)
    with _told(), contextlib.closing(book.look(data)) as conn:
        held = pins.holders(conn)
    for person, role in held.items():
        click.echo(f"{person}\t{role}")
    if not held:
        click.echo("nobody has a PIN")


@click.command()
@click.argument("person")
@click.option("--name", "names", multiple=True, help="A name as people have typed it.")
@CONFIG
@DATA
def forget(person: str, names: tuple[str, ...], config: Path, data: Path) -> None:
    """Take PERSON, names and photos out of every store. Take it out of site.toml too."""
    found = _known(config, data, person, names)
    with _told():
        counts = person_store.forget(data, found)
    said = ", ".join(f"{table} {n}" for table, n in counts.items()) or "nothing was kept"
    click.echo(f"{person}: forgotten ({said}); older backups still hold it")


@click.command()
@click.argument("person")
@click.option("--name", "names", multiple=True, help="A name as people have typed it.")
@CONFIG
@DATA
def about(person: str, names: tuple[str, ...], config: Path, data: Path) -> None:
    """Everything that is kept of PERSON, as JSON: for the person who asks."""
    found = _known(config, data, person, names)
    with _told():
        held = person_store.kept(data, found)
    click.echo(json.dumps(held, ensure_ascii=False, indent=2))


def _known(config: Path, data: Path, ident: str, names: tuple[str, ...]) -> person_store.Person:
    """The person with all words of the plan; who has left the plan is known by `--name` alone."""
    words = list(names)
    try:
        plan = read_plan(Options(config=config, data=data))
    except ConfigError as error:
        click.echo(f"gateway: {error}; going on without the plan", err=True)
    else:
        listed = plan.person(ident)
        if listed is not None:
            words += [w for w in (listed.name, listed.phone, listed.email, listed.telegram) if w]
    if any(len(word.strip()) < 3 for word in words):
        click.echo("gateway: --name: at least three letters, or other words would go too", err=True)
        sys.exit(2)
    return person_store.Person(ident, tuple(dict.fromkeys(words)))


@contextlib.contextmanager
def _told() -> Iterator[None]:
    """A store that cannot be read is one line."""
    try:
        yield
    except (book.BookError, sqlite3.Error) as error:
        click.echo(f"gateway: {error}", err=True)
        sys.exit(EXIT_STORE)


def _person(config: Path, data: Path, ident: str) -> tuple[str, str]:
    plan = read_plan(Options(config=config, data=data))
    found = plan.person(ident)
    if found is None:
        raise ConfigError(
            str(config),
            "one of " + (", ".join(p.id for p in plan.people) or "no person yet"),
            ident,
        )
    return found.id, found.role


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
