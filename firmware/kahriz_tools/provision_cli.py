# SPDX-License-Identifier: MIT
"""`kahriz node provision`: one command from a bare board to a proven node."""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import rich_click as click

from kahriz_tools import node_config
from kahriz_tools.steps import FAIL, Told
from kahriz_tools.talk import EXIT_CODES, Talk, json_option, node_option, password, port_option

Command = TypeVar("Command", bound=Callable[..., Any])
FOLDER = click.Path(path_type=Path, file_okay=False)
FILE = click.Path(path_type=Path, dir_okay=False, exists=True)

_SITE = click.option(
    "--site", type=FOLDER, default=Path(), help="The site's folder (site.toml, nodes/); else here."
)


def _metres(_: object, __: object, given: tuple[str, ...]) -> dict[str, float]:
    found = {}
    for each in given:
        name, _, text = each.partition("=")
        try:
            found[name] = float(text)
        except ValueError:
            raise click.BadParameter(f"{each!r}: expected CHANNEL=METRES") from None
    return found


def _gateway_options(command: Command) -> Command:
    """Where the gateway's store is."""
    for option in (
        click.option("--gateway-command", help="'ssh pi@kahriz-gateway kahriz'; else here."),
        click.option(
            "--gateway-config",
            default="site.toml",
            show_default=True,
            help="The plan, on the gateway.",
        ),
        click.option("--gateway-data", help="The gateway's store, on the gateway."),
    ):
        command = option(command)
    return command


def _board_options(command: Command) -> Command:
    """Which board, and who resets it."""
    for option in (
        click.option("--by-hand", is_flag=True, help="Nothing but your finger resets the board."),
        click.option(
            "--port-filter",
            multiple=True,
            metavar="KEY=TEXT",
            help="Which USB port, where there are several: vid=, pid=, name=, serial=.",
        ),
    ):
        command = option(command)
    return command


NOTHING: dict[str, Any] = {  # of what a board's readings do not need
    **dict.fromkeys(("ca", "passphrase_file", "photo", "release_key", "wifi_ssid")),
    **dict.fromkeys(("wifi_password_file", "broker_host", "broker_port")),
    **dict.fromkeys(("plain", "discard", "again"), False),
    **dict.fromkeys(("broker_name", "who", "place"), ""),
    **{"zeros": {}, "spans": {}, "least_dbm": 0},
}


def wish_options(command: Command) -> Command:
    """What provision and replace take."""
    for option in (
        click.option("--again", is_flag=True, help="Repeat the self-test although it passed."),
        click.option(
            "--discard", is_flag=True, help="Overwrite readings on the board; they are pulled."
        ),
        click.option("--plain", is_flag=True, help="A site without TLS: anybody may forge."),
        click.option(
            "--least-dbm", type=int, default=-75, show_default=True, help="Wi-Fi must be above."
        ),
        click.option("--release-key", type=FILE, help="Whose programs over the air are taken."),
        click.option("--photo", type=FILE, help="Of the box in its place, for the sheet."),
        click.option("--place", default="", help="Where the box hangs, in words, for the sheet."),
        click.option("--who", default="", help="Who answers for this node, for the sheet."),
        click.option(
            "--span",
            "spans",
            multiple=True,
            callback=_metres,
            metavar="CHANNEL=METRES",
            help="Metres of water from 4 to 20 mA of a pressure probe.",
        ),
        click.option(
            "--zero",
            "zeros",
            multiple=True,
            callback=_metres,
            metavar="CHANNEL=METRES",
            help="Sensor's face over the notch's point by tape; level at 4 mA.",
        ),
        _gateway_options,
        click.option(
            "--broker-name",
            default="kahriz-gateway",
            show_default=True,
            help="A name in the broker's certificate.",
        ),
        click.option(
            "--broker-port",
            type=click.IntRange(1, 65535),
            help="The broker's port; else 8883, or 1883 with --plain.",
        ),
        click.option("--broker-host", help="The gateway's address on the site's Wi-Fi."),
        click.option(
            "--wifi-password-file", type=FILE, help="Else KAHRIZ_WIFI_PASSWORD, or asked."
        ),
        click.option("--wifi-ssid", help="Name of the site's Wi-Fi."),
        click.option("--passphrase-file", type=FILE, help="Of the authority's key."),
        click.option("--ca", type=FOLDER, help="The site's authority; else SITE/ca."),
        _board_options,
    ):
        command = option(command)
    return command


