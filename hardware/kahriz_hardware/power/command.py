# SPDX-License-Identifier: MIT
"""`kahriz hardware power`: how long each kit lives without sun, and what winter leaves it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import rich_click as click

from kahriz_hardware.power.budget import BUDGET, LEAST, MONTHS, MOST, USUAL, Kit, Sun, read
from kahriz_water.strict import ConfigError

SHORT = 3  # exit code: a kit does not hold what its budget wants


@click.command()
@click.option("--kit", "names", multiple=True, help="Only this kit; again for more.")
@click.option(
    "--budget",
    type=click.Path(path_type=Path, dir_okay=False),
    default=BUDGET,
    help="Another budget.toml.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def power(names: tuple[str, ...], budget: Path, as_json: bool) -> None:
    """Days without sun and the darkest month's margin: a model that no meter has seen.

    Exit code 3 where a kit falls short of its budget in the bad case.
    """
    try:
        sun, kits = read(budget)
    except ConfigError as error:
        raise click.UsageError(str(error)) from None
    known = [kit.name for kit in kits]
    for name in names:
        if name not in known:
            raise click.UsageError(f"no kit {name!r}; there are {', '.join(known)}")
    chosen = [kit for kit in kits if not names or kit.name in names]
    if as_json:
        click.echo(json.dumps([_json(kit, sun) for kit in chosen], indent=2))
    else:
        click.echo("A model; no meter has seen any of this. Usual [bad case - good case].")
        click.echo(f"Sun: {sun.place}.")
        for kit in chosen:
            click.echo(_line(kit, sun))
    if any(kit.shortfalls(sun) for kit in chosen):
        sys.exit(SHORT)


def _line(kit: Kit, sun: Sun) -> str:
    bad, usual, good = (kit.days(edge) for edge in (MOST, USUAL, LEAST))
    said = (
        f"{kit.name:14}{kit.load_wh[USUAL]:8.3f} Wh a day  "
        f"{usual:6.1f} days dark [{bad:.1f} - {good:.1f}]"
    )
    if kit.panel_w:
        times, month = kit.margin(sun, USUAL)
        bad, good = kit.margin(sun, MOST)[0], kit.margin(sun, LEAST)[0]
        said += f"  {MONTHS[month]} brings {times:.1f} x its load [{bad:.1f} - {good:.1f}]"
    else:
        said += "  on mains"
    return said + "".join(f"\n  SHORT: {why}" for why in kit.shortfalls(sun))


def _json(kit: Kit, sun: Sun) -> dict[str, object]:
    edges = (MOST, USUAL, LEAST)
    return {
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
