# SPDX-License-Identifier: MIT
"""`kahriz hardware well`: no wide beam in a narrow well."""

from __future__ import annotations

import sys

import rich_click as click

from kahriz_hardware.bounds import Between
from kahriz_hardware.well import READ_MM, SENSORS, STEP_MM, Place, Sensor, hole_mm, lag_s

REFUSED = 3  # exit code: the sensor may not hang there
SHARES = (0.01, 0.001)  # inlet area by the well's: the range that gaugers use


@click.command()
@click.option(
    "--sensor",
    "name",
    type=click.Choice([*SENSORS, "other"]),
    required=True,
    help="Which one hangs there.",
)
@click.option("--beam-deg", type=Between(1.0, 170.0), help="Full angle, with `other`.")
@click.option(
    "--blind-m",
    type=Between(0.0, 2.0),
    default=0.5,
    show_default=True,
    help="Blind zone, with `other`.",
)
@click.option("--nearest-m", type=Between(0.0, 20.0), help="Face to the highest water.")
@click.option("--farthest-m", type=Between(0.01, 20.0), help="Face to the lowest water.")
@click.option("--well-mm", type=Between(10.0, 5000.0), help="Inside of a round well.")
@click.option("--channel-mm", type=Between(10.0, 20000.0), help="Or: an open channel.")
def well(
    name: str,
    beam_deg: float | None,
    blind_m: float,
    nearest_m: float | None,
    farthest_m: float | None,
    well_mm: float | None,
    channel_mm: float | None,
) -> None:
    """Check a level sensor's beam against the well or channel it hangs in.

    Exit code 3 where it may not hang there.
    """
    if (well_mm is None) == (channel_mm is None):
        raise click.UsageError("say --well-mm or --channel-mm, one of them")
    if (name == "other") != (beam_deg is not None):
        raise click.UsageError("--beam-deg goes with --sensor other, and only with it")
    sensor = SENSORS.get(name) or Sensor(beam_deg, blind_m, 0.0, "given by hand")
    if sensor.beam_deg is not None and (nearest_m is None or farthest_m is None):
        raise click.UsageError("a beam needs --nearest-m and --farthest-m")
    near, far = nearest_m or 0.0, farthest_m or 0.0
    if near > far:
        raise click.UsageError(f"--nearest-m {near:g} is more than --farthest-m {far:g}")
    place = Place(sensor, near, far, well_mm or channel_mm or 0.0, well_mm is not None)
    click.echo(f"{name}: {sensor.source}")
    for why in place.refusals:
        click.echo(f"No: {why}.")
    if place.refusals:
        if sensor.beam_deg is not None:
            click.echo(
                f"The beam fits up to {place.longest_m:.2f} m. Otherwise: a wider place, a narrow "
                "beam by its maker's drawing, or a pressure probe in the well."
            )
        sys.exit(REFUSED)
    if sensor.beam_deg is not None:
        click.echo(
            f"Yes: the beam is {place.radius_mm:.0f} mm in radius at the lowest water, "
            f"{place.width_mm / 2.0:.0f} mm are free; still check the echo against the staff gauge."
        )
    else:
        click.echo("Yes: no beam, nothing to answer before the water.")
    if place.round_well:
        for share in SHARES:
            click.echo(
                f"  inlet Ø {hole_mm(place.width_mm, share):.1f} mm (1/{1 / share:.0f} of the "
                f"well): within {READ_MM:.0f} mm of a step of {STEP_MM:.0f} mm after "
                f"{lag_s(share):.0f} s"
            )
