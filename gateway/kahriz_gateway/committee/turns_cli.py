# SPDX-License-Identifier: MIT
"""`kahriz gateway turns`: what a technician brings along instead of typing it on the page."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path

import rich_click as click

from kahriz_gateway.cli_options import CLOCK, CONFIG, DATA, FILE
from kahriz_gateway.clock import ClockError, open_clock
from kahriz_gateway.committee import book, turn_book, turn_file
from kahriz_gateway.config import EXIT_STORE, Options, exit_code, read_plan
from kahriz_gateway.outputs.refill_cli import moment_ms
from kahriz_water.strict import ConfigError


@click.group()
def turns() -> None:
    """The turns of the plots, as the page keeps them."""


@turns.command(name="set")
@click.argument("file", type=FILE)
@click.option("--start", required=True, metavar="TIME", help="First turn, 2026-05-01T06:00.")
@CONFIG
@DATA
@CLOCK
def set_(file: Path, start: str, config: Path, data: Path, clock_file: Path | None) -> None:
    """Agree the turns of a TOML FILE: point, flow_lps, plots = [["A1", 240], ["-", 60], …]."""
    try:
        plan = read_plan(Options(config=config, data=data))
        now_ms = open_clock(clock_file).now_ms()
        rota, point = turn_file.read(file, moment_ms(plan, start), plan)
    except (ConfigError, ClockError) as error:
        click.echo(f"turns: {error}", err=True)
        sys.exit(exit_code(error))
    try:
        with contextlib.closing(book.open_book(data)) as conn:
            body = turn_book.body_of(rota, point)
            book.write(conn, now_ms, "technician", "technician", "rota", body)
    except book.BookError as error:
        click.echo(f"turns: {error}", err=True)
        sys.exit(EXIT_STORE)
    click.echo(f"{len(rota.plots)} turns at {point}, a cycle of {rota.cycle_ms / 3_600_000:g} h")
