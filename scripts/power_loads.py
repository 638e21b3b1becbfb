# SPDX-License-Identifier: MIT
"""Writes what each node kit takes a day, by the energy model, for `kahriz hardware power`.

`.venv/bin/python scripts/power_loads.py` after a change to firmware/kahriz_sim/energy_profiles.toml
or to the node's wake: lives 26 hours of the real program a kit (a minute), and writes
hardware/kahriz_hardware/power/nodes.toml. A model, not a measurement.

`--profile accept.json` reckons with what `kahriz node accept` measured instead, and writes
accept.nodes.toml beside it, which `kahriz hardware power --profile` sets beside the model.
"""

import argparse
import hashlib
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from kahriz_sim.energy import LEAST, MOST, PROFILES, USUAL, Bands, Profile, after
from kahriz_sim.energy_day import day
from kahriz_tools.errors import BenchError
from kahriz_tools.image import build_image
from scripts import measured_profile

OUT = Path(__file__).parents[1] / "hardware" / "kahriz_hardware" / "power" / "nodes.toml"
BOARD = "devkit"  # the board of the kits
DT_S, BATCH = 300, 12  # as the demo's nodes
SETTLED_S = 2 * 3600
DAY_S = 86400


def joules(wakes: list[dict[str, Any]], board: str, bands: Bands | None) -> list[float]:
    """J a day, least, usual, most, at 3.3 V."""
    costs = [Profile(board, edge, bands).cost(wakes, tls=True) for edge in (LEAST, USUAL, MOST)]
    return [round(cost.total_j * DAY_S / cost.span_s, 1) for cost in costs]


def powered(wakes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same readings and uploads by a node that never sleeps: its sleep is spent awake."""
    awake = [
        wake | {"awake_us": wake["awake_us"] + wake["sleep_ms"] * 1000, "sleep_ms": 0, "on": {}}
        for wake in wakes
    ]
    return [wake | {"boot_us": 0, "light_us": 0, "air": 0} for wake in awake]


def main(argv: list[str]) -> int:
    """Live the days and write the file."""
    parser = argparse.ArgumentParser(prog="power_loads", description=__doc__)
    parser.add_argument("--profile", type=Path, help="a file of `kahriz node accept`")
    path = parser.parse_args(argv).profile
    try:
        measured = None if path is None else measured_profile.read(path)
    except BenchError as error:
        print(f"power_loads: {error}", file=sys.stderr)
        return error.code
    board = BOARD if measured is None else measured.board
    bands = None if measured is None else measured.bands
    loads = {}
    with tempfile.TemporaryDirectory(prefix="kahriz-image-") as folder:
        image = Path(folder)
        build_image(image)
        outlet = after(day(image, "outlet", DT_S, BATCH), SETTLED_S)
        pool = after(day(image, "pool", DT_S, BATCH), SETTLED_S)
        for kit, wakes in (("outlet", outlet), ("pool", pool), ("pipe-meter", powered(outlet))):
            loads[kit] = joules(wakes, board, bands)
    digest = hashlib.sha256(PROFILES.read_bytes()).hexdigest()
    more = [] if measured is None else [
        f"about = {json.dumps(measured.about or measured.board)}",
        f"measured = {json.dumps(sorted(measured.bands))}",
    ]  # fmt: skip
    lines = [
        "# SPDX-License-Identifier: CERN-OHL-W-2.0",
        "# Made by scripts/power_loads.py from the energy model; do not edit by hand.",
        f'board = "{board}"',
        f"dt_s = {DT_S}",
        f"batch = {BATCH}",
        f'profiles_sha256 = "{digest}"',
        *more,
        "[joules_per_day] # at 3.3 V: least, usual, most",
        *(f"{kit} = {told}" for kit, told in loads.items()),
    ]
    out = OUT if path is None else path.with_suffix(".nodes.toml")
    out.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(out.read_text(encoding="utf-8"), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
