# SPDX-License-Identifier: MIT
"""`kahriz gateway heartbeat`: the key that the office is given, and one heartbeat to try it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import NoReturn

import rich_click as click

from kahriz_alarms.heartbeat import key
from kahriz_gateway.cli_options import CONFIG, DATA
from kahriz_gateway.clock import SystemClock
from kahriz_gateway.config import EXIT_CONFIG, EXIT_STATE, Options, read_plan
from kahriz_gateway.heartbeat.once import NoKeyError, own_key, send_once
from kahriz_gateway.heartbeat.post import PostError
from kahriz_water.strict import ConfigError


@click.command()
@CONFIG
@DATA
@click.option("--send", is_flag=True, help="Send one now.")
def heartbeat(config: Path, data: Path, send: bool) -> None:
    """Show what the office must know of this gateway; with --send try the way to its server."""
    try:
        plan = read_plan(Options(config, data))
    except ConfigError as error:
        _refuse(str(error), EXIT_CONFIG)
    if plan.server is None:
        _refuse("no [server] in site.toml: no office hears of this gateway", EXIT_CONFIG)
    try:
        _, shown = own_key(data)
    except NoKeyError as error:
        _refuse(str(error), EXIT_STATE)
    click.echo(f"at the office: kahriz server gateway add {plan.id} {shown}")
    click.echo(f"fingerprint:   {key.fingerprint(shown)}")
    if not send:
        return
    try:
        send_once(plan, data, SystemClock())
    except PostError as error:
        _refuse(str(error), EXIT_STATE)
    click.echo(f"heard by {plan.server.url}")


def _refuse(text: str, code: int) -> NoReturn:
    click.echo(f"heartbeat: {text}", err=True)
    sys.exit(code)
