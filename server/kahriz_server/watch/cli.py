# SPDX-License-Identifier: MIT
"""`kahriz server run`, `check` and `gateway`: the watch over many gateways.

Exit codes: 0 well, 1 a check failed, 2 wrong usage, 3 configuration, 4 store, 6 a taken port.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
import sys
from pathlib import Path
from typing import NoReturn

import rich_click as click

from kahriz_alarms.heartbeat import key as keys
from kahriz_alarms.heartbeat.beat import SITE
from kahriz_alarms.service.exits import EXIT_CONFIG, EXIT_STATE, EXIT_STORE
from kahriz_server.watch import store
from kahriz_water.strict import ConfigError

SECOND_MS = 1000

CONFIG = click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("office.toml"),
    show_default=True,
    help="Who is told at the office, by which ways.",
)
DATA = click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("office"),
    show_default=True,
    help="Folder of the store.",
)
CLOCK = click.option(
    "--clock-file",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="A simulated clock instead of the machine's.",
)


@click.command("run")
@CLOCK
@DATA
@CONFIG
def run_(config: Path, data: Path, clock_file: Path | None) -> None:
    """Hear every gateway's heartbeat, look for its readings, tell who must know."""
    from kahriz_alarms.service import logs
    from kahriz_alarms.service.stopping import stop_at_signal
    from kahriz_server.watch.clock import OfficeClock
    from kahriz_server.watch.config import read_office
    from kahriz_server.watch.run import PortError, run

    logs.set_up("server")
    try:
        run(read_office(config), data, OfficeClock(clock_file), stop_at_signal())
    except ConfigError as error:
        refuse(str(error), EXIT_CONFIG)
    except (store.OfficeStoreError, sqlite3.Error) as error:
        refuse(str(error), EXIT_STORE)
    except PortError as error:
        refuse(str(error), EXIT_STATE)
    except ModuleNotFoundError as error:
        refuse(f"this needs the package {error.name!r}: pip install kahriz-monitor[server]", 1)


@click.command()
@DATA
@CONFIG
def check(config: Path, data: Path) -> None:
    """Read office.toml and the store as `run` would, ask InfluxDB once; changes nothing."""
    from kahriz_server.watch.check import examine
    from kahriz_server.watch.clock import OfficeClock
    from kahriz_server.watch.config import read_office

    try:
        office = read_office(config)
    except ConfigError as error:
        refuse(str(error), EXIT_CONFIG)
    wrong = 0
    for good, name, says in examine(office, data, OfficeClock()):
        click.echo(f"{'ok   ' if good else 'WRONG'} {name}: {says}")
        wrong += not good
    if wrong:
        sys.exit(1)


@click.group()
def gateway() -> None:
    """The gateways that this server knows: name, public key, region."""


@gateway.command()
@click.argument("site")
@click.argument("public_key")
@click.option("--region", help="What they have in common: a district, a provider.")
@DATA
def add(site: str, public_key: str, region: str | None, data: Path) -> None:
    """Let the gateway of SITE in; `kahriz gateway heartbeat` there shows its PUBLIC_KEY."""
    for what, text in (("SITE", site), ("--region", region)):
        if text is not None and SITE.fullmatch(text) is None:
            raise click.BadParameter(f"{what} {text!r}: a-z, 0-9 and '-', at most 32 long")
    try:
        keys.check_public(public_key)
    except keys.KeyFormatError as error:
        raise click.BadParameter(str(error)) from None
    from kahriz_server.watch.clock import OfficeClock

    conn = open_store(data)
    try:
        with store.transaction(conn):
            did = store.add(conn, site, public_key, region, OfficeClock().now_ms())
    except sqlite3.Error as error:
        refuse(str(error), EXIT_STORE)
    click.echo(f"{site}: {did}, key {keys.fingerprint(public_key)}")


@gateway.command("list")
@click.option("--json", "as_json", is_flag=True, help="JSON instead of lines.")
@DATA
def list_(as_json: bool, data: Path) -> None:
    """Each gateway, when it was heard last, and what it said."""
    from kahriz_server.watch.clock import OfficeClock

    now = OfficeClock().now_ms()
    found = store.gateways(known_store(data))
    if as_json:
        click.echo(json.dumps([_flat(each, now) for each in found]))
        return
    for each in found:
        flat = _flat(each, now)
        words = [f"{name}={value}" for name, value in flat.items() if name != "site"]
        click.echo(f"{each.site}  {' '.join(words)}")
    if not found:
        click.echo("no gateway is known: kahriz server gateway add SITE PUBLIC_KEY")


@gateway.command()
@click.argument("site")
@DATA
def remove(site: str, data: Path) -> None:
    """Forget a gateway; its open alarms end by themselves."""
    conn = known_store(data)
    try:
        with store.transaction(conn):
            gone = store.remove(conn, site)
    except sqlite3.Error as error:
        refuse(str(error), EXIT_STORE)
    if not gone:
        refuse(f"no gateway {site!r}: see `kahriz server gateway list`", EXIT_STATE)
    click.echo(f"{site}: removed")


def open_store(data: Path) -> sqlite3.Connection:
    try:
        return store.open_office(data)
    except store.OfficeStoreError as error:
        refuse(str(error), EXIT_STORE)


def known_store(data: Path) -> sqlite3.Connection:
    """The store of an office that is there: a mistyped folder is not an office without alarms."""
    with contextlib.suppress(OSError):  # a folder that is shut: told by who opens it
        if not (data / store.FILE).exists():
            made = "it is made by `kahriz server gateway add SITE PUBLIC_KEY`"
            refuse(f"no {store.FILE} in {data}: see --data; {made}", EXIT_STORE)
    return open_store(data)


def refuse(text: str, code: int) -> NoReturn:
    click.echo(f"server: {text}", err=True)
    sys.exit(code)


def _flat(each: store.Gateway, now: int) -> dict[str, object]:
    flat: dict[str, object] = {"site": each.site, "key": keys.fingerprint(each.key)}
    if each.region is not None:
        flat["region"] = each.region
    if each.received is not None:
        flat["heard_s"] = (now - each.received) // SECOND_MS
    if each.reading is not None:
        flat["reading_s"] = (now - each.reading) // SECOND_MS
    beat = each.beat
    if beat is None:
        return {**flat, "heard": "never"}
    said = {
        "version": beat.version,
        "clock_off_s": None if each.off is None else round(each.off / SECOND_MS),
        "room_used": beat.room_used,
        "days_left": beat.days_left,
        "backlog": beat.backlog,
        "alarms": beat.alarms,
        "mains": beat.mains,
        "stopped": beat.stopped,
    }
    return flat | {name: value for name, value in said.items() if value is not None}
