# SPDX-License-Identifier: MIT
"""`kahriz demo`: a whole kahriz on this machine, with the real node program, broker and gateway."""

import json
import math
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import rich_click as click

from kahriz_sim.demo_options import SCENARIOS_DIR, SITES_DIR

SITES = sorted(p.parent.name for p in SITES_DIR.glob("*/world.toml"))
FIRST, LAST = datetime(2025, 3, 5), datetime(2036, 1, 1)  # sixty days of history before the first
SCENARIOS = sorted(p.stem for p in SCENARIOS_DIR.glob("*.toml"))


class Finite(click.FloatRange):
    """A range of numbers; nan lies in none, though it compares with none either."""

    def convert(self, value: object, param: object, ctx: object) -> float:
        number = super().convert(value, param, ctx)  # type: ignore[arg-type]
        if not math.isfinite(number):
            self.fail(f"{value!r} is no number.", param, ctx)  # type: ignore[arg-type]
        return float(number)


class Moment(click.DateTime):
    """A moment that the gateway believes, with the longest history before it."""

    def __init__(self) -> None:
        super().__init__(["%Y-%m-%dT%H:%M", "%Y-%m-%d"])

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        moment: datetime = super().convert(value, param, ctx)
        if not FIRST <= moment < LAST:
            self.fail(
                f"{value} is not from {FIRST:%Y-%m-%d} to before {LAST:%Y-%m-%d}.", param, ctx
            )
        return moment


@click.command()
@click.option(
    "--site",
    type=click.Choice(SITES),
    default="banovshalar-gozlu",
    show_default=True,
    help="Which kahriz is simulated.",
)
@click.option(
    "--scenario",
    type=click.Choice(SCENARIOS),
    default="leak",
    show_default=True,
    help="What happens to it.",
)
@click.option(
    "--leak-lps",
    type=Finite(0.1, 10),
    default=2.0,
    show_default=True,
    help="What a leak takes, in litres a second.",
)
@click.option(
    "--leak-after",
    type=Finite(0),
    default=60.0,
    show_default=True,
    help="Seconds of this clock after the history ends.",
)
@click.option(
    "--reach",
    type=click.Choice(["upper", "lower"]),
    default="upper",
    show_default=True,
    help="Where it leaks.",
)
@click.option(
    "--speed",
    type=Finite(1, 3600),
    default=60.0,
    show_default=True,
    help="Seconds of the kahriz in one second here.",
)
@click.option(
    "--history-days",
    type=Finite(0, 60),
    default=7.0,
    show_default=True,
    help="Lived before, as fast as it goes; the leak detector learns for three of them.",
)
@click.option(
    "--duration",
    type=Finite(1),
    default=None,
    help="End by itself after so many seconds of life; without it: until Ctrl-C.",
)
@click.option(
    "--begins",
    type=Moment(),
    default=None,
    help="When life begins, UTC: the same date and seed give the same water. Without it: now.",
)
@click.option("--seed", type=int, default=1, show_default=True, help="Another number, other noise.")
@click.option(
    "--broker",
    default="auto",
    show_default=True,
    help="auto, mosquitto or nats: which broker is started.",
)
@click.option(
    "--page",
    "page_address",
    default="127.0.0.1:8080",
    show_default=True,
    help="Where the page is served.",
)
@click.option(
    "--data",
    "data_dir",
    type=click.Path(path_type=Path, file_okay=False),
    default=None,
    help="Where all is kept. Without it: demo-data/SITE, gone on with at the next call; "
    "with --duration a fresh folder that is removed at the end.",
)
@click.option("--fresh", is_flag=True, help="Forget what an earlier run stored there.")
@click.option(
    "--audit",
    is_flag=True,
    help="Run nothing: count what stands in --data against the world's own log.",
)
@click.option("--no-browser", is_flag=True, help="Do not open the page in a browser.")
@click.option("--no-influx", is_flag=True, help="Leave InfluxDB out even where it is installed.")
@click.option("--json", "as_json", is_flag=True, help="Last line on stdout: the result as JSON.")
def demo(**options: object) -> None:
    """Six ESP32 programs, a broker, a gateway and the water itself, on this machine.

    Seven days of history come first, then life at --speed; after --leak-after seconds
    --reach begins to lose --leak-lps.
    """
    from kahriz_sim.demo import audit_only, run_demo
    from kahriz_sim.demo_options import DemoError, DemoOptions

    as_json = bool(options.pop("as_json"))
    audit = bool(options.pop("audit"))
    choice = DemoOptions(**options)  # type: ignore[arg-type]  # click has checked each one
    try:
        result = audit_only(choice) if audit else run_demo(choice, quiet=as_json)
    except DemoError as error:
        click.echo(f"demo: {error}", err=True)
        sys.exit(1)
    if as_json:
        click.echo(json.dumps(result.as_dict()))
    else:
        click.echo(result.in_words())
