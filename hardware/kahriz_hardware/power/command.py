# SPDX-License-Identifier: MIT
"""`kahriz hardware power`: how long each kit lives without sun, and what winter leaves it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import rich_click as click

from kahriz_hardware.power.budget import (
    BUDGET,
    LEAST,
    MONTHS,
    MOST,
    USUAL,
    Kit,
    Sun,
    read,
    read_measured,
)
from kahriz_water.strict import ConfigError

SHORT = 3  # exit code: a kit does not hold what its budget wants


@click.command()
@click.option("--kit", "names", multiple=True, help="Only this kit; again for more.")
@click.option(
    "--budget",
    type=click.Path(path_type=Path, dir_okay=False),
    default=BUDGET,
    help="Another budget.toml; else ours.",
)
@click.option(
    "--profile",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Nodes as a board measured them (accept.nodes.toml): model beside measured.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def power(names: tuple[str, ...], budget: Path, profile: Path | None, as_json: bool) -> None:
    """Days without sun and the darkest month's margin: a model that no meter has seen.

    Exit code 3 where a kit falls short of its budget in the bad case. A profile comes from a board:
    `kahriz node accept`, then `scripts/power_loads.py --profile accept.json`.
    """
    if profile is not None and profile.suffix == ".json":
        raise click.UsageError(
            f"{profile} holds a board's figures; a kit's day is made from them by "
            f"`scripts/power_loads.py --profile {profile}`, which writes a .nodes.toml beside it"
        )
    try:
        sun, kits = read(budget)
        about, measured = ("", []) if profile is None else read_measured(budget, profile)
    except ConfigError as error:
        raise click.UsageError(str(error)) from None
    known = [kit.name for kit in kits]
    for name in names:
        if name not in known:
            raise click.UsageError(f"no kit {name!r}; there are {', '.join(known)}")
    chosen = [kit for kit in kits if not names or kit.name in names]
    by_name = {kit.name: kit for kit in measured}
    if as_json:
        click.echo(json.dumps([_json(kit, sun, by_name) for kit in chosen], indent=2))
    else:
        click.echo("A model; no meter has seen any of this. Usual [bad case - good case].")
        click.echo(f"Sun: {sun.place}.")
        if profile is not None:
            click.echo(about)
        for kit in chosen:
            click.echo(_line(kit, sun))
            if kit.name in by_name:
                click.echo(_line(by_name[kit.name], sun, "  measured"))
    if any(
        kit.shortfalls(sun) for kit in (*chosen, *(by_name.get(kit.name, kit) for kit in chosen))
    ):
        sys.exit(SHORT)


def _line(kit: Kit, sun: Sun, name: str = "") -> str:
    bad, usual, good = (kit.days(edge) for edge in (MOST, USUAL, LEAST))
    said = (
        f"{name or kit.name:14}{kit.load_wh[USUAL]:8.3f} Wh a day  "
        f"{usual:6.1f} days dark [{bad:.1f} - {good:.1f}]"
    )
    if kit.panel_w:
        times, month = kit.margin(sun, USUAL)
        bad, good = kit.margin(sun, MOST)[0], kit.margin(sun, LEAST)[0]
        said += f"  {MONTHS[month]} brings {times:.1f} x its load [{bad:.1f} - {good:.1f}]"
    else:
        said += "  on mains"
    return said + "".join(f"\n  SHORT: {why}" for why in kit.shortfalls(sun))


def _json(kit: Kit, sun: Sun, measured: dict[str, Kit]) -> dict[str, object]:
    beside = {"measured": _json(measured[kit.name], sun, {})} if kit.name in measured else {}
    edges = (MOST, USUAL, LEAST)
    return beside | {
        "kit": kit.name,
        "load_wh_per_day": round(kit.load_wh[USUAL], 4),
        "dark_days_bad_usual_good": [round(kit.days(edge), 2) for edge in edges],
        "darkest_month": MONTHS[kit.margin(sun, USUAL)[1]] if kit.panel_w else None,
        "darkest_month_times_load_bad_usual_good": [
            round(kit.margin(sun, edge)[0], 2) for edge in edges
        ]
        if kit.panel_w
        else None,
        "short": kit.shortfalls(sun),
    }
