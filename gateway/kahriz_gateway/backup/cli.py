# SPDX-License-Identifier: MIT
"""`kahriz gateway backup` and `restore`: last night's stores, and back from them."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

import rich_click as click

from kahriz_gateway.cli_options import DATA, FOLDER
from kahriz_gateway.config import exit_code
from kahriz_gateway.intake.store import StoreError


@click.command()
@click.argument("folder", type=FOLDER)
@click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    default=Path("site.toml"),
    show_default=True,
    help="The plan of the site.",
)
@DATA
@click.option("--keep", type=click.IntRange(1), metavar="N", help="Remove all but the newest N.")
def backup(folder: Path, config: Path, data: Path, keep: int | None) -> None:
    """Copy both stores, plan and records into FOLDER, while the gateway works."""
    from kahriz_gateway.backup.backup import make
    from kahriz_gateway.clock import SystemClock

    try:
        made = make(data, config, folder, SystemClock().now_ms(), keep)
    except StoreError as error:
        _refuse(error)
    click.echo(f"{made.path}: {made.rows} readings, {made.bytes / 1e6:.1f} MB, checked")


@click.command()
@click.argument("folder", type=FOLDER)
@DATA
@click.option("--dry-run", is_flag=True, help="Check everything, write nothing.")
def restore(folder: Path, data: Path, dry_run: bool) -> None:
    """Put one backup (a folder made by `backup`) into an empty --data folder."""
    from kahriz_gateway.backup.restore import restore as put_back
    from kahriz_gateway.clock import SystemClock

    try:
        found, ident = put_back(folder, data, SystemClock().now_ms(), dry_run)
    except StoreError as error:
        _refuse(error)
    made = f"{datetime.fromtimestamp(found.made_ms / 1000, UTC):%Y-%m-%d %H:%M UTC}"
    about = f"{found.site}, {made}: {found.rows} readings, {found.bytes / 1e6:.1f} MB"
    if dry_run:
        click.echo(f"{about}; whole, and {data} can take it. Nothing was written")
    else:
        click.echo(f"{about}; restored into {data} as store {ident} (was {found.store})")


def _refuse(error: Exception) -> NoReturn:
    click.echo(f"gateway: {error}", err=True)
    sys.exit(exit_code(error))
