# SPDX-License-Identifier: MIT
"""How `kahriz node` speaks: messages to stderr, one JSON line to stdout, stable exit codes."""

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import rich_click as click
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

from kahriz_tools import node_config
from kahriz_tools.errors import BenchError

CTRL_C = 130
DEFAULT_SITE = "banovshalar-gozlu"
EXIT_CODES = (
    "Exit codes: 0 done, 1 a step does not hold, 2 wrong use, 3 our own files, MicroPython or a "
    "program missing, 4 the port, 5 no answer, 6 not a board for this program, 7 flash full, "
    "8 configuration or readings in the way, 9 the board went away: repeat, 10 the site's "
    "authority, 11 the board's self-test, 12 the gateway."
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
        except KeyboardInterrupt as error:
            self.say("kahriz node: interrupted: repeat the command, it goes on where it stopped")
            self.result({"ok": False, "what": "interrupted", "mend": "repeat", "code": CTRL_C})
            raise SystemExit(CTRL_C) from error

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


def password(ssid: str | None, file: Path | None, on_board: node_config.Json | None) -> str | None:
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
