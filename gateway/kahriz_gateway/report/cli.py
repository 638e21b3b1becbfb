# SPDX-License-Identifier: MIT
"""`kahriz report`: a month of a kahriz, or of all of them, as one page to print and to sign."""

from __future__ import annotations

import contextlib
import json
import re
from datetime import datetime
from pathlib import Path
from typing import Any

import rich_click as click

from kahriz_gateway.cli_options import FILE
from kahriz_gateway.clock import open_clock
from kahriz_gateway.committee import book, turn_book
from kahriz_gateway.committee.turn_book import Schedule
from kahriz_gateway.export.provenance import Span
from kahriz_gateway.export.table_file import plain_file
from kahriz_gateway.intake.store import StoreError
from kahriz_gateway.outputs.csv_files import zone_of
from kahriz_gateway.records.water_cli import (
    REFUSALS,
    plan_of,
    refuse,
    site_options,
    village_of,
)
from kahriz_gateway.report.facts import Month, month_of
from kahriz_gateway.report.pages import fleet_page, month_page
from kahriz_gateway.report.words import LANGS
from kahriz_water.site import Plan
from kahriz_water.strict import ConfigError, toml

TEMPLATE = Path(__file__).parent / "template.typ"
_AIMS = ("target_lps", "households", "hectares")
_MONTH = click.option("--month", required=True, metavar="YYYY-MM", help="Which one.")
_LANG = click.option(
    "--lang",
    type=click.Choice(LANGS),
    default="az",
    show_default=True,
    help="Language of the words.",
)
_OUT = click.option("--out", type=FILE, required=True, help="The PDF to write.")


@click.group()
def report() -> None:
    """One page a month: water, trend, losses, repairs, and what was not measured."""


@report.command()
@_MONTH
@_LANG
@_OUT
@site_options
def month(month: str, lang: str, out: Path, **given: Any) -> None:
    """One kahriz."""
    try:
        now_ms = open_clock(given["clock_file"]).now_ms()
        facts = _facts(given["config"], given["data"], month, now_ms)
        write_pdf(month_page(facts, lang), out)
    except REFUSALS as error:
        refuse(error)
    click.echo(f"{out}")


@report.command()
@click.argument(
    "folders",
    nargs=-1,
    required=True,
    type=click.Path(path_type=Path, file_okay=False, exists=True),
)
@click.option("--targets", type=FILE, help="TOML: a table a kahriz with " + ", ".join(_AIMS) + ".")
@_MONTH
@_LANG
@_OUT
def fleet(
    folders: tuple[Path, ...], targets: Path | None, month: str, lang: str, out: Path
) -> None:
    """All kahrizes: FOLDERS have a site.toml and a village.db each, as a backup has."""
    try:
        now_ms = open_clock(None).now_ms()
        found = [_facts(each / "site.toml", each, month, now_ms) for each in folders]
        aims = {} if targets is None else read_targets(targets, [m.plan for m in found])
        write_pdf(fleet_page(found, aims, lang), out)
    except REFUSALS as error:
        refuse(error)
    click.echo(f"{out}")


def write_pdf(page: dict[str, Any], out: Path) -> None:
    """The page as PDF, beside itself first; typst and its own fonts, no network."""
    plain_file(out)
    try:
        import typst
    except ModuleNotFoundError as error:
        raise StoreError(
            "reports need the Python package 'typst': run `make setup`, or pip install typst"
        ) from error
    sheet = typst.compile(TEMPLATE, ignore_system_fonts=True, sys_inputs={"page": json.dumps(page)})
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        beside = out.with_name(out.name + ".new")
        beside.write_bytes(sheet)
        beside.replace(out)
    except OSError as error:
        raise StoreError(f"cannot write {out} ({error.strerror}): give another --out") from error


def read_targets(path: Path, plans: list[Plan]) -> dict[str, dict[str, float]]:
    """What was promised for each kahriz; an unknown kahriz or key is refused."""
    try:
        data = toml(path.read_text(encoding="utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(str(path), "a TOML file of targets", str(error)) from error
    known = {plan.id for plan in plans}
    for ident, aims in data.items():
        if ident not in known:
            raise ConfigError(f"{path}.{ident}", "one of " + ", ".join(sorted(known)), ident)
        if not isinstance(aims, dict):
            raise ConfigError(f"{path}.{ident}", "a table of " + ", ".join(_AIMS), aims)
        for key, value in aims.items():
            if key not in _AIMS or not isinstance(value, int | float) or value < 0:
                raise ConfigError(f"{path}.{ident}.{key}", "a number under " + ", ".join(_AIMS))
    return data


def span_of(plan: Plan, month: str, now_ms: int) -> tuple[Span, Span]:
    """The month, up to the last midnight when it still runs, and the month before."""
    if not re.fullmatch(r"[12]\d{3}-(0[1-9]|1[0-2])", month):
        raise ConfigError("--month", "a month such as 2026-05", month)
    zone = zone_of(plan)
    year, number = map(int, month.split("-"))

    def start(months: int) -> int:
        at = year * 12 + number - 1 + months
        return round(datetime(at // 12, at % 12 + 1, 1, tzinfo=zone).timestamp() * 1000)

    now = datetime.fromtimestamp(now_ms / 1000, zone)
    midnight = datetime(now.year, now.month, now.day, tzinfo=zone).timestamp() * 1000
    end = min(start(1), round(midnight))
    if end <= start(0):
        raise ConfigError("--month", "a month of which at least a day is over", month)
    return Span(start(0), end), Span(start(-1), start(0))


def _facts(config: Path, data: Path, month: str, now_ms: int) -> Month:
    plan = plan_of(config)
    span, before = span_of(plan, month, now_ms)
    with contextlib.closing(village_of(data)) as conn:
        return month_of(conn, plan, zone_of(plan), span, before, _agreed(data))


def _agreed(data: Path) -> Schedule | None:
    """The turns that the committee has agreed; None without a book."""
    if not (data / book.FILE).exists():
        return None
    try:
        with contextlib.closing(book.look(data)) as conn:
            return turn_book.schedule(conn)
    except book.EmptyBookError:
        return None
    except book.BookError as error:
        raise StoreError(str(error)) from error
