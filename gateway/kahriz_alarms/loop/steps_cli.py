# SPDX-License-Identifier: MIT
"""Look at alarms, take one, keep it quiet, end it: the commands of a village and of an office."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import rich_click as click

from kahriz_alarms import states
from kahriz_alarms.alarm import CAUSES, Alarm
from kahriz_alarms.loop import book
from kahriz_alarms.service.exits import EXIT_STATE, EXIT_STORE

HOUR_MS = 3_600_000
Take = Callable[[sqlite3.Connection, int, str, str, int, str | None, dict[str, Any] | None], Alarm]

IDENT = click.argument("ident", type=int)
WHO = click.option("--who", required=True, metavar="NAME", help="Who says so.")
JSON = click.option("--json", "as_json", is_flag=True, help="JSON instead of lines.")
NOTE = click.option("--note", metavar="WORDS", help="In your own words.")
WHY = click.option("--why", required=True, metavar="WORDS", help="The reason.")


@dataclass(frozen=True, slots=True)
class Desk:
    """Where the alarms lie, and what is said of them there."""

    command: str  # as a person types it
    data: Callable[[Any], Any]  # the option --data
    open: Callable[[Path, bool], sqlite3.Connection]  # read only?
    refuse: Callable[[str, int], NoReturn]
    take: Take
    now_ms: Callable[[], int]
    line: Callable[[Alarm], str]
    full: Callable[[Alarm], dict[str, Any]]

    def known(self, conn: sqlite3.Connection, ident: int) -> Alarm:
        try:
            return book.known(conn, ident)
        except book.NoAlarmError as error:
            self.refuse_unknown(error)

    def refuse_unknown(self, error: book.NoAlarmError) -> NoReturn:
        self.refuse(f"{error}: see `{self.command} list --all`", EXIT_STATE)

    def step(
        self,
        data: Path,
        ident: int,
        what: str,
        who: str,
        note: str | None = None,
        more: dict[str, Any] | None = None,
    ) -> None:
        """One step, and the alarm as it is after it."""
        conn = self.open(data, False)
        try:
            after = self.take(conn, ident, what, who, self.now_ms(), note, more)
        except book.NoAlarmError as error:
            self.refuse_unknown(error)
        except states.StateError as error:
            self.refuse(str(error), EXIT_STATE)
        except sqlite3.Error as error:
            self.refuse(str(error), EXIT_STORE)
        click.echo(self.line(after))


def list_command(desk: Desk, helps: str, nothing: str) -> click.Command:
    @click.command("list", help=helps)
    @click.option("--all", "everything", is_flag=True, help="Closed ones too.")
    @JSON
    @desk.data
    def list_(everything: bool, as_json: bool, data: Path) -> None:
        conn = desk.open(data, True)
        found = book.alarms(conn) if everything else book.open_alarms(conn)
        if as_json:
            click.echo(json.dumps([desk.full(one) for one in found], ensure_ascii=False))
            return
        for one in found:
            click.echo(desk.line(one))
        if not found:
            click.echo(nothing)

    return list_


def ack_command(desk: Desk, helps: str) -> click.Command:
    @click.command("ack", help=helps)
    @IDENT
    @WHO
    @desk.data
    def ack(ident: int, who: str, data: Path) -> None:
        desk.step(data, ident, "acknowledged", who)

    return ack


def shelve_command(desk: Desk, helps: str) -> click.Command:
    @click.command("shelve", help=helps)
    @IDENT
    @click.option(
        "--hours",
        type=click.FloatRange(0.1, states.SHELF_HOURS),
        required=True,
        help="How long it is quiet, from now.",
    )
    @WHY
    @WHO
    @desk.data
    def shelve(ident: int, hours: float, why: str, who: str, data: Path) -> None:
        until = desk.now_ms() + round(hours * HOUR_MS)
        desk.step(data, ident, "shelved", who, why, {"until": until})

    return shelve


def close_command(desk: Desk, helps: str, **cause: Any) -> click.Command:
    @click.command("close", help=helps)
    @IDENT
    @click.option("--cause", type=click.Choice(CAUSES), help="What it was.", **cause)
    @NOTE
    @WHO
    @desk.data
    def close(ident: int, cause: str, note: str | None, who: str, data: Path) -> None:
        desk.step(data, ident, "closed", who, note, {"cause": cause})

    return close
