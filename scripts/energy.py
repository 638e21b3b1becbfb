# SPDX-License-Identifier: MIT
"""`make energy`: joules of a node by policy, sensor and board, from days of the real program.

The times come from the program on the simulated board; the currents from data sheets and from what
others measured (firmware/kahriz_sim/energy_profiles.toml). A model, not a measurement.

`make energy ARGS="--profile accept.json"` sets what `kahriz node accept` measured on a board beside
the model, figure by figure and day by day; what was not measured stays the model's.
"""

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

from kahriz_sim.energy import LEAST, MOST, USUAL, Bands, Profile, after
from kahriz_sim.energy_day import day
from kahriz_tools.errors import BenchError
from kahriz_tools.image import build_image
from scripts import measured_profile
from scripts.measured_profile import Measured

POLICIES = (
    ("every 5 min, uploaded at once as far as the daily cap on radio joules lets it", 300, 1),
    ("every 5 min, hourly", 300, 12),
    ("every 10 min, hourly", 600, 6),
    ("every 15 min, every 2 h", 900, 8),
)
SENSORS = (("ultrasonic + air", "outlet"), ("4-20 mA", "pool"))
BOARDS = ("devkit", "bare", "tuned")
SETTLED_S = 2 * 3600  # after power-on every reading goes out at once for half an hour
DAY_S = 86400


def line(board: str, wakes: list[dict[str, Any]], bands: Bands | None = None) -> str:
    """One row of the table; with `bands` what a board measured stands in the model's place."""
    edges = [Profile(board, edge, bands) for edge in (LEAST, USUAL, MOST)]
    costs = [edge.cost(wakes, tls=True) for edge in edges]
    days = [cost.total_j * DAY_S / cost.span_s for cost in costs]
    usual = costs[USUAL]
    parts = "  ".join(
        f"{key} {value * DAY_S / usual.span_s:.1f}" for key, value in usual.joules.items()
    )
    dark = [
        edge.battery_j / a_day for edge, a_day in zip(reversed(edges), reversed(days), strict=True)
    ]
    return (
        f"  {'measured' if bands else board:8} {usual.total_j / len(wakes):5.2f} J a wake  "
        f"{days[USUAL]:6.1f} J a day [{days[LEAST]:.0f}-{days[MOST]:.0f}]  "
        f"{usual.awake_s / len(wakes):4.2f} s awake  "
        f"{dark[1]:4.0f} days without sun [{dark[0]:.0f}-{dark[2]:.0f}]   {parts}"
    )


def arguments(argv: list[str]) -> Measured | None:
    """What was measured, when a file is named."""
    parser = argparse.ArgumentParser(prog="make energy", description=__doc__)
    parser.add_argument("--profile", type=Path, help="a file of `kahriz node accept`")
    path = parser.parse_args(argv).profile
    return None if path is None else measured_profile.read(path)


def main(argv: list[str]) -> int:
    """Print the tables."""
    try:
        measured = arguments(argv)
    except BenchError as error:
        print(f"energy: {error}", file=sys.stderr)
        return error.code
    if measured is not None:
        print("\n".join(measured_profile.beside(measured)) + "\n")
    print("Model: times of the real program on the simulated board x currents of others; no meter")
    print("has seen this node. Battery 2,500 mAh. One mutual-TLS handshake an upload is reckoned.")
    print("Brackets: all figures at their least and at their most. J a day by state on the right.")
    with tempfile.TemporaryDirectory(prefix="kahriz-image-") as folder:
        image = Path(folder)
        build_image(image)
        for name, kind in SENSORS:
            for policy, dt_s, batch in POLICIES:
                wakes = after(day(image, kind, dt_s, batch), SETTLED_S)
                print(f"{name}, {policy}: {len(wakes)} wakes, "
                      f"{sum(wake['tcp'] for wake in wakes)} uploads")  # fmt: skip
                for board in BOARDS:
                    print(line(board, wakes))
                    if measured is not None and board == measured.board:
                        print(line(board, wakes, measured.bands))
        wakes = day(image, "outlet", 300, 12, hours=24, access_point=False)
        joules = [Profile("bare", edge).cost(wakes).joules["radio"] for edge in (0, 1, 2)]
        seconds = Profile("bare").cost(wakes).radio_s
        print(f"access point dead from power-on: radio {seconds:.1f} s on the first day, "
              f"{joules[1]:.1f} J [{joules[0]:.1f}-{joules[2]:.1f}]")  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
