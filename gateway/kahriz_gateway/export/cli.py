# SPDX-License-Identifier: MIT
"""`kahriz export`: values, totals, ratings and visits as CSV that an office can sign."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any, TypeVar

import rich_click as click
from rich.console import Console
from rich.progress import Progress

from kahriz_gateway.cli_options import FILE, FOLDER
from kahriz_gateway.clock import open_clock
from kahriz_gateway.export import provenance, totals_table, values, visits
from kahriz_gateway.export.provenance import Span
from kahriz_gateway.export.read_back import read_back
from kahriz_gateway.export.table_file import Row, plain_file, write_table
from kahriz_gateway.outputs.csv_files import zone_of
from kahriz_gateway.outputs.refill_cli import moment_ms
from kahriz_gateway.records.water_cli import (
    REFUSALS,
    plan_of,
    refuse,
    site_options,
    village_of,
)
from kahriz_water.site import Plan
from kahriz_water.strict import ConfigError

Command = TypeVar("Command", bound=Callable[..., Any])


@click.group()
def export() -> None:
    """Tables for an office: values, totals, ratings, visits; with provenance, flags and bounds.

    A file that was broken off goes on where it stopped when the same command is given again.
    """


def _options(command: Command) -> Command:
    for option in (
        click.option("--out", type=FILE, required=True, help="The file to write."),
        click.option("--to", "end", metavar="DAY", help="Before this day; else before today."),
        click.option(
            "--from",
            "start",
            metavar="DAY",
            default="2000-01-01",
            show_default=True,
            help="From this day on.",
        ),
        site_options,
    ):
        command = option(command)
    return command


@export.command("values")
@click.option(
    "--form",
    type=click.Choice(["long", "wide", "replay"]),
    default="long",
    show_default=True,
    help="A line a value, a line a moment, or what `kahriz replay` reads.",
)
@_options
def values_(form: str, **given: Any) -> None:
    """Every value: a line each (long, complete), or a line a moment (wide, for a spreadsheet).

    replay: in order of time and without a head, as `kahriz replay` and `kahriz server replay` want.
    """
    with _job(given) as job:
        total = values.count(job.conn, job.span)
        if form == "long":
            job.write(
                "every interpreted value, a line each",
                values.LONG,
                lambda last: values.long_rows(job.conn, job.span, job.zone, last),
                total,
            )
        elif form == "replay":
            job.write_plain(values.REPLAY, values.replay_rows(job.conn, job.span), total)
        else:
            head = values.wide_head(job.conn)
            job.write(
                "interpreted values, a line a moment; what failed is left out, its flag stays",
                values.wide_columns(head),
                lambda last: values.wide_rows(job.conn, job.span, job.zone, head, last),
                None,
            )


@export.command()
@click.option(
    "--a",
    "a",
    type=click.Choice(["day", "month"]),
    default="day",
    show_default=True,
    help="What one sum is of.",
)
@_options
def totals(a: str, **given: Any) -> None:
    """Water past each point by day or month; no sum where under 80 % of the time is covered."""
    with _job(given) as job:
        first = job.conn.execute("SELECT min(ts) FROM value").fetchone()[0]
        span = Span(max(job.span.start, (first or 0) - 31 * 86_400_000), job.span.end)
        found = totals_table.periods(span, a, job.zone)
        job.write(
            f"water by {a}; no sum where completeness is under {totals_table.LEAST:.0%}",
            totals_table.COLUMNS,
            lambda last: totals_table.total_rows(job.conn, job.plan, job.zone, found, last),
            len(found) * len(totals_table.flowing(job.conn, job.plan)),
        )


@export.command()
@_options
def ratings(**given: Any) -> None:
    """The rating of each structure as a table (USGS column names, metric)."""
    with _job(given) as job:
        job.write_small(visits.RATING, visits.rating_rows(job.conn, job.plan, job.zone))


@export.command("visits")
@_options
def visits_(**given: Any) -> None:
    """Gaugings by hand (USGS column names, metric); people by their initials alone."""
    with _job(given) as job:
        job.write_small(visits.VISIT, visits.visit_rows(job.conn, job.plan, job.zone))


@export.command("read-back")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option("--into", "folder", type=FOLDER, required=True, help="A folder without values.")
def read_back_(file: Path, folder: Path) -> None:
    """A long table into an empty store: the same values again, to the last digit."""
    try:
        click.echo(f"{read_back(file, folder)} values in {folder / 'village.db'}")
    except REFUSALS as error:
        refuse(error)


class _Job:
    """One export: its store, plan, zone and span, and the bar that shows how far it is."""

    def __init__(self, given: dict[str, Any]) -> None:
        self.out: Path = given["out"]
        plain_file(self.out)
        self.plan: Plan = plan_of(given["config"])
        self.zone: tzinfo = zone_of(self.plan)
        clock = open_clock(given["clock_file"])
        today = datetime.fromtimestamp(clock.now_ms() / 1000, self.zone).date().isoformat()
        start = _moment("--from", self.plan, given["start"])
        end = _moment("--to", self.plan, given["end"] or today)
        if end <= start:
            raise ConfigError("--to", "a day after --from", str(given["end"] or today))
        self.span = Span(start, end)
        self.conn = village_of(given["data"])

    def write(
        self,
        what: str,
        columns: Row,
        rows_after: Callable[[list[str] | None], Iterator[Row]],
        total: int | None,
    ) -> None:
        head = provenance.head_of(self.conn, self.plan, self.zone, self.span, what)
        self._write(head, columns, rows_after, total)

    def write_plain(self, columns: Row, rows: Iterator[Row], total: int) -> None:
        """Without a head nothing says whether a part is of the same history: always anew."""
        self.out.with_name(self.out.name + ".part").unlink(missing_ok=True)
        self._write([], columns, lambda _: rows, total)

    def _write(
        self,
        head: list[str],
        columns: Row,
        rows_after: Callable[[list[str] | None], Iterator[Row]],
        total: int | None,
    ) -> None:
        console = Console(stderr=True)
        with Progress(console=console, disable=not console.is_terminal) as bar:
            task = bar.add_task(self.out.name, total=total)
            done = write_table(
                self.out, head, columns, rows_after, lambda rows: bar.advance(task, rows)
            )
        click.echo(f"{done} rows in {self.out}")

    def write_small(self, columns: Row, rows: Iterator[Row]) -> None:
        kept = list(rows)  # few: not worth going on with
        self.out.with_name(self.out.name + ".part").unlink(missing_ok=True)
        self.write(visits.METRIC, columns, lambda _: iter(kept), len(kept))


def _moment(option: str, plan: Plan, text: str) -> int:
    try:
        return moment_ms(plan, text)
    except ConfigError as error:
        raise ConfigError(option, "a day or time such as 2026-03-01", text) from error


@contextlib.contextmanager
def _job(given: dict[str, Any]) -> Iterator[_Job]:
    try:
        job = _Job(given)
        with contextlib.closing(job.conn):
            yield job
    except REFUSALS as error:
        refuse(error)
    except KeyboardInterrupt:
        click.echo("stopped; the same command goes on from here", err=True)
        sys.exit(130)
