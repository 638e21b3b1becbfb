# SPDX-License-Identifier: MIT
"""What `kahriz node accept` measured on a board, for the energy model: figures beside figures."""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from kahriz_sim.energy import PROFILES
from kahriz_tools.accept_bench import here_ms
from kahriz_tools.accept_file import Band, load

FALLING = ("sensor.loop_efficiency",)  # the model's bands run from little load to much


@dataclass(frozen=True)
class Measured:
    """Figures under the names of the model's table, and the board of the model they stand for."""

    board: str
    about: str
    bands: dict[str, Band]


def read(path: Path) -> Measured:
    """The file, its chip's benchmark made into "program" by running it here, too."""
    result = load(path)
    bands: dict[str, Band] = dict(result.profile())
    for key in FALLING:
        if key in bands:
            least, usual, most = bands[key]
            bands[key] = (most, usual, least)
    chip = result.measured("bench_ms")
    if chip is not None:
        here = here_ms()
        least, usual, most = chip
        bands["state.program"] = (least / here, usual / here, most / here)
    return Measured(result.board, str(result.body.get("about", "")), bands)


def beside(measured: Measured) -> list[str]:
    """Each figure of the model with what was measured; one outside the model's band is marked."""
    table = tomllib.loads(PROFILES.read_text(encoding="utf-8"))
    rows = [("supply_v", table["supply_v"])]
    for group in ("state", "sensor", "battery"):
        rows += [(f"{group}.{key}", band) for key, band in table[group].items()]
    board = table["board"][measured.board]
    rows += [(f"board.{measured.board}.{k}", band) for k, band in board.items() if k != "about"]
    lines = [f"{'figure':28} {'model':>24}   measured ({measured.about or measured.board})"]
    for key, model in rows:
        band = measured.bands.get(key)
        said = "-" if band is None else _text(band)
        if band is not None and not min(model) <= band[1] <= max(model):
            said += "  outside the model's band"
        lines.append(f"{key:28} {_text(model):>24}   {said}")
    return lines


def _text(band: Sequence[float]) -> str:
    low, usual, high = (f"{one:.4g}" for one in band)
    return f"{usual} [{low} - {high}]"
