# SPDX-License-Identifier: MIT
"""`kahriz site`: the site's certificates and its broker's configuration.

Exit codes: 0 done, 1 refused in words, 2 wrong usage, 3 configuration.
"""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import rich_click as click

from kahriz_gateway.authority import files as ca_files
from kahriz_gateway.authority import names as ca_names
from kahriz_gateway.authority.options import (
    ca_option,
    in_words,
    json_option,
    passphrase_of,
    passphrase_option,
    plan_of,
)
from kahriz_gateway.broker import conf as broker_conf
from kahriz_gateway.cli_options import CONFIG, FOLDER
from kahriz_water.plan import Plan


@click.group()
def site() -> None:
    """The site's own certificates, and a broker that believes nobody else."""


@site.group()
def ca() -> None:
    """The site's certificate authority, a folder of files."""


@ca.command()
@CONFIG
@ca_option
@passphrase_option
@click.option(
    "--host", "hosts", multiple=True, help="Name or address by which nodes find the broker."
)
@in_words
def new(config: Path, folder: Path, passphrase_file: Path | None, hosts: tuple[str, ...]) -> None:
    """Found the authority; certificates for broker, intake, village and doctor."""
    from kahriz_gateway.authority.site import found

    plan = plan_of(config)
    if plan.broker.host not in hosts:
        hosts = (*hosts, plan.broker.host)
    found(folder, plan.id, hosts, passphrase_of(passphrase_file))
    click.echo(f"authority of {plan.id} in {folder}; {folder}/gateway goes to the Pi")
    click.echo(f"keep {folder}/1/ca.key off the Pi, and a copy of {folder} in another house")


@ca.command()
@click.argument("names", nargs=-1)
@click.option("--all", "everybody", is_flag=True, help="All nodes of the plan that have none.")
@CONFIG
@ca_option
@passphrase_option
@json_option
@in_words
def issue(
    names: tuple[str, ...],
    everybody: bool,
    config: Path,
    folder: Path,
    passphrase_file: Path | None,
    as_json: bool,
) -> None:
    """Key and certificate for nodes, or for reader.NAME (a lamp, Home Assistant)."""
    from kahriz_gateway.authority.site import open_ca

    if everybody == bool(names):
        raise click.UsageError("give names, or --all")
    with open_ca(folder, passphrase_of(passphrase_file)) as authority:
        if everybody:
            wanted = [n for n in plan_of(config).nodes if authority.register.newest(n) is None]
        else:
            wanted = list(names)
        _tell([authority.issue(name) for name in wanted], as_json)


@ca.command()
@click.argument("names", nargs=-1, required=True)
@click.option("--host", "hosts", multiple=True, help="A further name or address of the broker.")
@ca_option
@passphrase_option
@json_option
@in_words
def renew(
    names: tuple[str, ...],
    hosts: tuple[str, ...],
    folder: Path,
    passphrase_file: Path | None,
    as_json: bool,
) -> None:
    """New keys and certificates; the old ones stay valid until they end or are revoked."""
    from kahriz_gateway.authority.site import open_ca

    if hosts and ca_names.BROKER not in names:
        raise click.UsageError("--host is for `renew broker`")
    with open_ca(folder, passphrase_of(passphrase_file)) as authority:
        authority.add_hosts(hosts)
        _tell([authority.renew(name) for name in names], as_json)


@ca.command()
@click.argument("name")
@click.option("--serial", help="This certificate alone (hexadecimal, see `show`).")
@click.option("--why", default="lost", show_default=True, help="For the register.")
@ca_option
@passphrase_option
@in_words
def revoke(
    name: str, serial: str | None, why: str, folder: Path, passphrase_file: Path | None
) -> None:
    """Shut out a lost node: all its certificates, or one."""
    from kahriz_gateway.authority.site import open_ca

    try:
        number = int(serial, 16) if serial else None
    except ValueError:
        raise click.UsageError("--serial takes hexadecimal digits") from None
    with open_ca(folder, passphrase_of(passphrase_file)) as authority:
        for entry in authority.revoke(name, why, number):
            click.echo(f"{entry.name} {entry.serial:x} is revoked")
    click.echo(f"bring {folder}/gateway/crl.pem to the Pi and restart mosquitto")


@ca.command()
@ca_option
@passphrase_option
@in_words
def roll(folder: Path, passphrase_file: Path | None) -> None:
    """Begin a change of the authority's key: a second one, trusted beside the first."""
    from kahriz_gateway.authority.site import open_ca

    with open_ca(folder, passphrase_of(passphrase_file)) as authority:
        generation = authority.roll()
        behind = authority.behind()
    click.echo(f"authority {generation} is trusted beside the older one; now:")
    click.echo(f"1. {folder}/gateway to the Pi, restart mosquitto and the gateway")
    click.echo(f"2. renew and visit: {', '.join(behind) or 'nobody'}")
    click.echo(f"3. `kahriz site ca retire {generation - 1}`, {folder}/gateway to the Pi again")


