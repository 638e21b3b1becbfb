# SPDX-License-Identifier: MIT
"""Each scenario does to the water what its truth says, and nothing else."""

from functools import cache

import pytest

from kahriz_sim.noise import SILENT
from kahriz_sim.scenario import SCENARIOS, load_scenario
from kahriz_sim.series import Row, rows

SITES = ("banovshalar-gozlu", "baharli-valibay")
NAMES = {"calm", "leak", "collapse", "blockage", "tapping", "drought", "storm", "blackout",
         "fouled_weir"}  # fmt: skip
HISTORY_DAYS = 3.0
LIFE_MS = 1_746_057_600_000 + 3 * 86_400_000
HOUR_MS = 3_600_000


@cache
def run(site: str, scenario: str, days: float = 5.0) -> dict[str, list[Row]]:
    series: dict[str, list[Row]] = {}
    for row in rows(site, scenario, 5, days, events_from_day=HISTORY_DAYS, noise=SILENT):
        series.setdefault(row.node, []).append(row)
    return series


def lps(site: str, scenario: str, point: str, from_h: float, to_h: float) -> list[float]:
    """True discharge at a point between two hours of life."""
    return [
        row.truth["discharge_lps"]
        for row in run(site, scenario)[point]
        if LIFE_MS + from_h * HOUR_MS <= row.values["ts"] < LIFE_MS + to_h * HOUR_MS  # type: ignore[operator]
    ]


def mean(values: list[float]) -> float:
    assert values
    return sum(values) / len(values)


def loss(site: str, scenario: str, reach: str, from_h: float, to_h: float) -> float:
    up, down = {"upper": ("outlet", "middle"), "lower": ("middle", "inlet")}[reach]
    above = mean(lps(site, scenario, up, from_h - 0.5, to_h - 0.5))
    return above - mean(lps(site, scenario, down, from_h, to_h))


@pytest.fixture(params=SITES)
def site(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_all_scenarios_are_there_and_say_their_truth() -> None:
    assert {path.stem for path in SCENARIOS.glob("*.toml")} == NAMES
    for name in NAMES:
        assert load_scenario(name).truth.endswith((".", "leak."))


def test_in_calm_water_each_reach_loses_a_little_and_always_the_same(site: str) -> None:
    for reach in ("upper", "lower"):
        days = [loss(site, "calm", reach, h, h + 24.0) for h in (-60.0, -36.0, -12.0, 12.0)]
        assert min(days) > 0.1
        assert max(days) < 0.8
        assert max(days) - min(days) < 0.15


def test_calm_is_not_dead_turns_taps_and_sun_go_on(site: str) -> None:
    calm = run(site, "calm")
    fields = [row.truth["discharge_lps"] for row in calm["fields"]]
    assert min(fields) == pytest.approx(0.0, abs=0.01)
    assert 15.0 <= max(fields) <= 32.0
    levels = [row.truth["level_m"] for row in calm["pool"]]
    assert max(levels) - min(levels) > 0.5
    air = [float(row.values["air_c"]) for row in calm["inlet"] if "air_c" in row.values]
    assert max(air) - min(air) > 8.0
    if "tank" in calm:
        tank = [row.truth["level_m"] for row in calm["tank"]]
        assert 0.1 < max(tank) - min(tank) < 1.0


def test_a_leak_takes_its_litres_from_its_reach_alone(site: str) -> None:
    more = loss(site, "leak", "upper", 6.0, 30.0) - loss(site, "calm", "upper", 6.0, 30.0)
    assert more == pytest.approx(2.0, abs=0.1)
    same = loss(site, "leak", "lower", 6.0, 30.0) - loss(site, "calm", "lower", 6.0, 30.0)
    assert abs(same) < 0.1
    assert lps(site, "leak", "outlet", -24.0, 40.0) == lps(site, "calm", "outlet", -24.0, 40.0)


def test_a_collapse_takes_two_thirds_from_both_weirs(site: str) -> None:
    before = mean(lps(site, "calm", "outlet", 0.0, 1.0))
    assert mean(lps(site, "collapse", "outlet", 2.0, 3.0)) < 0.5 * before
    for point in ("outlet", "middle"):
        kept = mean(lps(site, "collapse", point, 20.0, 40.0))
        assert kept == pytest.approx(0.35 * before, rel=0.15)


def test_a_blockage_steps_down_and_creeps_back(site: str) -> None:
    before = mean(lps(site, "calm", "outlet", 0.0, 1.0))
    early = mean(lps(site, "blockage", "outlet", 4.0, 6.0))
    late = mean(lps(site, "blockage", "outlet", 44.0, 48.0))
    assert 0.65 * before < early < 0.80 * before
    assert early < late < before


def test_tapping_comes_at_night_and_goes_again(site: str) -> None:
    # Life begins at 04:00 by the village clock: 20:00 UTC is midnight there.
    assert loss(site, "tapping", "lower", 20.0, 21.0) > 3.0
    assert loss(site, "tapping", "lower", 10.0, 14.0) < 0.6
    assert loss(site, "tapping", "upper", 20.0, 21.0) < 0.8


def test_drought_lowers_both_weirs_together() -> None:
    dry, calm = run(SITES[0], "drought", 30.0), run(SITES[0], "calm", 30.0)
    for point in ("outlet", "middle", "inlet"):
        left = dry[point][-1].truth["discharge_lps"] / calm[point][-1].truth["discharge_lps"]
        assert left == pytest.approx(0.87, abs=0.02)


def test_a_storm_rises_fast_falls_slowly_and_leaves_debris(site: str) -> None:
    calm, storm = (
        mean(lps(site, "calm", "outlet", 4.0, 8.0)),
        lps(site, "storm", "outlet", 4.0, 8.0),
    )
    assert max(storm) > 1.4 * calm
    assert mean(lps(site, "storm", "outlet", 40.0, 48.0)) < 1.25 * calm


def test_a_blackout_is_calm_water(site: str) -> None:
    for point in ("outlet", "middle", "inlet"):
        blackout = {row.values["ts"]: row.truth for row in run(site, "blackout")[point]}
        calm = {row.values["ts"]: row.truth for row in run(site, "calm")[point]}
        assert set(blackout) <= set(calm)
        assert all(truth == calm[ts] for ts, truth in blackout.items())
    assert len(run(site, "blackout")["middle"]) < len(run(site, "calm")["middle"])


def test_a_leaf_lifts_the_stage_and_not_the_water(site: str) -> None:
    fouled, calm = run(site, "fouled_weir")["middle"], run(site, "calm")["middle"]
    lift = [
        (a.values["ts"], 1000.0 * (a.truth["stage_m"] - b.truth["stage_m"]))
        for a, b in zip(fouled, calm, strict=True)
    ]
    assert lps(site, "fouled_weir", "inlet", -60.0, 40.0) == lps(site, "calm", "inlet", -60.0, 40.0)
    during = [mm for _, mm in lift if mm > 0.0]
    assert min(during) == pytest.approx(2.0, abs=0.1)
    assert max(during) == pytest.approx(15.0, abs=0.1)
    assert len(during) == 72 * 12
    assert all(mm == 0.0 for ts, mm in lift if ts >= LIFE_MS + 3 * HOUR_MS)  # type: ignore[operator]
