# SPDX-License-Identifier: MIT
"""`kahriz gateway node-config|command|commands|ota`: what nodes shall run, do and become.

All of it is written into the store and reaches a node with its next receipt.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NoReturn

import rich_click as click

from kahriz_gateway.cli_options import DATA
from kahriz_gateway.config import EXIT_STORE, Options, read_plan
from kahriz_gateway.intake.store import StoreError, get_meta, open_store, read_store
from kahriz_gateway.orders import commands, node_config, ota, rollout
from kahriz_water.plan import Plan
from kahriz_water.strict import ConfigError
from kahriz_wire import WireError, topics

FILE = click.Path(path_type=Path, dir_okay=False, exists=True)
_JSON = click.option("--json", "as_json", is_flag=True, help="JSON instead of lines.")
HERE = Path("site.toml")
EXIT_REFUSED = 3


def _refuse(text: object, code: int = EXIT_REFUSED) -> NoReturn:
    click.echo(f"gateway: {text}", err=True)
    sys.exit(code)


@contextlib.contextmanager
def _store(data: Path) -> Iterator[tuple[sqlite3.Connection, str, int]]:
    """The store for writing, its site, and the time by this machine's clock."""
    import time

    path = data / "readings.db"
    if not path.exists():
        _refuse(f"no store in {path}: run the gateway first, or give --data", EXIT_STORE)
    try:
        with contextlib.closing(read_store(path)) as look:
            site = get_meta(look, "site") or ""
        with contextlib.closing(open_store(path, site)) as conn:
            yield conn, site, int(time.time() * 1000)
    except StoreError as error:
        _refuse(error, EXIT_STORE)
    except (
        commands.CommandError,
        node_config.NodeConfigError,
        ota.OtaError,
        WireError,
        OSError,
        UnicodeDecodeError,
    ) as error:
        _refuse(error)
    except sqlite3.DatabaseError as error:
        _refuse(f"{path}: {error}", EXIT_STORE)


@click.group(name="node-config")
def node_config_group() -> None:
    """The configuration that a node shall run with; it fetches it, tries it, keeps it."""


@node_config_group.command(name="set")
@click.argument("node")
@click.argument("file", type=FILE)
@click.option(
    "--network", is_flag=True, help="Send Wi-Fi and broker too; else the node's own stay."
)
@DATA
def set_(node: str, file: Path, network: bool, data: Path) -> None:
    """Take FILE (a node's config.json) as the next revision for NODE."""
    with _store(data) as (conn, site, now):
        topics.of(site, node, "config")
        body = node_config.parse(file.read_text(encoding="utf-8"), site, node, network)
        rev = node_config.put(conn, node, body, now)
        click.echo(f"{node}: revision {rev}, told with its next receipt")


@node_config_group.command(name="show")
@click.argument("node")
@DATA
def show(node: str, data: Path) -> None:
    """What NODE shall run with, without passwords, and what it says it runs."""
    with _store(data) as (conn, _, _now):
        wanted = node_config.newest(conn, node)
        click.echo(node_config.in_words(conn, node), err=True)
        if wanted is None:
            _refuse(f"no configuration of {node} in the store: it runs what the cable put there")
        shown = node_config.masked(json.loads(wanted[1]))
        click.echo(json.dumps(shown, indent=1, sort_keys=True, ensure_ascii=False))


@node_config_group.command(name="diff")
@click.argument("node")
@click.argument("file", type=FILE)
@click.option("--network", is_flag=True, help="Compare Wi-Fi and broker too.")
@DATA
def diff(node: str, file: Path, network: bool, data: Path) -> None:
    """What `set` would change; exit code 1 when anything differs."""
    with _store(data) as (conn, site, _now):
        body = node_config.parse(file.read_text(encoding="utf-8"), site, node, network)
        wanted = node_config.newest(conn, node)
        old = json.loads(wanted[1]) if wanted else {}
        left_out = ("rev", "v", *(() if network else node_config.NETWORK))
        old, new = (
            {key: value for key, value in node_config.masked(each).items() if key not in left_out}
            for each in (old, body)
        )
        lines = node_config.differences(old, new)
        for line in lines:
            click.echo(line)
    sys.exit(1 if lines else 0)


