# SPDX-License-Identifier: MIT
"""`kahriz server refill`: the long memory again, out of what the gateways have kept."""

from __future__ import annotations

import time
from pathlib import Path

import rich_click as click

from kahriz_server.refill import lacking, refill_all


@click.command()
@click.argument(
    "folders",
    nargs=-1,
    required=True,
    type=click.Path(path_type=Path, file_okay=False, exists=True),
)
@click.option("--url", required=True, help="InfluxDB, for example http://127.0.0.1:8086")
@click.option(
    "--token-file",
    required=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A token that may write; of 1.x user:password.",
)
@click.option("--database", default="kahriz", show_default=True, help="Database or bucket.")
@click.option(
    "--since", default="2000-01-01", show_default=True, metavar="DAY", help="From this day on."
)
@click.option(
    "--jobs", type=click.IntRange(1, 64), default=2, show_default=True, help="Gateways at a time."
)
def refill(
    folders: tuple[Path, ...], url: str, token_file: Path, database: str, since: str, jobs: int
) -> None:
    """Fill a new database from FOLDERS, a gateway's stores each: site.toml, village.db, …

    Copies of stores, or backups that were put back (`kahriz gateway restore`). Broken off, the
    same command goes on where each of them stopped.
    """
    for folder in folders:
        missing = lacking(folder)
        if missing:
            raise click.ClickException(f"{folder} has no {' and no '.join(missing)}")
    start_s, wrong = time.monotonic(), []
    for done in refill_all(folders, url, token_file, database, since, jobs):
        click.echo(f"{done.name}: {done.error or done.said} ({done.seconds:.1f} s)")
        wrong += [done.name] if done.error else []
    if wrong:
        raise click.ClickException(f"not filled: {', '.join(sorted(wrong))}")
    click.echo(
        f"{len(folders)} gateways in {time.monotonic() - start_s:.1f} s; now look at every panel:"
        f" kahriz server panels --url {url}"
    )
