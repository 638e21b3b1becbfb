# SPDX-License-Identifier: MIT
"""`kahriz replay`: the village's detectors over recorded readings."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path

import click

from kahriz_detect.replay.closures import read_closures
from kahriz_detect.replay.explain import explain
from kahriz_detect.replay.run import Replay, ReplayError, Row, Table, rows
from kahriz_detect.replay.site_json import SiteError, parse_site
from kahriz_detect.site import Site
from kahriz_water.strict import ConfigError

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


def load_site(path: Path) -> Site:
    """A site.toml or a site.json."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SiteError(f"{path}: expected a text in UTF-8 ({error})") from error
    if path.suffix == ".toml":
        from kahriz_detect.site_plan import site_of  # here: a site.json needs neither of them
        from kahriz_water.plan import parse_plan

        return site_of(parse_plan(text, str(path)))
    return parse_site(text, str(path))


def recorded(site: Site, readings: Path, other: Path | None) -> Iterator[Row]:
    """The rows of a file, under the ratings of another one where it is given."""
    if other is None:
        return rows(readings)
    from kahriz_detect.replay.rated import rated  # few want it
    from kahriz_water.rating_toml import read_ratings

    points = tuple(dict.fromkeys(s.point for s in site.signals))
    return rated(rows(readings), read_ratings(other, points))


@click.command("replay")
@click.option("--site", "site_file", type=FILE, required=True, help="site.json or site.toml.")
@click.option(
    "--readings", type=FILE, required=True, help="CSV or CSV.gz: time,sensor,quantity,value."
)
@click.option(
    "--alarms",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="CSV to write: start,end,kind,place.",
)
@click.option(
    "--ratings", "other", type=FILE, help="TOML with [[rating]]: instead of those it had."
)
@click.option(
    "--closures", "told", type=FILE, help="JSON of `kahriz alarm maintenance list --all --json`."
)
@click.option("--explain", "why", is_flag=True, help="Say why, alarm by alarm.")
@click.option(
    "--charts",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for a chart of each alarm (SVG): what was measured, the residual, its limit.",
)
def replay_command(
    site_file: Path,
    readings: Path,
    alarms: Path,
    other: Path | None,
    told: Path | None,
    why: bool,
    charts: Path | None,
) -> None:
    """Run the village's detectors over recorded readings, without looking ahead.

    `start` of an alarm is the moment it was raised: with a column `received` in the readings,
    the moment at which the rows that raised it had come.
    """
    table = Table()
    collects = gc.isenabled()
    gc.disable()  # readings are no rings; looking for rings among them costs a sixth
    try:
        site = load_site(site_file)
        replay = Replay(site)
        for engine in replay.engines:
            engine.closures.tell([] if told is None else read_closures(told))
        for moment, finding in replay.run(recorded(site, readings, other)):
            table.told(moment, finding)
        table.write(alarms)
        drawn = (
            [] if charts is None else _draw(site, recorded(site, readings, other), table, charts)
        )
    except (SiteError, ReplayError, ConfigError, EOFError, OSError) as error:
        raise click.ClickException(str(error)) from error
    finally:
        if collects:
            gc.enable()
    if why:
        for number, alarm in enumerate(table.alarms):
            chart = [f"    chart: {drawn[number]}"] if drawn else []
            click.echo("\n".join(explain(alarm) + chart))
        if table.notices:
            click.echo(f"{len(table.notices)} notices, no alarms:")
        for notice in table.notices:
            click.echo("\n".join(explain(notice)))
    where = "" if charts is None else f", charts in {charts}"
    click.echo(f"{len(table.alarms)} alarms in {alarms}{where}")


def _draw(site: Site, readings: Iterator[Row], table: Table, charts: Path) -> list[Path]:
    from kahriz_detect.replay.pictures import draw  # a third of the start-up, and few want charts

    return draw(site, readings, table.alarms, charts)
