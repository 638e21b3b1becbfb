# SPDX-License-Identifier: MIT
"""`kahriz gateway gauging`: bucket, pool and salt gaugings, kept with their raw numbers."""

from __future__ import annotations

import csv
import json
import sqlite3
import sys
from pathlib import Path
from typing import Any

import rich_click as click

from kahriz_gateway.cli_options import FILE
from kahriz_gateway.records import store as records_store
from kahriz_gateway.records.gauging import device_beside
from kahriz_gateway.records.water_cli import (
    REFUSALS,
    at_option,
    day,
    moment,
    pair_of,
    plan_of,
    point_of,
    refuse,
    site_options,
    village_of,
)
from kahriz_gateway.village import store as village_store
from kahriz_water.gauging import METHODS, Gauging, read_runs
from kahriz_water.plan import Plan
from kahriz_water.site import Point
from kahriz_water.strict import ConfigError

RUN = "two numbers with a comma between, such as 20,10.3"


@click.group()
def gauging() -> None:
    """Gaugings by hand: whether the litres of a point can be signed."""


@gauging.command()
@site_options
@click.option("--point", "ident", required=True, help="Which point of the plan.")
@click.option(
    "--method", type=click.Choice(METHODS), required=True, help="How the flow was measured."
)
@click.option("--who", required=True, help="Who did it.")
@at_option
@click.option(
    "--run",
    "runs",
    multiple=True,
    metavar="X,SECONDS",
    help="bucket: litres,seconds; pool: rise in metres,seconds; once for each run.",
)
@click.option("--area-m2", type=float, help="pool: area of the water.")
@click.option("--grams", type=float, multiple=True, help="salt: dry salt, one or one a run.")
@click.option("--factor", type=float, help="salt: g/L for one uS/cm, from a sample.")
@click.option("--series", type=FILE, multiple=True, help="salt: CSV of seconds,uS/cm, one a run.")
@click.option("--probe", help="salt: the point whose stored conductivity to take instead.")
@click.option(
    "--wave", multiple=True, metavar="FROM/TO", help="salt: span of the probe, one a run."
)
@click.option("--stage-mm", type=float, help="Instead of the device's stage.")
@click.option("--device-lps", type=float, help="Instead of the device's stored discharge.")
@click.option("--note", default="", help="What else is worth knowing.")
def add(ident: str, method: str, who: str, at: str | None, note: str, **given: Any) -> None:
    """Keep one gauging at one stage and say whether it counts."""
    try:
        plan = plan_of(given["config"])
        point = point_of(plan, ident)
        conn = village_of(given["data"])
        raw = _raw_runs(conn, plan, method, given)
        at_ms = moment(at, plan, given["clock_file"])
        device_lps, stage_m = device_beside(conn, point, at_ms)
        if given["device_lps"] is not None:
            device_lps = given["device_lps"]
        if given["stage_mm"] is not None:
            stage_m = given["stage_mm"] / 1000.0
        runs = read_runs(method, raw, "--run")
        kept = Gauging(ident, at_ms, method, runs, who, stage_m, device_lps, note)
        with village_store.transaction(conn):
            records_store.put_gaugings(conn, [(kept, json.dumps(raw, sort_keys=True))])
        verdict = records_store.calibration_of(conn, ident, at_ms)
    except REFUSALS as error:
        refuse(error)
    click.echo(in_words(kept))
    click.echo(f"{ident}: {verdict.words(plan.ask)}{f' ({verdict.why})' if verdict.why else ''}")
    sys.exit(1 if kept.complaints() else 0)


@gauging.command(name="list")
@site_options
@click.option("--point", "ident", help="Of one point alone.")
def list_(ident: str | None, **given: Any) -> None:
    """All gaugings by date, and which points are calibrated."""
    try:
        plan = plan_of(given["config"])
        conn = village_of(given["data"])
        now_ms = moment(None, plan, given["clock_file"])
        for kept in records_store.gaugings(conn, ident):
            click.echo(in_words(kept))
        for point in plan.points:
            if point.structure is not None and ident in (None, point.id):
                verdict = records_store.calibration_of(conn, point.id, now_ms)
                why = f" ({verdict.why})" if verdict.why else ""
                click.echo(f"{point.id}: {verdict.words(plan.ask)}{why}")
    except REFUSALS as error:
        refuse(error)


def in_words(kept: Gauging) -> str:
    """One line a gauging; what stands against it on the lines after it."""
    line = (
        f"{kept.point}  {day(kept.at)}  {kept.method}, {len(kept.runs)} runs, {kept.who}: "
        f"{kept.lps():.2f} ± {kept.u_lps():.2f} L/s, runs {kept.spread():.1%} apart"
    )
    if kept.stage_m is not None:
        line += f", stage {1000 * kept.stage_m:.0f} mm"
    error = kept.device_error()
    if error is not None:
        line += f", device {error:+.1%}" + ("" if kept.agrees() else " (at most 10 %)")
    return "\n".join([line, *(f"  does not count: {c}" for c in kept.complaints())])


def _raw_runs(
    conn: sqlite3.Connection, plan: Plan, method: str, given: dict[str, Any]
) -> list[dict[str, Any]]:
    """The raw numbers of all runs, as they are kept."""
    if method == "salt":
        return _salt(conn, plan, given)
    pairs = [pair_of("--run", RUN, text) for text in given["runs"]]
    if method == "bucket":
        return [{"litres": x, "seconds": seconds} for x, seconds in pairs]
    if given["area_m2"] is None:
        raise ConfigError("--area-m2", "the area of the water in the pool")
    return [{"area_m2": given["area_m2"], "rise_m": x, "seconds": s} for x, s in pairs]


def _salt(conn: sqlite3.Connection, plan: Plan, given: dict[str, Any]) -> list[dict[str, Any]]:
    waves = [_file(path) for path in given["series"]]
    if given["probe"] is not None:
        probe = point_of(plan, given["probe"])
        waves += [_stored(conn, plan, probe, span, given) for span in given["wave"]]
    if given["factor"] is None:
        raise ConfigError("--factor", "g/L for one uS/cm (a sample of this water, salted in steps)")
    grams = list(given["grams"])
    if len(grams) == 1:
        grams *= max(1, len(waves))
    if not waves or len(grams) != len(waves):
        raise ConfigError("--grams", f"the salt of each of {len(waves)} runs", len(grams))
    return [
        {"grams": g, "factor": given["factor"], "series": wave}
        for g, wave in zip(grams, waves, strict=True)
    ]


def _file(path: Path) -> list[list[float]]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = [row for row in csv.reader(file) if row]
        return [[float(t), float(us)] for t, us in rows if _is_number(t)]
    except (OSError, ValueError) as error:
        raise ConfigError(str(path), f"lines of seconds,uS/cm ({error})") from error


def _is_number(text: str) -> bool:
    return text.strip().lstrip("-").replace(".", "", 1).isdigit()


def _stored(
    conn: sqlite3.Connection, plan: Plan, probe: Point, span: str, given: dict[str, Any]
) -> list[list[float]]:
    """The conductivity that a node sent in a span; for a wave it must measure often enough."""
    start, _, end = span.partition("/")
    if not start or not end:
        raise ConfigError("--wave", "FROM/TO", span)
    a, b = (moment(text, plan, given["clock_file"]) for text in (start, end))
    values = village_store.values_between(conn, probe.id, "us_cm", a - 1, b)
    return [[(v.ts - a) / 1000.0, v.value] for v in values if v.q < 4]
