# SPDX-License-Identifier: MIT
"""`kahriz hardware link`: whether a node is heard at the village, before anybody walks there."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import rich_click as click

from kahriz_hardware import radio
from kahriz_hardware.bounds import Between
from kahriz_hardware.plans import read_plan
from kahriz_hardware.radio import End, Link

Command = Callable[..., None]
Wrap = Callable[[Command], Command]
REFUSED = 3  # exit code: the margin is too small
DISTANCE = Between(1.0, 50_000.0)
HEIGHT = Between(0.2, 200.0)
GAIN = Between(-10.0, 30.0)
POWER = Between(-10.0, 30.0)
HEARS = Between(-120.0, -30.0)


def _option(name: str, kind: Between, default: float, told: str) -> Wrap:
    return click.option(name, type=kind, default=default, show_default=True, help=told)


def _end(prefix: str, who: str, dbm: float, hears: float) -> Wrap:
    def wrap(command: Command) -> Command:
        for name, kind, default, told in (
            ("hears-dbm", HEARS, hears, "weakest it decodes at 1 Mbit/s"),
            ("dbm", POWER, dbm, "power at its antenna's socket"),
        ):
            command = _option(f"--{prefix}{name}", kind, default, f"{who}: {told}.")(command)
        return command

    return wrap


@click.command()
@click.option(
    "--site",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A site.toml: every point's [radio.<point>] instead of one path.",
)
@click.option("--distance-m", type=DISTANCE, help="Node to access point, as the crow flies.")
@click.option("--antenna-dbi", type=GAIN, help="The node's antenna; 2 for the board's own.")
@_option("--far-dbi", GAIN, 10.0, "The access point's antenna, in the node's direction.")
@_option("--height-m", HEIGHT, 1.5, "The node's antenna over the ground.")
@_option("--far-height-m", HEIGHT, 6.0, "The access point's antenna over the ground.")
@_option("--ridge-m", Between(0.0, 500.0), 0.0, "A ridge or roof between them: height.")
@_option("--ridge-at", Between(0.01, 0.99), 0.5, "Where: share of the way from the node.")
@_option("--other-db", Between(0.0, 100.0), 0.0, "Leaves, a wall, a metal box: guess it.")
@_end("", "Node", radio.NODE_DBM, radio.NODE_HEARS_DBM)
@_end("far-", "Access point", radio.POINT_DBM, radio.POINT_HEARS_DBM)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def link(
    site: Path | None,
    distance_m: float | None,
    antenna_dbi: float | None,
    far_dbi: float,
    height_m: float,
    far_height_m: float,
    ridge_m: float,
    ridge_at: float,
    other_db: float,
    dbm: float,
    hears_dbm: float,
    far_dbm: float,
    far_hears_dbm: float,
    as_json: bool,
) -> None:
    """Reckon a WiFi link at 2.4 GHz: both directions, the Fresnel zone, the margin.

    Exit code 3 under 15 dB of margin, or where a point of the site says nothing. A sum on paper:
    walk the site before you close it.
    """
    if site is not None:
        paths, bare = _of_site(site, (dbm, hears_dbm), (far_dbm, far_hears_dbm))
    elif distance_m is None or antenna_dbi is None:
        raise click.UsageError("say --distance-m and --antenna-dbi, or --site")
    else:
        near = End(dbm, hears_dbm, antenna_dbi, height_m)
        far = End(far_dbm, far_hears_dbm, far_dbi, far_height_m)
        paths, bare = {"": Link(near, far, distance_m, ridge_m, ridge_at, other_db)}, []
    if as_json:
        told = {point: _json(path) for point, path in paths.items()}
        missing: dict[str, object] = dict.fromkeys(bare)
        click.echo(json.dumps(told[""] if site is None else told | missing, indent=2))
    else:
        for point, path in paths.items():
            click.echo("\n".join([f"{point}:"] * bool(point) + _words(path)))
        for point in bare:
            click.echo(f"{point}: no [radio.{point}] in the plan: not reckoned.")
    weak = [path for path in paths.values() if min(path.margins_db()) < radio.MARGIN_LEAST_DB]
    if weak or bare:
        sys.exit(REFUSED)


def _of_site(
    site: Path, near: tuple[float, float], far: tuple[float, float]
) -> tuple[dict[str, Link], list[str]]:
    """The links of a plan by point, and the points that have none."""
    plan = read_plan(site)
    links = {
        one.point: Link(
            End(*near, one.antenna_dbi, one.height_m),
            End(*far, one.far_dbi, one.far_height_m),
            one.distance_m,
            one.ridge_m,
            one.ridge_at,
            one.other_db,
        )
        for one in plan.radio
    }
    return links, [point.id for point in plan.points if point.id not in links]


def _words(path: Link) -> list[str]:
    to_far, to_near = path.margins_db()
    lines = [
        f"free space {path.free_space_db:.1f} dB, plane earth {path.plane_earth_db:.1f} dB: the "
        f"larger counts; ridge {path.ridge_db:.1f} dB, other {path.other_db:.1f} dB",
        f"first Fresnel zone {path.fresnel_m:.2f} m in radius at {100 * path.ridge_at:.0f} % of "
        f"the way, the line {path.line_m:.2f} m over the ground; {path.clearance:+.2f} of it is "
        f"free (wanted {radio.CLEAR_OF_FRESNEL:+.2f})",
        f"node to access point {path.arrives_dbm(path.near, path.far):.0f} dBm, margin "
        f"{to_far:.1f} dB; back {path.arrives_dbm(path.far, path.near):.0f} dBm, margin "
        f"{to_near:.1f} dB",
    ]
    least = min(to_far, to_near)
    wanted = radio.MARGIN_LEAST_DB
    if least >= wanted:
        return [*lines, f"Enough on paper: {least:.1f} dB, wanted {wanted:.0f} dB. Now walk it."]
    return [
        *lines,
        f"Too little: {least:.1f} dB, wanted {wanted:.0f} dB. Raise an antenna, aim one with more "
        "gain, or put a relay on the way.",
    ]


def _json(path: Link) -> dict[str, object]:
    to_far, to_near = path.margins_db()
    return {
        "free_space_db": round(path.free_space_db, 2),
        "plane_earth_db": round(path.plane_earth_db, 2),
        "ridge_db": round(path.ridge_db, 2),
        "loss_db": round(path.loss_db, 2),
        "fresnel_radius_m": round(path.fresnel_m, 3),
        "fresnel_share_free": round(path.clearance, 3),
        "margin_to_access_point_db": round(to_far, 2),
        "margin_to_node_db": round(to_near, 2),
        "margin_wanted_db": radio.MARGIN_LEAST_DB,
        "enough": min(to_far, to_near) >= radio.MARGIN_LEAST_DB,
    }
