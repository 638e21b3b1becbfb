# SPDX-License-Identifier: MIT
"""`kahriz play`: a recorded series through broker, intake, store, page and InfluxDB."""

import json
import sys
from pathlib import Path

import rich_click as click

FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.option(
    "--readings", type=FILE, required=True, help="CSV or CSV.gz: time,sensor,quantity,value."
)
@click.option("--site", type=FILE, required=True, help="site.json: site, interval_s, sensors.")
@click.option(
    "--data",
    "data_dir",
    type=click.Path(path_type=Path, file_okay=False),
    default=None,
    help="Where all is kept; without it a passing folder.",
)
@click.option(
    "--page",
    "page_address",
    default="127.0.0.1:8080",
    show_default=True,
    help="Where the page is served, HOST:PORT.",
)
@click.option("--broker", default="auto", show_default=True, help="auto, mosquitto or nats.")
@click.option("--no-influx", is_flag=True, help="Leave InfluxDB out even where it is installed.")
@click.option("--serve", is_flag=True, help="Keep the page up until Ctrl-C.")
@click.option("--json", "as_json", is_flag=True, help="The result as one JSON line.")
def play(as_json: bool, **options: object) -> None:
    """Send a recorded series as a node sends its backlog: contract, receipts and all."""
    from kahriz_sim.errors import ConfigError
    from kahriz_sim.play import PlayOptions, run_play
    from kahriz_sim.services import ServiceError

    try:
        played = run_play(PlayOptions(**options), quiet=as_json)  # type: ignore[arg-type]
    except (ConfigError, ServiceError) as error:
        click.echo(f"play: {error}", err=True)
        sys.exit(1)
    click.echo(json.dumps(played.as_dict()) if as_json else played.in_words())
