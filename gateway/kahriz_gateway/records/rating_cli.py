# SPDX-License-Identifier: MIT
"""`kahriz gateway rating`: a rating fitted to the gaugings of a point, kept as a dated record."""

from __future__ import annotations

import json
import sqlite3
import sys
from typing import Any

import rich_click as click

from kahriz_gateway.records import store as records_store
from kahriz_gateway.records.offer_cli import NOT_KEPT, store_option
from kahriz_gateway.records.toml import block
from kahriz_gateway.records.water_cli import (
    REFUSALS,
    day,
    moment,
    plan_of,
    point_of,
    refuse,
    site_options,
    village_of,
)
from kahriz_gateway.village import store as village_store
from kahriz_water import fit
from kahriz_water.gauging import Gauging
from kahriz_water.records import DatedRating
from kahriz_water.site import Point
from kahriz_water.strict import ConfigError
from kahriz_water.structures.power_law import EXPONENT


@click.group()
def rating() -> None:
    """Ratings fitted to gaugings: whether the litres fit what people measured by hand."""


@rating.command(name="fit")
@site_options
@click.option("--point", "ident", required=True, help="Which point of the plan.")
@click.option("--author", required=True, help="Who answers for it.")
@click.option(
    "--method",
    type=click.Choice(["scale", "power"]),
    default="scale",
    show_default=True,
    help="The structure that stands there times a scale, or a power law of the stage.",
)
@click.option("--exponent", type=click.FloatRange(*EXPONENT), help="power: not fitted.")
@click.option(
    "--offset-mm",
    type=float,
    default=0.0,
    show_default=True,
    help="power: still water below stage 0.",
)
@click.option("--from", "start", metavar="TIME", help="It holds from; the first gauging if not.")
@click.option("--since", metavar="TIME", help="Gaugings since; since the zero's last change.")
@store_option
def fit_(
    ident: str,
    author: str,
    method: str,
    exponent: float | None,
    offset_mm: float,
    start: str | None,
    since: str | None,
    keep: bool,
    **given: Any,
) -> None:
    """Fit a rating and show it as the record it would be; nothing is kept without --store."""
    try:
        plan = plan_of(given["config"])
        point = point_of(plan, ident)
        conn = village_of(given["data"])
        now_ms = moment(None, plan, given["clock_file"])
        since_ms = None if since is None else moment(since, plan)
        used = _gaugings(conn, ident, now_ms, since_ms)
        points = fit.points_of(used)
        if method == "scale":
            found = fit.scale(points, _structure(conn, point, now_ms))
        else:
            found = fit.power(points, offset_mm / 1000.0, exponent)
        from_ms = used[0].at if start is None else moment(start, plan)
        kept = _record(ident, from_ms, author, used, found)
        if keep and not found.complaints():
            raw = json.dumps(found.structure.as_table(), sort_keys=True)
            with village_store.transaction(conn):
                records_store.put_ratings(conn, [(kept, raw)])
        verdict = records_store.calibration_of(conn, ident, max(now_ms, from_ms))
    except REFUSALS as error:
        refuse(error)
    _tell(kept, found)
    wrong = found.complaints()
    if wrong:
        click.echo("\n".join(f"refused: {one}" for one in wrong), err=True)
        sys.exit(1)
    if keep:
        click.echo(f"# kept from {day(from_ms)} on; {ident}: {verdict.words(plan.ask)}")
    else:
        click.echo(NOT_KEPT)


def _gaugings(
    conn: sqlite3.Connection, ident: str, now_ms: int, since_ms: int | None
) -> list[Gauging]:
    """What was gauged under today's zero and counts, by date."""
    if since_ms is None:
        since_ms = records_store.zero_since(records_store.load(conn), ident, now_ms)
    known = [g for g in records_store.gaugings(conn, ident) if since_ms <= g.at <= now_ms]
    return [g for g in known if not g.complaints() and g.stage_m is not None]


def _structure(conn: sqlite3.Connection, point: Point, now_ms: int) -> Any:
    found = records_store.load(conn).structure_at(point, now_ms)
    if found is None:
        raise ConfigError("--point", "a point with a structure", point.id)
    return found


def _record(
    ident: str, from_ms: int, author: str, used: list[Gauging], found: fit.Fit
) -> DatedRating:
    named = tuple(f"{day(g.at)[:10]} {g.method}" for g in used)
    return DatedRating(ident, from_ms, None, found.structure, author, named, found.words())


def _tell(kept: DatedRating, found: fit.Fit) -> None:
    pairs = {
        "point": kept.point,
        "from": kept.from_ms,
        "author": kept.author,
        "gaugings": kept.gaugings,
        "structure": found.structure.as_table(),
        "note": kept.note,
    }
    click.echo(block("rating", pairs), nl=False)
    for p, off in zip(found.points, found.residuals, strict=True):
        click.echo(
            f"# {1000 * p.stage_m:5.0f} mm: gauged {p.lps:.2f} L/s ± {200 * p.u_ln:.1f} %,"
            f" fitted {p.lps * (1 + off):.2f} ({off:+.1%})"
        )
    if found.hint:
        click.echo(f"# {found.hint}")
