# SPDX-License-Identifier: MIT
"""No litre appears or vanishes: storage change + outflows = inflow, whatever happens."""

import math

from hypothesis import given, settings
from hypothesis import strategies as st

from kahriz_sim.channel import Reach, ReachPlan
from kahriz_sim.forcing import Forcing
from kahriz_sim.gallery import GalleryPlan
from kahriz_sim.plan import NodePlan, SitePlan
from kahriz_sim.pool import PoolPlan
from kahriz_sim.scenario import Blockage, Collapse, Drought, Event, Leak, Storm, Tapping
from kahriz_sim.turns import TurnPlan
from kahriz_sim.village import TankPlan
from kahriz_sim.water import Water
from kahriz_sim.weather import Weather

START_MS = 1_746_057_600_000
TOLERANCE_M3 = 1e-9  # a thousandth of a millilitre

shares = st.floats(0.0, 1.0)
reaches = st.builds(
    ReachPlan,
    length_m=st.floats(50.0, 3000.0),
    travel_s=st.floats(60.0, 6000.0),
    usual_lps=st.floats(0.5, 130.0),
    seepage_lps_per_km=st.floats(0.0, 5.0),
    evaporation_lps_per_km=st.floats(0.0, 0.5),
)
turns = st.builds(
    TurnPlan, start_h=st.floats(0.0, 24.0), hours=st.floats(0.5, 20.0), lps=st.floats(1.0, 60.0)
)
plans = st.builds(
    SitePlan,
    id=st.just("anywhere"),
    gallery=st.builds(
        GalleryPlan,
        base_lps=st.floats(0.5, 130.0),
        season_share=st.floats(0.0, 0.5),
        silting_per_month=st.floats(0.0, 0.05),
        storm_share=st.floats(0.0, 0.5),
        empty_s=st.floats(30.0, 5000.0),
    ),
    upper=reaches,
    lower=reaches,
    field=reaches,
    pool=st.builds(
        PoolPlan,
        area_m2=st.floats(20.0, 1000.0),
        spill_m=st.floats(0.5, 3.0),
        start_m=st.floats(0.0, 4.0),
        spill_width_m=st.floats(0.1, 5.0),
    ),
    turns=st.tuples(turns, turns),
    nodes=st.just((NodePlan("outlet", "ultrasonic", 0.8),)),
    tank=st.none()
    | st.builds(
        TankPlan,
        area_m2=st.floats(2.0, 100.0),
        full_m=st.just(2.6),
        fill_lps=st.floats(0.1, 20.0),
        households=st.integers(1, 3000),
        start_m=st.floats(0.0, 3.5),
    ),
)
at = st.floats(-1.0, 12.0)
lengths = st.floats(12.5, 500.0)
sides = st.sampled_from(["upper", "lower"])
events = st.lists(
    st.one_of(
        st.builds(Leak, reach=sides, lps=st.floats(0.0, 200.0), at_h=at, to_h=lengths),
        st.builds(
            Tapping,
            reach=sides,
            lps=st.floats(0.0, 200.0),
            from_hour=st.floats(0.0, 24.0),
            hours=st.floats(0.5, 24.0),
            at_h=at,
            to_h=lengths,
        ),
        st.builds(Blockage, opening=shares, creep_per_day=shares, at_h=at, to_h=lengths),
        st.builds(Collapse, kept=shares, at_h=at, to_h=lengths),
        st.builds(Drought, per_month=st.floats(0.0, 3.0), at_h=at, to_h=lengths),
        st.builds(
            Storm,
            peak=st.floats(0.0, 5.0),
            rise_h=st.floats(0.1, 10.0),
            fall_h=st.floats(1.0, 100.0),
            at_h=at,
            to_h=lengths,
        ),
    ),
    max_size=5,
)


@settings(max_examples=120, deadline=None)
@given(plans, events, st.integers(0, 2**32), st.floats(1.0, 60.0), st.integers(0, 300))
def test_storage_change_and_outflows_make_up_the_inflow(
    plan: SitePlan, happenings: list[Event], seed: int, dt_s: float, day: int
) -> None:
    start_ms = START_MS + day * 86_400_000
    weather = Weather(seed)
    water = Water(plan, Forcing(tuple(happenings), start_ms), weather, seed)
    stored_first = stored = water.stored_m3
    came = went = 0.0
    for step in range(120):
        # Each step jumps half an hour of weather and events, and moves dt_s of water.
        water.step(start_ms + step * 1_800_000, dt_s)
        came_now, went_now = sum(water.books.came.values()), sum(water.books.went.values())
        change = water.stored_m3 - stored
        assert math.isclose(
            change + went_now - went, came_now - came, rel_tol=1e-9, abs_tol=TOLERANCE_M3
        )
        stored, came, went = water.stored_m3, came_now, went_now
        assert min(*water.upper.cells_m3, *water.lower.cells_m3, *water.field.cells_m3) >= 0.0
        assert min(water.gallery.volume_m3, water.pool.volume_m3) >= 0.0
        assert min(water.discharge_m3s.values()) >= 0.0
        if water.tank:
            assert water.tank.volume_m3 >= 0.0
    total = water.stored_m3 - stored_first + went - came
    assert abs(total) <= 1e-9 * max(1.0, stored_first + came)


@given(reaches, st.floats(1.0, 60.0), st.floats(0.0, 0.2))
def test_a_reach_passes_on_what_it_neither_loses_nor_keeps(
    plan: ReachPlan, dt_s: float, inflow_m3s: float
) -> None:
    reach = Reach(plan)
    before = reach.volume_m3
    passed = reach.step(inflow_m3s * dt_s, dt_s, 1.0, (0.001, 0.002))
    gone = passed.out_m3 + passed.seeped_m3 + passed.evaporated_m3 + sum(passed.taken_m3)
    assert math.isclose(before + inflow_m3s * dt_s, reach.volume_m3 + gone, rel_tol=1e-12)


def test_a_wave_needs_the_travel_time_of_the_reach() -> None:
    reach = Reach(ReachPlan(900.0, 1800.0, 12.0, 0.0, 0.0))
    for _ in range(600):
        reach.step(0.012 * 60.0, 60.0)
    late_m3 = 0.0
    for _ in range(600):
        late_m3 += 0.024 * 60.0 - reach.step(0.024 * 60.0, 60.0).out_m3
    # What is under way of the additional 12 L/s is 12 L/s times the travel time.
    assert abs(late_m3 / 0.012 - 1800.0) < 1.0