@click.command(name="commands")
@click.argument("node", required=False)
@click.option("--cancel", type=int, metavar="ID", help="Take back one that is not answered.")
@_JSON
@DATA
def commands_(node: str | None, cancel: int | None, as_json: bool, data: Path) -> None:
    """All commands, or NODE's, with their answers."""
    with _store(data) as (conn, _, _now):
        if cancel is not None and not commands.cancel(conn, cancel):
            _refuse(f"no command {cancel} waits: see `kahriz gateway commands`")
        found = commands.listed(conn, node)
    if as_json:
        click.echo(json.dumps([one.as_dict() for one in found]))
    for one in found if not as_json else ():
        click.echo(one.in_words())


@click.command(name="command")
@click.argument("node")
@click.argument("op", type=click.Choice(list(commands.OPS)))
@click.argument("args", nargs=-1, metavar="[NAME=NUMBER]...")
@DATA
def command_(node: str, op: str, args: tuple[str, ...], data: Path) -> None:
    """Queue OP for NODE.

    identify [times=5], sample, resend a=FIRST b=LAST, zero, reboot, factory
    """
    given: dict[str, int] = {}
    for each in args:
        name, _, value = each.partition("=")
        if not value.isdecimal():
            raise click.UsageError(f"{each!r}: expected NAME=NUMBER")
        given[name] = int(value)
    with _store(data) as (conn, site, now):
        topics.of(site, node, "receipt")
        ident = commands.put(conn, node, op, given, now)
        click.echo(f"command {ident} waits for {node}'s next word")


@click.group(name="ota")
def ota_group() -> None:
    """Programs for nodes, signed by `kahriz node release`, fetched over the air."""


_HOURS = click.option(
    "--proved-hours",
    "hours",
    type=click.IntRange(1, 24 * 30),
    default=24,
    show_default=True,
    help="So long a node must have run a release, with receipts, before the others get it.",
)


@ota_group.command(name="offer")
@click.argument("file", type=click.File("rb"))
@click.argument("nodes", nargs=-1, metavar="NODE...")
@click.option("--rest", is_flag=True, help="All nodes that spoke and are not offered it yet.")
@_HOURS
@DATA
def offer(file: BinaryIO, nodes: tuple[str, ...], rest: bool, hours: int, data: Path) -> None:
    """Offer the release in FILE (- is stdin): to one node first; to others when it is proved."""
    if rest == bool(nodes):
        raise click.UsageError("give nodes, or --rest")
    with _store(data) as (conn, site, now):
        for node in nodes:
            topics.of(site, node, "ota")
        body = file.read()
        conn.execute("BEGIN IMMEDIATE")
        named = nodes or rollout.rest(conn, body)
        found = rollout.offer(conn, named, body, now, hours)
        conn.execute("COMMIT")
        click.echo(f"release {found.fw} ({found.size_bytes} bytes) for {', '.join(named)}")


@ota_group.command(name="withdraw")
@click.argument("nodes", nargs=-1, required=True, metavar="NODE...")
@DATA
def withdraw(nodes: tuple[str, ...], data: Path) -> None:
    """Offer these nodes nothing; what already runs there stays."""
    with _store(data) as (conn, _, _now):
        for node in nodes:
            told = "withdrawn" if ota.withdraw(conn, node) else "nothing was offered"
            click.echo(f"{node}: {told}")


@ota_group.command(name="table")
@click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The plan, for nodes that never spoke; site.toml when it is here.",
)
@_HOURS
@_JSON
@DATA
def table(config: Path | None, hours: int, as_json: bool, data: Path) -> None:
    """All nodes: what each shall run, what it runs, and what stands in the way."""
    if config is None and HERE.exists():
        config = HERE
    planned = _plan(config, data).nodes if config is not None else ()
    with _store(data) as (conn, _, now):
        found = [rollout.standing(conn, node, now, hours) for node in rollout.nodes(conn, planned)]
    if as_json:
        click.echo(json.dumps([one.as_dict() for one in found]))
        return
    lines = [("node", "wanted", "runs", "state")]
    lines += [(o.node, o.offered or "-", o.runs or "unknown", o.in_words()) for o in found]
    widths = [max(len(line[i]) for line in lines) for i in range(3)]
    for line in lines:
        click.echo("  ".join([line[i].ljust(widths[i]) for i in range(3)] + [line[3]]))


def _plan(config: Path, data: Path) -> Plan:
    try:
        return read_plan(Options(config, data))
    except ConfigError as error:
        _refuse(error)


COMMANDS = (node_config_group, command_, commands_, ota_group)
