# SPDX-License-Identifier: MIT
"""`kahriz server replay` and `reports`: many kahrizes at a time, here or on a Dask cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import rich_click as click

from kahriz_server.many import Done

Command = TypeVar("Command", bound=Callable[..., Any])


def _many(command: Command) -> Command:
    for option in (
        click.argument("archive", type=click.Path(path_type=Path, exists=True, file_okay=False)),
        click.option(
            "--out",
            required=True,
            type=click.Path(path_type=Path, file_okay=False),
            help="Folder that the results are written to.",
        ),
        click.option(
            "--jobs", type=click.IntRange(1, 256), help="Sites at a time; else one a processor."
        ),
        click.option(
            "--cluster", metavar="tcp://HOST:PORT", help="Workers of a Dask cluster, not ours."
        ),
        click.option("--again", is_flag=True, help="Also what is in --out already."),
    ):
        command = option(command)
    return command


@click.command()
@_many
@click.option(
    "--ratings",
    metavar="NAME",
    help="A file of this name in a kahriz's folder has other ratings for it ([[rating]]).",
)
def replay(
    archive: Path,
    out: Path,
    jobs: int | None,
    cluster: str | None,
    again: bool,
    ratings: str | None,
) -> None:
    """The detectors over all kahrizes of ARCHIVE: a folder each, with site.toml and readings.csv.

    Writes a table of alarms a kahriz; broken off, it goes on with those that are not done.
    """
    from kahriz_server.archive import kahrizes, replay_all

    found = kahrizes(archive.resolve())
    if not found:
        raise click.ClickException(f"{archive} has no folder with a site.toml or site.json")
    if ratings is not None and not any((each / ratings).is_file() for each in found):
        raise click.ClickException(f"no kahriz of {archive} has a file {ratings}: --ratings?")
    todo = [each for each in found if again or not (out / f"{each.name}.csv").exists()]
    click.echo(f"{len(todo)} kahrizes, {len(found) - len(todo)} done before")
    _tell(replay_all(todo, out.resolve(), jobs, cluster, ratings), out, cluster)


@click.command()
@_many
@click.option("--month", required=True, metavar="YYYY-MM", help="Which one.")
@click.option(
    "--lang",
    type=click.Choice(("az", "ru", "en")),
    default="az",
    show_default=True,
    help="Language of the words.",
)
def reports(
    archive: Path,
    out: Path,
    jobs: int | None,
    cluster: str | None,
    again: bool,
    month: str,
    lang: str,
) -> None:
    """The month's page (PDF) of all kahrizes of ARCHIVE: a folder each, with a gateway's stores.

    Broken off, it goes on with those that are not done.
    """
    from kahriz_server.reports import report_all, stores

    found = stores(archive.resolve())
    if not found:
        raise click.ClickException(f"{archive} has no folder with site.toml and village.db")
    page = f"-{month}-{lang}.pdf"
    todo = [each for each in found if again or not (out / f"{each.name}{page}").exists()]
    click.echo(f"{len(todo)} kahrizes, {len(found) - len(todo)} done before")
    _tell(report_all(todo, out.resolve(), month, lang, jobs, cluster), out, cluster)


def _tell(done: Iterator[Done], out: Path, cluster: str | None) -> None:
    """A line a kahriz; what was not done is named at the end."""
    wrong = []
    try:
        for each in done:
            click.echo(f"{each.name}: {each.error or each.said}")
            wrong += [each.name] if each.error else []
    except ModuleNotFoundError as error:
        raise click.ClickException(
            f"--cluster needs the package {error.name!r}: pip install kahriz-monitor[cluster]"
        ) from None
    except OSError as error:  # a time-out of the cluster too
        raise click.ClickException(f"{out if cluster is None else cluster}: {error}") from None
    if wrong:
        raise click.ClickException(f"not done: {', '.join(sorted(wrong))}")
