# SPDX-License-Identifier: MIT
"""`kahriz gateway`: run the village's two services, look into their store, mend it.

Exit codes: 0 well, 1 a check failed, 2 wrong usage, 3 configuration, 4 store, 5 clock,
6 something else stands in the way (a second gateway, a taken port).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import rich_click as click

from kahriz_alarms.service import logs
from kahriz_alarms.service.stopping import stop_at_signal
from kahriz_gateway.backup.cli import backup, restore
from kahriz_gateway.cli_options import CLOCK, CONFIG, DATA, FILE
from kahriz_gateway.clock import ClockError, open_clock
from kahriz_gateway.config import KnownNodes, Options, StateError, exit_code, read_plan
from kahriz_gateway.intake.store import StoreError, no_folder, open_store, read_store
from kahriz_gateway.orders import cli as node_cli
from kahriz_gateway.orders import commands
from kahriz_gateway.ups import end_file
from kahriz_gateway.village.later_cli import LaterGroup
from kahriz_water.strict import ConfigError

Command = TypeVar("Command", bound=Callable[..., Any])


def _options(command: Command) -> Command:
    """The options that both services take."""
    for option in (
        click.option("--earliest", metavar="DAY", help="Believe readings as old as this."),
        CLOCK,
        click.option("--influx-bucket", metavar="NAME", help="Instead of the plan's."),
        click.option("--influx-token-file", metavar="FILE", help="Instead of the plan's."),
        click.option("--influx-url", metavar="URL", help="Instead of the plan's."),
        click.option("--page", metavar="HOST:PORT", help="Where the page is served."),
        click.option("--broker", metavar="HOST:PORT", help="Instead of the plan's broker."),
        DATA,
        CONFIG,
    ):
        command = option(command)
    return command


def _refuse(error: Exception, code: int | None = None) -> NoReturn:
    click.echo(f"gateway: {error}", err=True)
    sys.exit(exit_code(error) if code is None else code)


_REFUSALS = (ConfigError, StoreError, ClockError, StateError)


@click.group(cls=LaterGroup)
def gateway() -> None:
    """The village: keeps every reading, knows the water, raises the alarm, shows the page."""


gateway.add_command(backup)
gateway.add_command(restore)
for each in node_cli.COMMANDS:
    gateway.add_command(each)


@gateway.command()
@_options
def run(**given: Any) -> None:
    """Intake and village together, each started again when it dies."""
    from kahriz_gateway import service

    options = Options(**given)
    logs.set_up("gateway")
    end = end_file(options.data)
    try:
        read_plan(options)
        end.unlink(missing_ok=True)  # of another day
    except ConfigError as error:
        _refuse(error)
    except OSError as error:
        _refuse(no_folder(options.data, error))
    sys.exit(service.run(service.services(options), stop_at_signal(), end))


@gateway.command()
@_options
def intake(**given: Any) -> None:
    """Broker to store to receipt; needs no page and no Internet."""
    from kahriz_gateway.intake.service import run_service

    sys.exit(run_service(Options(**given)))


@gateway.command()
@_options
def village(**given: Any) -> None:
    """Discharge, detectors, alarms, outputs and the page."""
    options = Options(**given)
    logs.set_up("village")
    try:
        from kahriz_gateway.village.village import run as run_village

        plan = read_plan(options)
        run_village(plan, options.data, open_clock(options.clock_file), stop_at_signal())
    except _REFUSALS as error:
        _refuse(error)


@gateway.command()
@_options
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of lines.")
def check(as_json: bool, **given: Any) -> None:
    """Plan, folder, clock, broker, store: each passes, or names its mend."""
    from kahriz_gateway.cli_check import checks

    results = checks(Options(**given))
    if as_json:
        click.echo(json.dumps([result.as_dict() for result in results]))
    else:
        for result in results:
            click.echo(f"{'pass' if result.passed else 'FAIL'}  {result.name}: {result.says}")
    sys.exit(0 if all(result.passed for result in results) else 1)


@gateway.command()
@DATA
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of lines.")
def ledger(data: Path, as_json: bool) -> None:
    """What is stored, what is missing since when, what was closed and why; counted by the rows."""
    from kahriz_gateway.intake.ledger_cli import journals

    try:
        conn = read_store(data / "readings.db")
        found = journals(conn)
        waiting = [one.in_words() for one in commands.listed(conn) if one.ok is None]
    except _REFUSALS as error:
        _refuse(error)
    if as_json:
        click.echo(json.dumps([journal.as_dict() for journal in found]))
    else:
        for journal in found:
            click.echo("\n".join(journal.in_words()))
        for line in waiting:
            click.echo(line)
    sys.exit(1 if any(journal.contradiction for journal in found) else 0)


@gateway.command()
@click.argument("output", nargs=-1, required=True)
@click.option("--since", metavar="DAY", required=True, help="2026-03-01, or an ISO time.")
@click.option("--now", is_flag=True, help="Here and to its end: of a copy without a village.")
@_options
def refill(output: tuple[str, ...], since: str, now: bool, **given: Any) -> None:
    """Bring an output (influx, influx_1h, csv) its history again; twice does no harm."""
    from kahriz_gateway.outputs import refill_cli

    options = Options(**given)
    try:
        plan = read_plan(options)
        if now:
            count = refill_cli.bring(plan, options.data, output, since)
            click.echo(f"{count} values since {since} brought to {', '.join(output)}")
            return
        count = refill_cli.ask(plan, options.data, output, since)
    except _REFUSALS as error:
        _refuse(error)
    click.echo(f"{count} values since {since}: the village brings them beside its daily work")


@gateway.group()
def quarantine() -> None:
    """Messages that could not be read, kept as they came."""


@quarantine.command(name="list")
@DATA
def list_(data: Path) -> None:
    """One line a message: id, how often, topic, reason."""
    from kahriz_gateway.intake.quarantine import listed

    for kept in _reading(data, listed):
        click.echo(f"{kept.id}\t{kept.times}x\t{kept.topic}\t{kept.reason}")


@quarantine.command()
@click.argument("ident", type=int)
@DATA
def show(ident: int, data: Path) -> None:
    """The bytes of one message, as they came."""
    from kahriz_gateway.intake.quarantine import listed

    found = _reading(data, lambda conn: listed(conn, [ident]))
    if not found:
        _refuse(StateError(f"no message {ident} in quarantine: see `quarantine list`"))
    click.echo(f"{found[0].topic}\n{found[0].reason}", err=True)
    sys.stdout.buffer.write(found[0].body)


@quarantine.command()
@click.argument("idents", type=int, nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Try all of them.")
@_options
def replay(idents: tuple[int, ...], everything: bool, **given: Any) -> None:
    """Try messages again after a mend; what still cannot be read stays."""
    from kahriz_gateway.config import earliest_ms
    from kahriz_gateway.intake.accept import Accept
    from kahriz_gateway.intake.quarantine_replay import replay as try_again

    if everything == bool(idents):
        raise click.UsageError("give ids, or --all")
    options = Options(**given)
    try:
        plan = read_plan(options)
        conn = open_store(options.data / "readings.db", plan.id)
        known = KnownNodes(plan, options.data / "village.db")
        clock = open_clock(options.clock_file)
        accept = Accept(conn, plan.id, known, clock, earliest_ms(options))
        stored, left = try_again(conn, accept, idents)
    except _REFUSALS as error:
        _refuse(error)
    click.echo(f"{len(stored)} stored, {len(left)} still in quarantine")
    for kept in left:
        click.echo(f"{kept.id}\t{kept.topic}\t{kept.reason}")
    sys.exit(1 if left else 0)


@gateway.group()
def records() -> None:
    """Dated records: deployments, zeros, ratings, staff readings, gaugings."""


@records.command(name="import")
@click.argument("file", type=FILE)
@_options
def import_(file: Path, **given: Any) -> None:
    """Read dated records from a TOML file into the store, all or nothing."""
    from kahriz_gateway.records.records import import_records
    from kahriz_gateway.village.store import open_village

    options = Options(**given)
    try:
        plan = read_plan(options)
        options.data.mkdir(parents=True, exist_ok=True)
        changed = import_records(open_village(options.data / "village.db"), file, plan)
    except OSError as error:
        _refuse(ConfigError(str(file), f"a file that can be read ({error})"))
    except _REFUSALS as error:
        _refuse(error)
    click.echo(f"{changed} records new or changed")


@records.command()
@click.argument("file", type=FILE, required=False)
@DATA
def export(file: Path | None, data: Path) -> None:
    """Write the store's dated records as TOML, to FILE or to the terminal."""
    from kahriz_gateway.records.records import export_records
    from kahriz_gateway.village.store import open_village

    if not (data / "village.db").exists():
        _refuse(StoreError(f"no village.db in {data}: import records or run the village first"))
    text = export_records(open_village(data / "village.db", read_only=True))
    if file is None:
        click.echo(text, nl=False)
    else:
        file.write_text(text, encoding="utf-8")


def _reading(data: Path, ask: Callable[[Any], list[Any]]) -> list[Any]:
    try:
        return ask(read_store(data / "readings.db"))
    except _REFUSALS as error:
        _refuse(error)
