# SPDX-License-Identifier: MIT
"""`kahriz hardware labels` and `kahriz hardware sheet`: what goes onto boxes and into folders."""

from __future__ import annotations

import sys
from pathlib import Path

import rich_click as click

from kahriz_hardware.plans import read_plan
from kahriz_hardware.sheets.calibration import sheet as calibration_sheet
from kahriz_hardware.sheets.labels import LANGUAGES, labels

UNCLEARED = 3  # exit code: a point without an approved path
OUT = click.Path(path_type=Path, file_okay=False)


@click.command("labels")
@click.option("--out", type=OUT, required=True, help="The SVG files go here.")
@click.option(
    "--site",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A site.toml: one label of its cleared path for each point.",
)
def labels_command(out: Path, site: Path | None) -> None:
    """Write the warning labels, in three languages, A6.

    Exit code 3 where the site has a point without [access.<point>]: nobody goes there.
    """
    files = {name: svg for name, svg in labels().items() if site is None or name != "mines"}
    bare: list[str] = []
    if site is not None:
        plan = read_plan(site)
        known = {one.point: one for one in plan.access}
        for point in plan.points:
            way = known.get(point.id)
            if way is None:
                bare.append(point.id)
                continue
            on = way.cleared_on.strftime("%d.%m.%Y")
            told = {"path": way.path.az, "cleared_by": way.cleared_by, "cleared_on": on}
            files[f"mines-{point.id}"] = labels({"mines": told})["mines"]
    _write(out, files)
    for name in bare:
        click.echo(
            f"{name}: no [access.{name}] in the plan: no path is known to be cleared, "
            "nobody goes there",
            err=True,
        )
    if bare:
        sys.exit(UNCLEARED)


@click.command("sheet")
@click.option("--out", type=OUT, required=True, help="The SVG files go here.")
@click.option("--language", type=click.Choice(LANGUAGES), multiple=True, help="Default: all.")
def sheet_command(out: Path, language: tuple[str, ...]) -> None:
    """Write the calibration sheet: zero, gaugings, two points of a pressure sensor; A4."""
    _write(out, {f"calibration-{one}": calibration_sheet(one) for one in language or LANGUAGES})


def _write(out: Path, files: dict[str, str]) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name, svg in files.items():
            (out / f"{name}.svg").write_text(svg, encoding="utf-8")
            click.echo(f"wrote {out / name}.svg", err=True)
    except OSError as error:
        raise click.ClickException(f"{error.filename or out}: {error.strerror}") from None
