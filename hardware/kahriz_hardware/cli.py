# SPDX-License-Identifier: MIT
"""`kahriz hardware`: what to build, and what not."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path
from typing import TextIO

import rich_click as click

from kahriz_hardware import drawing, gauge
from kahriz_hardware.channel import Channel, SiteError
from kahriz_hardware.power.command import power
from kahriz_hardware.propose import Weir, propose
from kahriz_hardware.radio_command import link
from kahriz_hardware.report import U_STAGE_M, as_json_object, in_words
from kahriz_hardware.sheets.command import labels_command, sheet_command
from kahriz_hardware.well_command import well

STEP_MM = 10
REFUSED = 3  # exit code: the site was understood, and no weir may stand there


@click.group()
def hardware() -> None:
    """What to build at the water, and what would harm the kahriz."""


for _command in (power, link, well, labels_command, sheet_command):
    hardware.add_command(_command)


@hardware.command()
@click.option("--max-lps", type=float, required=True, help="Largest flow, flood and all.")
@click.option("--min-lps", type=float, required=True, help="Smallest flow of a dry year.")
@click.option("--channel-width-m", type=float, required=True, help="Between the lining's walls.")
@click.option("--channel-depth-m", type=float, required=True, help="Bed to the lining's edge.")
@click.option("--drop-m", type=float, required=True, help="Fall of the bed at the weir.")
@click.option(
    "--mouth-invert-m",
    type=float,
    required=True,
    help="The gallery's mouth, its lowest point, over the channel's bed at the weir.",
)
@click.option("--bed-slope", type=float, required=True, help="0.001 is a metre in a kilometre.")
@click.option("--roughness", type=float, default=0.015, show_default=True, help="Manning's n.")
@click.option("--pool-width-m", type=float, help="Where the channel is widened above the weir.")
@click.option("--tail-depth-m", type=float, help="Water below the weir at the largest flow.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="Drawings go here.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def weir(
    max_lps: float,
    min_lps: float,
    channel_width_m: float,
    channel_depth_m: float,
    drop_m: float,
    mouth_invert_m: float,
    bed_slope: float,
    roughness: float,
    pool_width_m: float | None,
    tail_depth_m: float | None,
    out: Path | None,
    as_json: bool,
) -> None:
    """Choose a weir that does not pond the gallery, overtop the lining or drown.

    Exit code 3 where no weir may stand: then a flume or a pipe meter is named.
    """
    try:
        channel = Channel(
            channel_width_m,
            channel_depth_m,
            drop_m,
            mouth_invert_m,
            bed_slope,
            roughness,
            pool_width_m,
            tail_depth_m,
        )
        found = propose(channel, min_lps, max_lps)
    except SiteError as error:
        raise click.UsageError(str(error)) from None
    if as_json:
        click.echo(json.dumps(as_json_object(found, min_lps, max_lps), indent=2))
    else:
        click.echo("\n".join(in_words(found, min_lps, max_lps)))
    if found.weir is None:
        sys.exit(REFUSED)
    if out is not None:
        for path in _write(found.weir, channel, out):
            click.echo(f"wrote {path}", err=True)


def _write(chosen: Weir, channel: Channel, out: Path) -> list[Path]:
    """Plate as SVG and DXF, rating table, staff gauge sheets."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        drawn = drawing.plate(chosen, channel.approach_width_m)
        written = [out / "plate.svg", out / "plate.dxf", out / "rating.csv"]
        written[0].write_text(drawing.to_svg(drawn), encoding="utf-8")
        drawing.to_dxf(drawn, written[1])
        with written[2].open("w", encoding="utf-8", newline="") as file:
            _rating(chosen, file)
        for number, page in enumerate(gauge.sheets(chosen.structure, chosen.head_max_m), 1):
            written.append(out / f"staff-gauge-{number}.svg")
            written[-1].write_text(page, encoding="utf-8")
    except OSError as error:
        raise click.ClickException(f"{error.filename or out}: {error.strerror}") from None
    except ModuleNotFoundError as error:
        raise click.ClickException(
            f"the DXF needs the Python package {error.name!r}: install kahriz-monitor[hardware]"
        ) from None
    return written


def _rating(chosen: Weir, file: TextIO) -> None:
    rows = csv.writer(file)
    rows.writerow(["stage_mm", "discharge_lps", "uncertainty_pct"])
    top = int(chosen.head_max_m * 1000.0) + STEP_MM
    for mm in range(0, top + 1, STEP_MM):
        said = chosen.structure.discharge(mm / 1000.0, U_STAGE_M)
        if said.lps is not None and said.u_lps is not None:
            rows.writerow([mm, f"{said.lps:.3f}", f"{100.0 * said.u_lps / said.lps:.1f}"])
