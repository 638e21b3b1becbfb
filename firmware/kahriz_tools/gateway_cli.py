# SPDX-License-Identifier: MIT
"""`kahriz node calibrate` and `ota`: the gateway's own commands, where a technician looks for them.

They are not written twice: what stands behind the name goes to `kahriz gateway` as it is.
"""

import shlex
import subprocess
import sys

import rich_click as click

LET_THROUGH = {"ignore_unknown_options": True, "help_option_names": ["--help-here"]}
CALIBRATE = {
    "staff": "reading",  # a stage read from the staff gauge
    "zero": "zero",  # the sensor's zero from three of them
    "pressure": "pressure",  # zero and span of a 4-20 mA sensor from two depths
    "gauging": "gauging",  # litres measured by hand
    "rating": "rating",  # the structure's rating from gaugings
}
_COMMAND = click.option(
    "--gateway-command", help="'ssh pi@kahriz-gateway kahriz'; else the gateway of this machine."
)


def _gateway(command: str | None, *arguments: str) -> None:
    try:
        first = shlex.split(command) if command else [sys.executable, "-m", "kahriz"]
        done = subprocess.run([*first, "gateway", *arguments], check=False)
    except (OSError, ValueError) as error:
        raise click.UsageError(f"--gateway-command {command!r} does not run ({error})") from error
    raise SystemExit(done.returncode)


@click.command(context_settings=LET_THROUGH)
@_COMMAND
@click.argument("what", type=click.Choice(list(CALIBRATE)))
@click.argument("rest", nargs=-1, type=click.UNPROCESSED)
def calibrate(gateway_command: str | None, what: str, rest: tuple[str, ...]) -> None:
    """Staff readings, zero, pressure at two depths, gaugings, rating; kept only with --store.

    kahriz node calibrate zero --point outlet --who NAME   (gateway zero)
    """
    _gateway(gateway_command, CALIBRATE[what], *rest)


@click.command(context_settings=LET_THROUGH)
@_COMMAND
@click.argument("rest", nargs=-1, type=click.UNPROCESSED)
def ota(gateway_command: str | None, rest: tuple[str, ...]) -> None:
    """Programs over the air: `offer FILE NODE` to one first, `table` who runs what, `withdraw`."""
    _gateway(gateway_command, "ota", *(rest or ("table",)))
