# SPDX-License-Identifier: MIT
"""`kahriz rating`: what a structure says for given stages, with its uncertainty."""

from __future__ import annotations

import json
import math
from pathlib import Path

import rich_click as click

from kahriz_water.strict import ConfigError, Table, toml
from kahriz_water.structures import STRUCTURES, Structure
from kahriz_water.structures.gauged import Gauged
from kahriz_water.structures.parshall import THROATS, Parshall
from kahriz_water.structures.power_law import PowerLaw
from kahriz_water.structures.rating_table import RatingTable
from kahriz_water.structures.rectangular_contracted import RectangularContracted
from kahriz_water.structures.rectangular_full_width import RectangularFullWidth
from kahriz_water.structures.v_notch import VNotch

NO_STAGE_MM = 1e6  # a kilometre of water over a crest
SHOWN = 40  # letters of what was typed


class Within(click.FloatRange):
    """A range in which NaN does not lie, though it is neither below nor above."""

    def convert(self, value: object, param: object, ctx: object) -> float:
        found = super().convert(value, param, ctx)  # type: ignore[arg-type]
        if math.isnan(found):
            raise click.BadParameter(f"{value!r} is no number")
        return float(found)


class Stages(click.ParamType[list[float]]):
    """Stages in millimetres with commas between: 60,100,150."""

    name = "mm,mm,…"

    def convert(self, value: object, param: object, ctx: object) -> list[float]:
        try:
            found = [float(part) for part in str(value).split(",")]
            if all(math.isfinite(mm) and abs(mm) < NO_STAGE_MM for mm in found):
                return found
        except ValueError:
            pass
        text = str(value)
        shown = text if len(text) <= SHOWN else f"{text[:SHOWN]}…"
        raise click.BadParameter(f"expected millimetres with commas between, found {shown!r}")


@click.group()
def rating() -> None:
    """Discharge of a stage: V-notch, rectangular weir, Parshall flume, rating table."""


def _with_stages(command: click.Command) -> click.Command:
    command.params += [
        click.Option(["--stage-mm"], type=Stages(), required=True, help="Stages over the crest."),
        click.Option(
            ["--u-stage-mm"],
            type=Within(0, 1000),
            default=2.0,
            show_default=True,
            help="Standard uncertainty of the stage.",
        ),
        click.Option(["--json", "as_json"], is_flag=True, help="Print JSON."),
    ]
    return command


@rating.command("v_notch")
@click.option(
    "--angle-deg",
    type=Within(25, 100),
    default=90.0,
    show_default=True,
    help="Angle of the notch, in degrees.",
)
def v_notch(angle_deg: float, stage_mm: list[float], u_stage_mm: float, as_json: bool) -> None:
    """Thin-plate V-notch, Kindsvater and Shen."""
    _print(VNotch(angle_deg), stage_mm, u_stage_mm, as_json)


@rating.command("parshall")
@click.option(
    "--throat",
    type=click.Choice(list(THROATS)),
    default="3in",
    show_default=True,
    help="Width of the throat, by its name.",
)
@click.option(
    "--tail-mm",
    type=Within(-NO_STAGE_MM, NO_STAGE_MM),
    help="Head in the throat, for the submergence.",
)
def parshall(
    throat: str, tail_mm: float | None, stage_mm: list[float], u_stage_mm: float, as_json: bool
) -> None:
    """Parshall flume; drowned above 50 % (1in to 3in) or 60 % of submergence."""
    _print(Parshall(throat), stage_mm, u_stage_mm, as_json, tail_mm)


@rating.command("rectangular_full_width")
@click.option("--width-m", type=Within(0.15, 10), required=True, help="Width of the crest.")
@click.option(
    "--crest-m",
    type=Within(0.1, 3),
    required=True,
    help="Height of the crest over the bed.",
)
def rectangular_full_width(
    width_m: float, crest_m: float, stage_mm: list[float], u_stage_mm: float, as_json: bool
) -> None:
    """Rectangular weir over the full width, Kindsvater and Carter."""
    _print(RectangularFullWidth(width_m, crest_m), stage_mm, u_stage_mm, as_json)


