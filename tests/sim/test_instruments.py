# SPDX-License-Identifier: MIT
"""What the sensors report: wrong by the table of noise, and by no more."""

import itertools
from functools import cache
from statistics import median, pstdev

import pytest

from kahriz_sim.noise import SILENT, USUAL
from kahriz_sim.series import Row, rows
from kahriz_sim.simulation import Simulation
from kahriz_sim.weir import VNotch

SITE = "banovshalar-gozlu"
ZERO_M = {"outlet": 0.800, "middle": 0.800, "inlet": 0.780, "fields": 0.850}
START_MS = 1_746_057_600_000
LIFE_MS = START_MS + 7 * 86_400_000


@cache
def series(
    scenario: str, days: float, nodes: tuple[str, ...] | None = None
) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in rows(SITE, scenario, 11, days, nodes=nodes):
        found.setdefault(row.node, []).append(row)
    return found


def stage_m(row: Row) -> float | None:
    """As any gateway must compute it: undo the fixed speed of sound, apply the measured air."""
    distance, air = row.values.get("weir_distance_m"), row.values.get("air_c")
    if distance is None or air is None:
        return None
    path_m = float(distance) * (331.3 + 0.606 * float(air)) / 343.4
    return ZERO_M[row.node] - path_m


def errors_mm(node: str, days: float = 10.0) -> list[float]:
    return [
        1000.0 * (stage - row.truth["stage_m"])
        for row in series("calm", days)[node]
        if (stage := stage_m(row)) is not None
    ]


@pytest.mark.parametrize("node", ["outlet", "middle", "inlet"])
def test_a_stage_is_right_within_a_few_millimetres(node: str) -> None:
    errors = errors_mm(node)
    assert 0.8 < pstdev(errors) < 2.2
    assert abs(median(errors)) < 2.5
    assert sum(abs(e) > 8.0 for e in errors) < 0.01 * len(errors)


def test_errors_of_neighbouring_readings_are_alike() -> None:
    errors = errors_mm("middle")
    centre = sum(errors) / len(errors)
    lagged = sum((a - centre) * (b - centre) for a, b in itertools.pairwise(errors))
    own = sum((a - centre) ** 2 for a in errors)
    assert 0.25 < lagged / own < 0.75


def test_an_unshaded_thermometer_lies_at_noon() -> None:
    noon = [
        r for r in series("calm", 10.0)["fields"] if (int(r.values["ts"]) // 3_600_000) % 24 == 9
    ]
    shaded = {r.values["ts"]: r for r in series("calm", 10.0)["middle"]}
    excess = [
        float(r.values["air_c"]) - float(shaded[r.values["ts"]].values["air_c"])
        for r in noon
        if "air_c" in r.values and "air_c" in shaded[r.values["ts"]].values
    ]
    assert max(excess) > 3.0


def hourly_loss_lps(scenario: str, days: float) -> list[tuple[float, float]]:
    """(hours of life, outlet - middle): medians of an hour, half an hour of travel apart."""
    notch = VNotch()
    found_rows = series(scenario, days, ("outlet", "middle"))
    flows = {
        node: {
            int(row.values["ts"]): 1000.0 * notch.discharge_m3s(stage)
            for row in found_rows[node]
            if (stage := stage_m(row)) is not None
        }
        for node in ("outlet", "middle")
    }
    found = []
    for hour in range(24, int(days * 24)):
        end = START_MS + hour * 3_600_000
        up = [flows["outlet"].get(end - 1_800_000 - k * 300_000) for k in range(12)]
        down = [flows["middle"].get(end - k * 300_000) for k in range(12)]
        above, below = [q for q in up if q is not None], [q for q in down if q is not None]
        if above and below:
            found.append(((end - LIFE_MS) / 3_600_000, median(above) - median(below)))
    return found


def test_two_litres_a_second_stand_out_within_two_hours() -> None:
    calm = [loss for hour, loss in hourly_loss_lps("leak", 8.0) if hour < 1.0]
    usual, spread = median(calm), pstdev(calm)
    assert spread < 0.3
    # The leak begins one hour into life; a reach of half an hour must fill with its lack.
    seen = [loss for hour, loss in hourly_loss_lps("leak", 8.0) if 3.0 <= hour < 12.0]
    assert min(seen) - usual > 4.0 * spread
    assert median(seen) - usual == pytest.approx(2.0, abs=0.3)


def test_ninety_calm_days_hold_no_hour_like_a_leak() -> None:
    losses = [loss for _, loss in hourly_loss_lps("calm", 90.0)]
    usual = median(losses)
    daily = [median(losses[i : i + 24]) for i in range(0, len(losses), 24)]
    assert max(abs(loss - usual) for loss in daily) < 0.6
    assert max(abs(median(losses[i : i + 3]) - usual) for i in range(len(losses) - 2)) < 1.2


def test_false_and_lost_echoes_come_as_often_as_the_table_says() -> None:
    sim = Simulation(SITE, "calm", 3, START_MS)
    node = sim.plan.node("outlet")
    echoes = [
        e for k in range(2000) for e in sim.instruments.echoes_mm(node, START_MS + k * 60_000, 15)
    ]
    lost = sum(e is None for e in echoes) / len(echoes)
    false = sum(e is not None and abs(e - 645) > 60 for e in echoes) / len(echoes)
    assert lost == pytest.approx(USUAL.echo_lost + USUAL.wake_lost, rel=0.25)
    assert false == pytest.approx(USUAL.echo_outlier, rel=0.25)


def test_a_storm_wets_the_sensors_and_a_blackout_leaves_one_hanging() -> None:
    hours = 3_600_000
    storm = series("storm", 8.0)["inlet"]
    dumb = [int(r.values["weir_echoes"]) for r in storm
            if LIFE_MS + 2 * hours <= int(r.values["ts"]) < LIFE_MS + 5 * hours
            and "weir_echoes" in r.values]  # fmt: skip
    assert median(dumb) < 10
    hung = [r.values.get("weir_distance_m") for r in series("blackout", 8.0)["fields"]
            if LIFE_MS - 29 * hours <= int(r.values["ts"]) < LIFE_MS - 7 * hours]  # fmt: skip
    assert len(set(hung)) == 1


def test_silent_instruments_tell_the_truth_to_the_millimetre() -> None:
    for row in rows(SITE, "calm", 1, 1.0, noise=SILENT, nodes=["outlet", "pool"]):
        if row.node == "pool":
            level_m = (float(row.values["loop_current_ma"]) - 4.0) / 16.0 * 3.0
            assert level_m == pytest.approx(row.truth["level_m"], abs=0.0002)
        else:
            stage = stage_m(row)
            assert stage is not None
            assert stage == pytest.approx(row.truth["stage_m"], abs=0.0015)
