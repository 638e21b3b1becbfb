# SPDX-License-Identifier: MIT
"""The fast path: the rows a site's nodes would report, without sockets, boards or sleep.

    from kahriz_sim.series import rows
    for row in rows("banovshalar-gozlu", "leak", seed=1, days=9.0):
        row.node, row.values["ts"], row.values.get("weir_distance_m"), row.truth["discharge_lps"]

Rows come in order of time, all nodes of one moment together; ninety days take seconds.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from kahriz_sim.noise import USUAL, Noise
from kahriz_sim.plan import NodePlan, SitePlan
from kahriz_sim.scenario import Brownout, Scenario, hours_to_ms
from kahriz_sim.simulation import Simulation
from kahriz_sim.weather import DAY_MS

START_MS = 1_746_057_600_000  # 2025-05-01 00:00 UTC: spring, with turns
HISTORY_DAYS = 7.0
ECHOES = 15
Values = dict[str, float | int | str]


@dataclass(frozen=True)
class Row:
    """`values` is the row of the wire contract, `truth` what was really there."""

    node: str
    values: Values
    truth: dict[str, float]


def rows(
    site: str | Path | SitePlan,
    scenario: str | Path | Scenario = "calm",
    seed: int = 1,
    days: float = 90.0,
    *,
    start_ms: int = START_MS,
    events_from_day: float = HISTORY_DAYS,
    dt_s: int = 300,
    leaks: Iterable[tuple[str, float, float]] = (),
    nodes: Iterable[str] | None = None,
    noise: Noise = USUAL,
) -> Iterator[Row]:
    """`days` of readings from start_ms; the hours of the scenario count from events_from_day.

    leaks: further (reach, L/s, hours after events_from_day); nodes: only these (all).
    """
    origin_ms = start_ms + int(events_from_day * DAY_MS)
    sim = Simulation(site, scenario, seed, start_ms, origin_ms, noise)
    for reach, lps, at_h in leaks:
        sim.add_leak(reach, lps, origin_ms + hours_to_ms(at_h))
    wanted = [sim.plan.node(n) for n in (sim.plan.node_ids if nodes is None else nodes)]
    step_ms = dt_s * 1000
    moments = range(start_ms, start_ms + int(days * DAY_MS), step_ms)
    for n, t_ms in enumerate(moments, start=1):
        sim.advance(t_ms)
        for node in wanted:
            if not _is_off(sim, node.id, t_ms):
                yield Row(node.id, reading(sim, node, n), sim.truth(node))


def reading(sim: Simulation, node: NodePlan, n: int) -> Values:
    """One row, formed as the node forms it: median and spread of the echoes, faults in words."""
    instruments = sim.instruments
    values: Values = {"ts": sim.t_ms, "n": n, "q": 1}
    if node.device == "loop":
        values["loop_current_ma"] = round(instruments.loop_ma(node, sim.t_ms), 3)
        return values
    echoes = [mm for mm in instruments.echoes_mm(node, sim.t_ms, ECHOES) if mm is not None]
    if len(echoes) < ECHOES // 3:
        values["weir_fault"] = "timeout"
    else:
        middle = median(echoes)
        values["weir_distance_m"] = round(middle / 1000.0, 4)
        values["weir_spread_m"] = round(median(abs(mm - middle) for mm in echoes) / 1000.0, 4)
        values["weir_echoes"] = len(echoes)
    air_c = instruments.air_c(node, sim.t_ms)
    if air_c is None:
        values["air_fault"] = "no_answer"
    elif air_c == 85.0:
        values["air_fault"] = "power_up"
    else:
        values["air_c"] = round(air_c, 2)
    if "weir_fault" in values and "air_fault" in values:
        values["q"] = 9
    return values


def _is_off(sim: Simulation, node_id: str, t_ms: int) -> bool:
    """Without power there is no reading; without WiFi there is one, later."""
    since_ms = t_ms - sim.origin_ms
    return any(
        node_id in e.nodes and hours_to_ms(e.at_h) <= since_ms < hours_to_ms(e.to_h)
        for e in sim.scenario.events
        if isinstance(e, Brownout)
    )
