# SPDX-License-Identifier: MIT
"""`kahriz server panels`: does every query of dashboards and alert rules show something?"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import rich_click as click

from kahriz_server import alerts, grafana_door
from kahriz_server import dashboards as pages
from kahriz_server.dashboards.common import SOURCE
from kahriz_server.files import password, secret
from kahriz_server.influxql import Auth, QueryDoor
from kahriz_server.panelcheck import Asks, Straight, empty_panels, firing, run_board
from kahriz_server.setup.ask import SetupError, web_address

DAY_MS = 86_400_000
_SECRET = click.Path(path_type=Path, exists=True, dir_okay=False)
Fires = Callable[[dict[str, Any], int], list[dict[str, str]] | str]


@click.command()
@click.option("--url", help="InfluxDB, for example http://127.0.0.1:8086")
@click.option("--database", default="kahriz", show_default=True, help="Database or bucket.")
@click.option("--user", default="", help="User of InfluxDB 1.x.")
@click.option("--password-file", type=_SECRET, help="Password of that user.")
@click.option("--token-file", type=_SECRET, help="A token that may read; of 1.x user:password.")
@click.option("--grafana-url", help="Instead of --url: through this Grafana's own data source.")
@click.option("--grafana-token-file", type=_SECRET, help="Of a service account (Editor).")
@click.option("--site", default="", help="Site id; else the first one found.")
@click.option(
    "--days",
    type=click.IntRange(1, 36500),
    default=7,
    show_default=True,
    help="Length of the span.",
)
@click.option(
    "--until-ms", type=int, default=None, help="End of the span, in ms since 1970; else now."
)
def panels(
    url: str | None,
    database: str,
    user: str,
    password_file: Path | None,
    token_file: Path | None,
    grafana_url: str | None,
    grafana_token_file: Path | None,
    site: str,
    days: int,
    until_ms: int | None,
) -> None:
    """Run every query of the dashboards and say which panels would stay empty."""
    if (url is None) == (grafana_url is None):
        raise click.UsageError("give --url (of an InfluxDB) or --grafana-url")
    try:
        if grafana_url is not None:
            if grafana_token_file is None:
                raise click.UsageError("--grafana-url needs --grafana-token-file")
            opened = grafana_door.door(grafana_url, secret(grafana_token_file))
            grafana = grafana_door.ThroughGrafana(opened, SOURCE)
            door: Asks = grafana
            fires: Fires = grafana.firing
        else:
            assert url is not None
            address, auth = web_address(url), _auth(user, password_file, token_file)
            door = Straight(QueryDoor(address, auth, database))

            def fires(rule: dict[str, Any], now_ms: int) -> list[dict[str, str]] | str:
                return firing(rule, address, auth, now_ms, database)

        end_ms = until_ms if until_ms is not None else time.time_ns() // 1_000_000
        _run(door, fires, end_ms - days * DAY_MS, end_ms, {"site": site} if site else {})
    except SetupError as error:
        raise click.ClickException(str(error)) from None


def _run(door: Asks, fires: Fires, t0_ms: int, t1_ms: int, chosen: dict[str, str]) -> None:
    boards = [json.loads(text) for name, text in pages.render().items() if name.startswith("en/")]
    results = []
    for board in boards:
        for each in run_board(board, door, t0_ms, t1_ms, chosen):
            state = each.error or f"{each.series} series, {each.non_null} values"
            click.echo(f"{each.kind:10} {each.title} {each.ref}: {state} ({each.seconds:.2f} s)")
            results.append(each)
        errors = [each.error for each in results if each.error]
        if errors:
            raise click.ClickException(errors[0])
    for rule in alerts.rules():
        try:
            fired = fires(rule, t1_ms)
        except ValueError as error:
            raise click.ClickException(f"{rule['uid']}: {error}") from None
        click.echo(f"rule       {rule['uid']}: {fired or 'quiet'}")
    empty = empty_panels(results)
    if empty:
        raise click.ClickException(f"empty: {', '.join(empty)}")


def _auth(user: str, password_file: Path | None, token_file: Path | None) -> Auth:
    if token_file is not None:
        given = secret(token_file)
        name, _, word = given.rpartition(":")  # no token has a colon: it is of 1.x
        return (name, word) if name else given
    if user:
        return (user, password(password_file) if password_file else "")
    return None
