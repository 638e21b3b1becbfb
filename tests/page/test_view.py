# SPDX-License-Identifier: MIT
"""What the front screen says about water, silence and loss."""

from pathlib import Path

import pytest
from stores_made import DAY, HOUR, MIN, NOW, alarm, flow, living, open_for_writing, plan_of, put

from kahriz_gateway.page import labels, queries
from kahriz_gateway.page.format import midnight
from kahriz_gateway.page.quantities import DISCHARGE
from kahriz_gateway.page.stores import village
from kahriz_gateway.page.view import Now, capacity_m3, look
from kahriz_gateway.page.words import speech
from kahriz_gateway.village.store import Value
from kahriz_water.plan import Plan

PLAN: Plan = plan_of()


def seen(data: Path, now_ms: int = NOW) -> Now:
    with village(data) as conn:
        return look(conn, PLAN, now_ms)


def steady(
    lps: float, start: int, end: int, quantity: str = "discharge_lps", step: int = 5 * MIN
) -> list[Value]:
    return [Value("outlet", quantity, ts, lps, None, 1) for ts in range(start, end, step)]


def test_a_kahriz_at_work_is_normal(tmp_path: Path) -> None:
    living(tmp_path)
    now = seen(tmp_path)
    assert now.status == "normal"
    assert now.main.point.id == "outlet"
    assert now.main.chief is not None
    assert now.main.chief.value == pytest.approx(12, abs=0.6)


def test_a_leak_asks_to_act(tmp_path: Path) -> None:
    living(tmp_path, leak=True)
    now = seen(tmp_path)
    assert now.status == "act"
    assert [a.alarm.place for a in now.alarms] == ["upper"]
    assert now.alarms[0].silent_since is None


def test_other_alarms_ask_to_watch(tmp_path: Path) -> None:
    living(tmp_path)
    alarm(tmp_path, "fouled_weir", "middle", raised=NOW - HOUR, lps=None, m3=None)
    assert seen(tmp_path).status == "watch"


def test_a_closed_alarm_is_not_open(tmp_path: Path) -> None:
    living(tmp_path)
    alarm(tmp_path, raised=NOW - 2 * HOUR, closed=NOW - HOUR)
    assert seen(tmp_path).status == "normal"


def test_silence_is_never_normal(tmp_path: Path) -> None:
    living(tmp_path)
    now = seen(tmp_path, NOW + 2 * HOUR)
    assert now.status == "none"
    assert labels.status(speech("en"), now) == "No data since 11:00"


def test_one_silent_point_is_watched(tmp_path: Path) -> None:
    living(tmp_path)
    conn = open_for_writing(tmp_path)
    conn.execute("DELETE FROM value WHERE point='pool' AND ts > ?", (NOW - 3 * HOUR,))
    conn.close()
    now = seen(tmp_path)
    assert now.status == "watch"
    assert "Pool" in labels.reason(speech("en"), now, PLAN)


def test_a_mute_sensor_is_told_apart_from_a_silent_node(tmp_path: Path) -> None:
    living(tmp_path)
    conn = open_for_writing(tmp_path)
    conn.execute(
        "DELETE FROM value WHERE point='middle' AND quantity LIKE 'discharge%' AND ts > ?",
        (NOW - 40 * MIN,),
    )
    conn.close()
    middle = next(p for p in seen(tmp_path).points if p.point.id == "middle")
    assert (middle.mute, middle.stale) == (True, False)


def test_an_alarm_outlives_its_sensor(tmp_path: Path) -> None:
    living(tmp_path, leak=True)
    now = seen(tmp_path, NOW + 6 * HOUR)
    assert now.status == "act"
    assert "Leak; silent since" in labels.alarm_silence(speech("en"), now.alarms[0], now.at)


def test_water_below_the_weirs_range_is_a_bound_and_never_zero(tmp_path: Path) -> None:
    put(tmp_path, steady(12, NOW - DAY, NOW - HOUR))
    put(tmp_path, steady(1.2, NOW - HOUR, NOW, "discharge_lt_lps"))
    chief = seen(tmp_path).main.chief
    assert chief is not None
    assert chief.bound == "below"
    assert labels.number(speech("az"), chief) == "1,2\u00a0l/san-dan az"


def test_too_little_to_be_measured_is_watched_and_said_so(tmp_path: Path) -> None:
    living(tmp_path)
    put(tmp_path, [Value("outlet", "discharge_lt_lps", NOW - MIN, 1.2, None, 3)])
    now = seen(tmp_path)
    assert now.status == "watch"
    assert "So little water" in labels.reason(speech("en"), now, PLAN)


def test_a_failed_reading_is_never_shown(tmp_path: Path) -> None:
    put(tmp_path, steady(12, NOW - HOUR, NOW - 10 * MIN))
    put(tmp_path, [Value("outlet", "discharge_lps", NOW - MIN, 400.0, None, 4)])
    chief = seen(tmp_path).main.chief
    assert chief is not None
    assert chief.value == 12


