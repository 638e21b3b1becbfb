# SPDX-License-Identifier: MIT
"""`kahriz server`: the dashboards, the proof that they show something, the watch over gateways."""

import json
from pathlib import Path

import rich_click as click

from kahriz_server import alerts
from kahriz_server import dashboards as pages
from kahriz_server.dashboards.kahriz import REACHES, Reach
from kahriz_server.files import password, secret, write_whole
from kahriz_server.history_cli import replay, reports
from kahriz_server.lint import lint_set, lint_texts
from kahriz_server.panels_cli import panels
from kahriz_server.refill_cli import refill
from kahriz_server.watch.alarm_cli import alarm
from kahriz_server.watch.cli import check, gateway, run_
from kahriz_water.strict import ConfigError

GRAFANA = Path(__file__).parents[1] / "grafana"
HERE = GRAFANA / "dashboards"
RULES = GRAFANA / "provisioning" / "alerting" / alerts.FILE
_SECRET = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.group()
def server() -> None:
    """The office: dashboards, the long memory behind them, the watch over all gateways."""


for each_command in (run_, check, gateway, alarm, panels, refill, replay, reports):
    server.add_command(each_command)


def _reach(_: click.Context, __: click.Parameter, given: tuple[str, ...]) -> tuple[Reach, ...]:
    reaches = []
    for text in given:
        parts = text.split(":")
        if len(parts) != 3 or not all(parts):
            raise click.BadParameter(f"{text!r}: expected NAME:UPPER:LOWER, as upper:outlet:middle")
        reaches.append(Reach(*parts))
    return tuple(reaches) or REACHES


@server.command()
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=HERE,
    help="Folder to write to; else the package's own.",
)
@click.option("--check", is_flag=True, help="Write nothing; fail when a file is out of date.")
@click.option(
    "--reach",
    "reaches",
    multiple=True,
    callback=_reach,
    help="NAME:UPPER:LOWER, once a reach; else those of the demo sites.",
)
def dashboards(out: Path, check: bool, reaches: tuple[Reach, ...]) -> None:
    """Write Grafana's dashboards (az, ru, en) from their one source."""
    boards = {name: json.loads(text) for name, text in pages.render(reaches).items()}
    complaints = [*lint_texts(), *lint_set(boards)]
    if complaints:
        raise click.ClickException("\n".join(complaints))
    if check:
        stale = pages.stale(out)
        if out == HERE and (not RULES.exists() or RULES.read_text() != alerts.render()):
            stale.append(str(RULES.relative_to(GRAFANA)))
        if stale:
            raise click.ClickException(
                f"out of date: {', '.join(stale)}; write them with `kahriz server dashboards`"
            )
        click.echo(f"{len(boards)} dashboards are up to date")
        return
    try:
        changed = pages.write(out, reaches)
        if out == HERE:
            write_whole(RULES, alerts.render())
    except OSError as error:
        raise click.ClickException(f"cannot write {out}: {error.strerror}") from None
    click.echo(f"{len(boards)} dashboards, {len(changed)} changed, in {out}")


@server.command()
@click.argument("wanted", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option("--dry-run", is_flag=True, help="Say what would be changed; change nothing.")
@click.option("--influx-token-file", required=True, type=_SECRET, help="An operator token.")
@click.option("--grafana-password-file", type=_SECRET, help="Of the user in WANTED.")
@click.option(
    "--tokens",
    type=click.Path(path_type=Path),
    default=Path("tokens"),
    show_default=True,
    help="Folder of the tokens that are made, one file a gateway, for its eyes only.",
)
def setup(
    wanted: Path,
    dry_run: bool,
    influx_token_file: Path,
    grafana_password_file: Path | None,
    tokens: Path,
) -> None:
    """Buckets, mappings and tokens in InfluxDB 2; folders, teams and viewers in Grafana.

    WANTED is a TOML file. What stands already is left alone: given twice, nothing changes.
    """
    from kahriz_server.setup import influx
    from kahriz_server.setup.ask import Door, SetupError
    from kahriz_server.setup.changes import Changes
    from kahriz_server.setup.wanted import read_wanted

    changes = Changes(click.echo, dry_run)
    try:
        want = read_wanted(wanted)
        influx.prepare(want, Door(want.influx_url, secret(influx_token_file)), tokens, changes)
        if want.grafana_url is not None:
            if grafana_password_file is None:
                raise SetupError("WANTED names a Grafana: give --grafana-password-file too")
            try:
                from kahriz_server.setup import grafana
            except ModuleNotFoundError as error:
                raise SetupError(
                    f"Grafana needs the package {error.name!r}: pip install kahriz-monitor[server]"
                ) from error
            grafana.prepare(want, password(grafana_password_file), tokens, changes)
    except (SetupError, ConfigError) as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"{changes.count} changes{' would be made' if dry_run else ''}")
