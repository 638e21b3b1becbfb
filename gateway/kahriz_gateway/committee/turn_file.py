# SPDX-License-Identifier: MIT
"""Turns as a file: what a technician brings along.

point = "fields"
flow_lps = 20.0
plots = [["A1", 240], ["A2", 180], ["-", 60]]    # code and minutes; "-": nobody
"""

from __future__ import annotations

from pathlib import Path

from kahriz_gateway.committee.turn_book import flow_points
from kahriz_water.site import Plan
from kahriz_water.strict import ConfigError, Table, toml
from kahriz_water.turns import Plot, Rota, TurnsError


def read(path: Path, start_ms: int, plan: Plan) -> tuple[Rota, str]:
    """The rota of a file and the point that measures it. Raises ConfigError."""
    try:
        table = Table(toml(path.read_text(encoding="utf-8"), str(path)), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(str(path), f"a file of turns in TOML ({error})") from None
    point = table.choice("point", tuple(p.id for p in flow_points(plan)))
    flow_lps = table.number("flow_lps", 0.1, 1000, "L/s")
    plots = []
    pairs = table.raw("plots")
    for pair in pairs if isinstance(pairs, list) else [pairs]:
        if not (isinstance(pair, list) and len(pair) == 2 and isinstance(pair[0], str)):
            raise ConfigError(table.at("plots"), 'pairs such as ["A1", 240]', pair)
        minutes = pair[1]
        if isinstance(minutes, bool) or not isinstance(minutes, int | float):
            raise ConfigError(table.at("plots"), "minutes as a number", minutes)
        plots.append(Plot(pair[0], float(minutes)))
    table.done()
    try:
        return Rota(start_ms, tuple(plots), flow_lps), point
    except TurnsError as error:
        raise ConfigError(table.at("plots"), str(error)) from None
