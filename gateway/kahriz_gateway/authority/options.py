# SPDX-License-Identifier: MIT
"""Options that commands of `kahriz site` share, and how they refuse in one line."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import rich_click as click

from kahriz_gateway.authority import files as ca_files
from kahriz_gateway.cli_options import FILE, FOLDER
from kahriz_gateway.config import EXIT_CONFIG, Options, read_plan
from kahriz_water.plan import Plan
from kahriz_water.strict import ConfigError

Command = TypeVar("Command", bound=Callable[..., Any])
WORDS = "KAHRIZ_CA_PASSPHRASE"
WORDS_MOST = 1023  # bytes; OpenSSL takes no more

ca_option = click.option(
    "--ca",
    "folder",
    type=FOLDER,
    default=Path("ca"),
    show_default=True,
    help="Folder of the authority; keep it on a stick, and a copy of it elsewhere.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="JSON instead of lines.")
passphrase_option = click.option(
    "--passphrase-file", type=FILE, help=f"Words that protect ca.key; else {WORDS}, else none."
)


def refuse(error: Exception) -> NoReturn:
    click.echo(f"site: {error}", err=True)
    sys.exit(EXIT_CONFIG if isinstance(error, ConfigError) else 1)


def passphrase_of(file: Path | None) -> bytes | None:
    if file is not None:
        words = ca_files.read(file, "the passphrase").strip()
    else:
        words = os.environ.get(WORDS, "").encode()
    if len(words) > WORDS_MOST:
        raise ca_files.CaError(f"a passphrase of {len(words)} bytes: at most {WORDS_MOST}")
    return words or None


def plan_of(config: Path) -> Plan:
    return read_plan(Options(config, Path("data")))


def in_words(command: Command) -> Command:
    """Errors that a person can mend become one line."""
    import functools

    @functools.wraps(command)
    def guarded(*args: Any, **given: Any) -> Any:
        try:
            return command(*args, **given)
        except (ca_files.CaError, ConfigError) as error:
            refuse(error)

    return guarded  # type: ignore[return-value]
