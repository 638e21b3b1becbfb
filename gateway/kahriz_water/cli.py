# SPDX-License-Identifier: MIT
"""`kahriz rating`: what a structure says for given stages, with its uncertainty."""

from __future__ import annotations

import json

import rich_click as click

from kahriz_water.structures import STRUCTURES, Structure
from kahriz_water.structures.parshall import THROATS, Parshall
from kahriz_water.structures.rectangular_full_width import RectangularFullWidth
from kahriz_water.structures.v_notch import VNotch


class Stages(click.ParamType[list[float]]):
    """Stages in millimetres with commas between: 60,100,150."""

    name = "mm,mm,…"

    def convert(self, value: object, param: object, ctx: object) -> list[float]:
        try:
            return [float(part) for part in str(value).split(",")]
        except ValueError:
            raise click.BadParameter(
                f"expected millimetres with commas between, found {value!r}"
            ) from None


@click.group()
def rating() -> None:
    """Discharge of a stage: V-notch, Parshall flume, rectangular weir."""


def _with_stages(command: click.Command) -> click.Command:
    command.params += [
        click.Option(["--stage-mm"], type=Stages(), required=True, help="Stages over the crest."),
        click.Option(
            ["--u-stage-mm"],
            type=click.FloatRange(min=0),
            default=2.0,
            show_default=True,
            help="Standard uncertainty of the stage.",
        ),
        click.Option(["--json", "as_json"], is_flag=True, help="Print JSON."),
    ]
    return command


@rating.command("v_notch")
@click.option("--angle-deg", type=click.FloatRange(25, 100), default=90.0, show_default=True)
def v_notch(angle_deg: float, stage_mm: list[float], u_stage_mm: float, as_json: bool) -> None:
    """Thin-plate V-notch, Kindsvater and Shen."""
    _print(VNotch(angle_deg), stage_mm, u_stage_mm, as_json)


@rating.command("parshall")
@click.option("--throat", type=click.Choice(list(THROATS)), default="3in", show_default=True)
def parshall(throat: str, stage_mm: list[float], u_stage_mm: float, as_json: bool) -> None:
    """Parshall flume in free flow."""
    _print(Parshall(throat), stage_mm, u_stage_mm, as_json)


@rating.command("rectangular_full_width")
@click.option("--width-m", type=click.FloatRange(0.15, 10), required=True)
@click.option("--crest-m", type=click.FloatRange(0.1, 3), required=True)
def rectangular_full_width(
    width_m: float, crest_m: float, stage_mm: list[float], u_stage_mm: float, as_json: bool
) -> None:
    """Rectangular weir over the full width, Kindsvater and Carter."""
    _print(RectangularFullWidth(width_m, crest_m), stage_mm, u_stage_mm, as_json)


for _name in STRUCTURES:
    _with_stages(rating.commands[_name])


def _print(structure: Structure, stage_mm: list[float], u_stage_mm: float, as_json: bool) -> None:
    rows = [rating_row(structure, mm, u_stage_mm) for mm in stage_mm]
    if as_json:
        click.echo(json.dumps(rows))
        return
    for row in rows:
        if row["discharge_lps"] is not None:
            flow = f"{row['discharge_lps']:>10} L/s ± {row['uncertainty_pct']} %"
        elif row["discharge_lt_lps"] is not None:
            flow = f"less than {row['discharge_lt_lps']} L/s: {row['why']}"
        else:
            flow = f"more than {row['discharge_gt_lps']} L/s: {row['why']}"
        click.echo(f"{row['stage_mm']:>6g} mm  {flow}")


def rating_row(structure: Structure, stage_mm: float, u_stage_mm: float) -> dict[str, object]:
    """One stage as it is printed: a number with its uncertainty, or a bound and why."""
    flow = structure.discharge(stage_mm / 1000.0, u_stage_mm / 1000.0)
    percent = None
    if flow.lps is not None and flow.u_lps is not None:
        percent = round(100.0 * flow.u_lps / flow.lps, 1)
    return {
        "stage_mm": int(stage_mm) if stage_mm == int(stage_mm) else stage_mm,
        "discharge_lps": _rounded(flow.lps),
        "uncertainty_pct": percent,
        "discharge_lt_lps": _rounded(flow.below_lps),
        "discharge_gt_lps": _rounded(flow.above_lps),
        "q": flow.q,
        "why": flow.why,
    }


def _rounded(lps: float | None) -> float | None:
    return None if lps is None else round(lps, 3)