def wish(node: str, port: str | None, site: Path, other_board: bool = False, **given: Any) -> Any:
    """A wish from the options."""
    from kahriz_tools.case import Wish
    from kahriz_tools.neighbours import Authority, Gateway

    folder = node_config.site_folder(str(site))
    ssid = given["wifi_ssid"]
    return Wish(
        site=folder,
        node=node,
        port=port,
        port_filters=given["port_filter"],
        by_hand=given["by_hand"],
        authority=Authority(given["ca"] or folder / "ca", given["passphrase_file"]),
        gateway=Gateway(given["gateway_data"], given["gateway_config"], given["gateway_command"]),
        said=node_config.Wanted(
            ssid,
            password(ssid, given["wifi_password_file"], None),
            given["broker_host"],
            given["broker_port"],
        ),
        broker_name=given["broker_name"],
        zeros=given["zeros"],
        spans=given["spans"],
        who=given["who"],
        place=given["place"],
        photo=given["photo"],
        release_key=given["release_key"],
        least_dbm=given["least_dbm"],
        plain=given["plain"],
        discard=given["discard"],
        again=given["again"],
        other_board=other_board,
    )


@click.command(epilog=EXIT_CODES)
@port_option
@node_option
@_SITE
@wish_options
@click.option("--without", multiple=True, metavar="STEP", help="Leave a step out; the sheet tells.")
@click.option("--dry-run", is_flag=True, help="Look and tell; write nothing.")
@json_option
def provision(
    without: tuple[str, ...], dry_run: bool, as_json: bool, node: str, **given: Any
) -> None:
    """From a bare board to a proven node, offline.

    Each step is looked at, done when it does not hold, and looked at again. Cut at any place it
    goes on there; with nothing to change it writes nothing.
    """
    talk = Talk(as_json)
    with talk.mending():
        walk_and_tell(talk, wish(node, **given), dry_run, without)


@click.command(epilog=EXIT_CODES)
@port_option
@node_option
@_SITE
@wish_options
@click.option("--dry-run", is_flag=True, help="Look and tell; write nothing.")
@json_option
def replace(dry_run: bool, as_json: bool, node: str, **given: Any) -> None:
    """A spare takes a node's place: identity, calibration and history are the node's.

    The spare gets a certificate of its own; the old board's is revoked once the spare is proven.
    """
    talk = Talk(as_json)
    with talk.mending():
        walk_and_tell(talk, wish(node, other_board=True, **given), dry_run, ())


@click.command(epilog=EXIT_CODES)
@port_option
@node_option
@_SITE
@_gateway_options
@_board_options
@json_option
def rescue(as_json: bool, node: str, **given: Any) -> None:
    """Readings off a board that is dying or leaves, into the gateway: each of them once.

    Nothing is written on the board. It may be silent: its boot loader is enough.
    """
    from kahriz_tools.provision import rescue as work

    talk = Talk(as_json)
    with talk.mending():
        wanted = wish(node, **{**NOTHING, **given})
        _tell(talk, wanted, False, lambda say, hand: work(wanted, say, hand))


def walk_and_tell(talk: Talk, wanted: Any, dry_run: bool, without: tuple[str, ...]) -> None:
    """Walk the steps, say each, and end with the result and its exit code."""
    from kahriz_tools.provision import provision as work

    _tell(talk, wanted, dry_run, lambda say, hand: work(wanted, say, hand, dry_run, without))


def _tell(talk: Talk, wanted: Any, dry_run: bool, work: Callable[..., Any]) -> None:
    begin = time.monotonic()
    run, case = work(lambda told: _say(talk, told), lambda what: _hand(talk, what))
    seconds = round(time.monotonic() - begin, 1)
    failed = run.failed
    done = ", ".join(run.did) or "nothing"
    talk.say(f"{wanted.node}: {'not ready' if failed else 'ready'}; done: {done}; {seconds} s")
    talk.result(
        {
            "ok": failed is None,
            "node": wanted.node,
            "dry_run": dry_run,
            "did": run.did,
            "steps": [told.as_dict() for told in run.told],
            "folder": str(case.home),
            "seconds": seconds,
            **({"what": failed.what, "mend": failed.mend, "code": failed.code} if failed else {}),
        }
    )
    if failed is not None:
        raise SystemExit(failed.code)


def _say(talk: Talk, told: Told) -> None:
    colour = {"PASS": "green", FAIL: "red"}.get(told.state, "yellow")
    talk.console.print(f"[{colour}]{told.state:8}[/] {told.name:11} ", end="")
    talk.say(told.says + (" (done now)" if told.did else ""))
    if told.mend:
        talk.say(f"{'':21}mend: {told.mend}")


def _hand(talk: Talk, what: str) -> None:
    talk.say(f"{'':21}now {what}")
    if sys.stdin.isatty():
        click.prompt("then Enter", default="", show_default=False, err=True)