@ca.command()
@click.argument("generation", type=int)
@click.option("--although", is_flag=True, help="Although nodes that were not visited are shut out.")
@ca_option
@passphrase_option
@in_words
def retire(generation: int, although: bool, folder: Path, passphrase_file: Path | None) -> None:
    """End a change of key: trust the old authority no more; the broker gets a new certificate."""
    from kahriz_gateway.authority.site import open_ca

    with open_ca(folder, passphrase_of(passphrase_file)) as authority:
        behind = authority.retire(generation, although)
    click.echo(f"authority {generation} is trusted no more; {folder}/gateway to the Pi, restart")
    if behind:
        click.echo(f"shut out until they are visited: {', '.join(behind)}")


@ca.command()
@ca_option
@passphrase_option
@in_words
def sign(folder: Path, passphrase_file: Path | None) -> None:
    """Sign a statement from stdin, as `kahriz node provision` makes one of a sheet."""
    from kahriz_gateway.authority.site import open_ca

    asked = sys.stdin.read()
    with open_ca(folder, passphrase_of(passphrase_file)) as authority:
        click.echo(authority.sign(asked))


@ca.command()
@ca_option
@json_option
@in_words
def show(folder: Path, as_json: bool) -> None:
    """Every certificate: whose, which serial, until when, revoked or not."""
    from kahriz_gateway.authority.site import open_ca

    now = datetime.now(UTC)
    with open_ca(folder) as authority:
        register = authority.register
        if as_json:
            rows = [{**e.as_dict(), "trusted": e in list(register.standing())}
                    for e in register.entries.values()]  # fmt: skip
            click.echo(json.dumps(rows))
            return
        for entry in register.entries.values():
            if not entry.good:
                state = f"revoked {entry.revoked}: {entry.why}"
            elif entry.generation in register.retired:
                state = f"its authority {entry.generation} is retired"
            else:
                state = f"ends {entry.ends[:10]}, {entry.days_left(now)} days"
            click.echo(f"{entry.name}\t{entry.serial:x}\t{state}")


@site.command()
@CONFIG
@ca_option
@click.option("--to", "target", type=FOLDER, help="Write mosquitto.conf and kahriz.acl there.")
@click.option("--tls", type=FOLDER, default=Path("/etc/mosquitto/kahriz"), show_default=True,
              help="Where the files of CA/gateway lie on the Pi.")  # fmt: skip
@click.option("--state", type=FOLDER, default=Path("/var/lib/mosquitto"), show_default=True,
              help="Where the broker keeps its queue.")  # fmt: skip
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    default=8883,
    show_default=True,
    help="Port that the nodes connect to.",
)
@click.option("--bind", metavar="ADDRESS", help="Listen on this address alone.")
@click.option("--force", is_flag=True, help="Overwrite files that say something else.")
@in_words
def broker(
    config: Path, folder: Path, target: Path | None, tls: Path, state: Path, port: int,
    bind: str | None, force: bool,
) -> None:  # fmt: skip
    """mosquitto's configuration and access list, made from the plan and the register."""
    plan = plan_of(config)
    nodes, readers = _holders(plan, folder)
    acl = broker_conf.access(plan.id, nodes, readers)
    conf = broker_conf.configuration(plan.id, tls, tls / "kahriz.acl", state, port, bind)
    if target is None:
        click.echo(f"{conf}\n# --- kahriz.acl ---\n{acl}", nl=False)
        return
    for path, text in ((target / "mosquitto.conf", conf), (target / "kahriz.acl", acl)):
        if path.exists() and path.read_text(encoding="utf-8") != text and not force:
            raise ca_files.CaError(f"{path} says something else: look at it, then say --force")
        target.mkdir(parents=True, exist_ok=True)
        ca_files.replace(path, text.encode())
        click.echo(str(path))


def _holders(plan: Plan, folder: Path) -> tuple[list[str], list[str]]:
    """Nodes of the plan and of the register, and readers; the register may be elsewhere."""
    nodes = list(plan.nodes)
    readers: list[str] = []
    if (folder / "register.jsonl").exists():
        from kahriz_gateway.authority.register import Register

        for entry in Register(folder / "register.jsonl").standing():
            name = entry.name
            if name.startswith(ca_names.READER):
                readers.append(name.removeprefix(ca_names.READER))
            elif ca_names.is_node(name):
                nodes.append(name)
    return list(dict.fromkeys(nodes)), list(dict.fromkeys(readers))


def _tell(issued: list[Any], as_json: bool) -> None:
    if as_json:
        rows = [{**one.entry.as_dict(), "folder": str(one.folder)} for one in issued]
        click.echo(json.dumps(rows))
    else:
        for one in issued:
            click.echo(f"{one.entry.name}: {one.folder}, ends {one.entry.ends[:10]}")
