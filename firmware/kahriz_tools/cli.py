# SPDX-License-Identifier: MIT
"""`kahriz node`: put the program and a configuration on a board, and look at what is there."""

import json
import time
from pathlib import Path

import rich_click as click

from kahriz_tools import node_config
from kahriz_tools.accept_cli import accept
from kahriz_tools.apply_cli import apply, pull
from kahriz_tools.doctor_cli import doctor
from kahriz_tools.errors import BenchError
from kahriz_tools.field_cli import logs, read, walk, watch
from kahriz_tools.firmware_cli import firmware
from kahriz_tools.gateway_cli import calibrate, ota
from kahriz_tools.image import build_image
from kahriz_tools.provision_cli import provision, replace, rescue
from kahriz_tools.release_cli import release
from kahriz_tools.revoke_cli import revoke
from kahriz_tools.rollout_cli import rollout
from kahriz_tools.talk import (
    EXIT_CODES,
    Talk,
    json_option,
    node_option,
    password,
    port_option,
    site_option,
)
from kahriz_tools.verify_cli import verify


@click.group(epilog=EXIT_CODES)
def node() -> None:
    """The technician's laptop: put the program on a board."""


for each in (
    *(provision, replace, rescue, firmware, release, revoke),
    *(read, watch, walk, logs),
    *(pull, apply, calibrate, ota, rollout, doctor, accept, verify),
):
    node.add_command(each)


@node.command(epilog=EXIT_CODES)
@port_option
@node_option
@site_option
@click.option("--wifi-ssid", help="Name of the site's Wi-Fi; the board's own stays without it.")
@click.option(
    "--wifi-password-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Password in a file (first line); else KAHRIZ_WIFI_PASSWORD, else you are asked.",
)
@click.option("--broker-host", help="The gateway's address on the site's Wi-Fi.")
@click.option(
    "--broker-port",
    type=click.IntRange(1, 65535),
    help="The broker's port; else what the node's file says, or 1883.",
)
@click.option(
    "--release-key",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Whose signature the node trusts for programs over the air; without it the board's stays.",
)
@click.option("--rename", is_flag=True, help="The readings on the board go on under this name.")
@click.option("--dry-run", is_flag=True, help="Compare and tell; write nothing.")
@json_option
def flash(
    port: str | None,
    node: str,
    site: str,
    wifi_ssid: str | None,
    wifi_password_file: Path | None,
    broker_host: str | None,
    broker_port: int | None,
    release_key: Path | None,
    rename: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Write the node's program and configuration to an ESP32 that runs MicroPython.

    Only what differs is written, verified, and put in place at once; the journal is not touched.
    """
    from kahriz_tools import flash as work
    from kahriz_tools.board import Board
    from kahriz_tools.ports import find_port

    talk = Talk(as_json)
    begin = time.monotonic()
    with talk.mending():
        config = node_config.load(site, node)
        wanted = work.program(node_config.drivers(config))
        with Board(port or find_port()) as board:
            found = board.identity()
            work.check_board(found, wanted)
            version = ".".join(map(str, found.version))
            talk.say(f"{board.port}: {found.machine or found.platform}, MicroPython {version}")
            here = board.read(node_config.PATH)
            on_board = None if here is None else _lenient(here)
            said = node_config.Wanted(
                wifi_ssid,
                password(wifi_ssid, wifi_password_file, on_board),
                broker_host,
                broker_port,
            )
            config = node_config.complete(config, on_board, said)
            node_config.check(config, node)
            if not rename:
                work.check_journal(board, config, on_board)
            doubts = node_config.doubts(config)
            for doubt in doubts:
                talk.say(f"note: {doubt}")
            wanted[node_config.PATH] = node_config.encode(config)
            if release_key is not None:
                from kahriz_tools.release import KEY_PATH, modulus

                wanted[KEY_PATH] = modulus(release_key)
            change = work.plan(board, wanted)
            if not dry_run:
                with talk.bar(change.size_bytes) as wrote:
                    work.perform(board, wanted, change, wrote)
            board.restart()
        verb, after = ("would write", "nothing was changed") if dry_run else ("wrote", "it runs")
        talk.say(
            f"{config['site']}/{node}: {verb} {len(change.write)} files "
            f"({change.size_bytes} bytes), {len(change.remove)} stale, "
            f"{change.unchanged} already right; {after}"
        )
        talk.result(
            {
                "ok": True,
                "dry_run": dry_run,
                "port": board.port,
                "site": config["site"],
                "node": node,
                "micropython": version,
                "written": list(change.write),
                "removed": list(change.remove),
                "unchanged": change.unchanged,
                "bytes": change.size_bytes,
                "notes": doubts,
                "seconds": round(time.monotonic() - begin, 1),
            }
        )


@node.command()
@click.option(
    "--out",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder that the image is written to.",
)
@click.option("--node", help="Only the sensor drivers that this node's file names; else all.")
@site_option
@json_option
def image(out: Path, node: str | None, site: str, as_json: bool) -> None:
    """Compile the program into a folder, as it goes to the chip."""
    talk = Talk(as_json)
    with talk.mending():
        drivers = node_config.drivers(node_config.load(site, node)) if node else None
        try:
            made = build_image(out, drivers)
        except OSError as error:
            why = error.strerror or error
            raise BenchError(
                f"cannot write {out} ({why})", "choose another --out folder"
            ) from error
        size = sum(path.stat().st_size for path in made)
        talk.say(f"{len(made)} files, {size} bytes in {out}")
        talk.result({"ok": True, "files": [str(path) for path in made], "bytes": size})


@node.group()
def config() -> None:
    """The configuration of a node: in a site folder, or on a board."""


@config.command("check")
@site_option
@click.option("--node", help="One node only; without it all of the site.")
@json_option
def config_check(site: str, node: str | None, as_json: bool) -> None:
    """Check the site's node files as the chip would; no board is needed."""
    talk = Talk(as_json)
    with talk.mending():
        folder = node_config.site_folder(site)
        names = [node] if node else sorted(p.stem for p in (folder / "nodes").glob("*.json"))
        for name in names:
            node_config.check(node_config.load(site, name), name)
            talk.say(f"{name}: right")
        talk.result({"ok": True, "site": folder.name, "nodes": names})


@config.command("show")
@port_option
@json_option
def config_show(port: str | None, as_json: bool) -> None:
    """Show the configuration that is on a board, without its password."""
    from kahriz_tools.board import Board
    from kahriz_tools.ports import find_port

    talk = Talk(as_json)
    with talk.mending():
        with Board(port or find_port()) as board:
            data = board.read(node_config.PATH)
            board.restart()
        if data is None:
            raise BenchError(
                "the board has no configuration", "run `kahriz node flash`", node_config.CONFIG_CODE
            )
        shown = node_config.masked(node_config.parse(data, f"{node_config.PATH} on the board"))
        if as_json:
            talk.result({"ok": True, "config": shown})
        else:
            click.echo(json.dumps(shown, indent=2, sort_keys=True, ensure_ascii=False))


def _lenient(data: bytes) -> node_config.Json | None:
    """A broken file on the board is replaced, so it need not be read."""
    try:
        return node_config.parse(data, "on the board")
    except BenchError:
        return None