def test_a_suspect_reading_is_shown_and_watched(tmp_path: Path) -> None:
    living(tmp_path)
    put(tmp_path, [Value("outlet", "discharge_lps", NOW - MIN, 14.0, None, 3)])
    now = seen(tmp_path)
    assert now.main.chief is not None
    assert (now.main.chief.q, now.status) == (3, "watch")


def test_todays_water_begins_at_midnight_in_baku(tmp_path: Path) -> None:
    put(tmp_path, steady(10, NOW - DAY, NOW))
    today = seen(tmp_path).today
    assert today is not None
    assert today.m3 == pytest.approx(10 * (NOW - midnight(NOW)) / 1e6, rel=1e-6)
    assert (today.missing_ms, today.most_m3) == (0, today.m3)


def test_what_was_not_measured_is_not_counted_and_said(tmp_path: Path) -> None:
    start = midnight(NOW)
    put(tmp_path, steady(10, start, start + 2 * HOUR) + steady(10, start + 6 * HOUR, NOW))
    today = seen(tmp_path).today
    assert today is not None
    assert today.missing_ms == pytest.approx(4 * HOUR, abs=15 * MIN)
    assert today.m3 == pytest.approx(10 * (NOW - start - today.missing_ms) / 1e6, rel=1e-6)


def test_a_bounded_day_is_at_least(tmp_path: Path) -> None:
    start = midnight(NOW)
    put(tmp_path, steady(30, start, NOW, "discharge_gt_lps"))
    today = seen(tmp_path).today
    assert today is not None
    assert today.most_m3 is None
    assert labels.volume(speech("en"), today) == "at least 1\u00a0197"


def test_a_day_partly_below_the_weirs_range_is_a_range(tmp_path: Path) -> None:
    start = midnight(NOW)
    low = steady(1.2, start, start + 5 * HOUR, "discharge_lt_lps")
    put(tmp_path, low + steady(10, start + 5 * HOUR, NOW))
    today = seen(tmp_path).today
    assert today is not None
    assert labels.volume(speech("az"), today) == "219…241"


def test_systematic_uncertainty_does_not_shrink_by_adding_up(tmp_path: Path) -> None:
    put(tmp_path, flow("outlet", 12, NOW - DAY, NOW))
    today = seen(tmp_path).today
    assert today is not None
    assert today.u_m3 / today.m3 == pytest.approx(0.45 / 12, rel=0.02)


def test_what_each_reading_has_alone_does_shrink_by_adding_up(tmp_path: Path) -> None:
    noisy = [v._replace(u=0.5, u_random=0.4) for v in flow("outlet", 12, NOW - DAY, NOW)]
    put(tmp_path, noisy)
    today = seen(tmp_path).today
    assert today is not None
    assert today.u_m3 / today.m3 == pytest.approx(0.3 / 12, rel=0.03), "only the shared part stays"
    assert labels.volume_uncertainty(speech("en"), today) == f"±\u00a0{today.u_m3:.0f}"


def test_a_pool_is_full_at_its_spill(tmp_path: Path) -> None:
    pool = PLAN.point("pool")
    assert pool is not None
    assert capacity_m3(pool) == pytest.approx(725)
    put(tmp_path, [Value("pool", "volume_m3", NOW - MIN, 733.0, None, 1)])
    found = next(p for p in seen(tmp_path).points if p.point.id == "pool")
    assert (found.percent, found.spilling) == (100.0, True), "101 % of a pool is a spill"


@pytest.mark.parametrize("kind", ["leak", "collapse", "blockage", "pool_leak", "tapping"])
def test_water_that_is_lost_or_stays_away_asks_to_act(tmp_path: Path, kind: str) -> None:
    living(tmp_path)
    alarm(tmp_path, kind, raised=NOW - HOUR)
    assert seen(tmp_path).status == "act"


def test_a_clock_in_the_past_is_told(tmp_path: Path) -> None:
    living(tmp_path)
    now = seen(tmp_path, NOW - 30 * DAY)
    assert now.main.chief is not None
    assert "ahead of the clock" in speech("en").age(now.at - now.main.chief.ts)


def test_a_year_of_a_ten_year_store_costs_as_much_as_of_a_one_year_store(tmp_path: Path) -> None:
    steps = []
    for name, years in (("one", 1), ("ten", 10)):
        data = tmp_path / name
        data.mkdir()
        put(data, steady(12, NOW - years * 366 * DAY, NOW, step=HOUR))
        with village(data) as conn:
            count = [0]
            conn.set_progress_handler(lambda c=count: c.__setitem__(0, c[0] + 1), 1000)
            found = queries.buckets(conn, "outlet", DISCHARGE, (NOW - 365 * DAY, NOW), DAY)
            steps.append(count[0])
        assert 364 <= len(found) <= 367
    assert steps[1] <= 1.1 * steps[0]