@rating.command("rectangular_contracted")
@click.option("--width-m", type=Within(0.15, 10), required=True, help="Width of the crest.")
@click.option(
    "--channel-width-m",
    type=Within(0.15, 50),
    required=True,
    help="Width of the channel above the weir.",
)
@click.option(
    "--crest-m",
    type=Within(0.1, 3),
    required=True,
    help="Height of the crest over the bed.",
)
def rectangular_contracted(
    width_m: float,
    channel_width_m: float,
    crest_m: float,
    stage_mm: list[float],
    u_stage_mm: float,
    as_json: bool,
) -> None:
    """Rectangular weir narrower than its channel, Kindsvater and Carter."""
    given: dict[str, object] = {
        "width_m": width_m,
        "channel_width_m": channel_width_m,
        "crest_m": crest_m,
    }
    _print(_read(RectangularContracted, given, "rating"), stage_mm, u_stage_mm, as_json)


def _from_file(kind: type[Structure], words: str) -> None:
    """A command for a structure with too many numbers for options: a file with its table."""

    def command(file: Path, stage_mm: list[float], u_stage_mm: float, as_json: bool) -> None:
        _print(_read(kind, _toml(file), str(file)), stage_mm, u_stage_mm, as_json)

    where = click.Path(exists=True, dir_okay=False, path_type=Path)
    option = click.Option(["--file"], type=where, required=True, help="TOML with its keys.")
    rating.add_command(
        click.RichCommand(name=kind.kind, callback=command, params=[option], help=words)
    )


_from_file(RatingTable, "Gauged pairs of stage and discharge, straight between their logarithms.")
_from_file(PowerLaw, "A power law of the stage between the lowest gauging and the highest.")
_from_file(Gauged, "Another structure with a scale from gaugings: `kahriz gateway rating fit`.")


def _toml(file: Path) -> dict[str, object]:
    try:
        data = toml(file.read_text(encoding="utf-8"), str(file))
    except ConfigError as error:
        raise click.ClickException(str(error)) from error
    except (OSError, UnicodeDecodeError) as error:
        raise click.ClickException(f"{file}: expected TOML ({error})") from error
    data.pop("kind", None)  # as it stands in a record; the command says it already
    return data


def _read(structure: type[Structure], data: dict[str, object], source: str) -> Structure:
    table = Table(data, source)
    try:
        found = structure.from_table(table)
        table.done()
    except ConfigError as error:
        raise click.ClickException(str(error)) from error
    return found


for _name in STRUCTURES:
    _with_stages(rating.commands[_name])


def _print(
    structure: Structure,
    stage_mm: list[float],
    u_stage_mm: float,
    as_json: bool,
    tail_mm: float | None = None,
) -> None:
    rows = [rating_row(structure, mm, u_stage_mm, tail_mm) for mm in stage_mm]
    if as_json:
        click.echo(json.dumps(rows))
        return
    for row in rows:
        flow = row["why"]
        if row["discharge_lps"] is not None:
            flow = f"{row['discharge_lps']:>10} L/s ± {row['uncertainty_pct']} %"
        click.echo(f"{row['stage_mm']:>6g} mm  {flow}")


def rating_row(
    structure: Structure, stage_mm: float, u_stage_mm: float, tail_mm: float | None = None
) -> dict[str, object]:
    """One stage as it is printed: a number with its uncertainty, or why not, and the bound."""
    tail_m = None if tail_mm is None else tail_mm / 1000.0
    flow = structure.discharge(stage_mm / 1000.0, u_stage_mm / 1000.0, tail_m=tail_m)
    percent = None
    if flow.lps is not None and flow.u_lps is not None:
        percent = round(100.0 * flow.u_lps / flow.lps, 1)
    row: dict[str, object] = {
        "stage_mm": int(stage_mm) if stage_mm == int(stage_mm) else stage_mm,
        "discharge_lps": _rounded(flow.lps),
        "uncertainty_pct": percent,
        "q": flow.q,
        "why": flow.why,
    }
    if flow.below_lps is not None:
        row["discharge_lt_lps"] = _rounded(flow.below_lps)
    if flow.above_lps is not None:
        row["discharge_gt_lps"] = _rounded(flow.above_lps)
    return row


def _rounded(lps: float | None) -> float | None:
    return None if lps is None else round(lps, 3)
