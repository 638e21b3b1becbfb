# SPDX-License-Identifier: MIT
"""When the radio goes on, and how long the node sleeps."""

from kahriz_node import policy

HOUR = 3600000
MINUTE = 60000
TRUE = 1764000000000


class Config:
    dt_s = 300
    batch = 12
    phase_s = 600
    radio_above_mv = 3000
    deadline_ms = 8000
    radio_j_per_day = 60


def days_of_uploads(answers, hours, cause="timer"):
    """Hours after the start at which the radio went on; `answers(hour)` tells what came of it."""
    state = {}
    went = []
    for wake in range(hours * 12):
        rtc = wake * 5 * MINUTE
        policy.begin(state, "power_on" if wake == 0 else cause, rtc)
        if policy.due(state, Config, "timer", rtc, TRUE + rtc, 3300):
            went.append(rtc / HOUR)
            policy.note(state, Config, answers(rtc / HOUR), rtc, TRUE + rtc, 2000)
    return went


def test_after_a_cold_boot_every_reading_goes_out_for_half_an_hour():
    went = days_of_uploads(lambda hour: True, 1)
    assert [hour for hour in went if hour < 0.5] == [i / 12 for i in range(6)]


def test_later_one_upload_an_hour():
    went = [hour for hour in days_of_uploads(lambda hour: True, 48) if hour >= 1]
    assert 46 <= len(went) <= 48
    assert all(abs(went[i + 1] - went[i] - 1) < 0.01 for i in range(len(went) - 1))


def test_nodes_of_different_phase_upload_at_different_times():
    class Other(Config):
        phase_s = 1200

    changes = []
    for config in (Config, Other):
        slots = [policy.slot(config, TRUE + i * 5 * MINUTE) for i in range(13)]
        changes.append(next(i for i in range(1, 13) if slots[i] != slots[i - 1]))
    assert changes[0] != changes[1]


def test_a_dead_gateway_is_asked_after_1_2_4_8_and_8_hours():
    went = days_of_uploads(lambda hour: False, 32)
    assert went == [0, 1, 3, 7, 15, 23, 31]


def test_one_answer_ends_the_back_off():
    went = days_of_uploads(lambda hour: hour > 2, 12)
    assert [hour for hour in went if hour <= 3] == [0, 1, 3]
    later = [hour for hour in went if hour > 3]
    assert len(later) == 9
    assert later[0] <= 4


def test_the_button_uploads_whatever_happened_before():
    state = {"fails": 3, "retry": 8 * HOUR, "rows": 1}
    assert policy.due(state, Config, "button", HOUR, TRUE, 2500)


def test_below_the_battery_limit_the_radio_stays_off():
    assert not policy.due({"rows": 50}, Config, "timer", HOUR, TRUE, 2999)
    assert policy.due({"rows": 50}, Config, "timer", HOUR, TRUE, 3000)


def test_with_unknown_time_a_full_batch_is_sent():
    assert not policy.due({"rows": 11}, Config, "timer", HOUR, None, 3300)
    assert policy.due({"rows": 12}, Config, "timer", HOUR, None, 3300)


def test_readings_are_taken_on_multiples_of_dt():
    begin = TRUE // 300000 * 300000
    assert policy.nap_ms(Config, begin + 4200, 4200) == 295800


def test_a_node_that_woke_a_little_early_does_not_wake_twice():
    begin = TRUE // 300000 * 300000
    assert policy.nap_ms(Config, begin - 4000, 4200) == 304000


def test_with_unknown_time_the_nap_follows_the_wake():
    assert policy.nap_ms(Config, None, 4200) == 295800
    assert policy.nap_ms(Config, None, 400000) == 30000


def test_a_dead_gateway_costs_no_more_joules_than_a_day_may_have():
    state = {}
    spent_ms = [0] * 10
    for wake in range(10 * 288):
        rtc = wake * 5 * MINUTE
        policy.begin(state, "timer", rtc)
        if policy.due(state, Config, "timer", rtc, TRUE + rtc, 3300):
            spent_ms[rtc // (24 * HOUR)] += 16000
            state["fails"] = 0  # as if there were no back-off
            policy.note(state, Config, True, rtc, TRUE + rtc, 16000)
    assert max(spent_ms) * policy.RADIO_MW <= Config.radio_j_per_day * 1000000
    assert min(spent_ms) > 0


def test_with_its_back_off_a_dead_access_point_takes_under_15_joules_a_day():
    state = {}
    days = [0] * 3
    for wake in range(3 * 288):
        rtc = wake * 5 * MINUTE
        policy.begin(state, "power_on" if wake == 0 else "timer", rtc)
        if policy.due(state, Config, "timer", rtc, None, 3300):
            ms = 60 + 2 * 2100  # the radio starts, two scans find nothing
            days[rtc // (24 * HOUR)] += ms * policy.RADIO_MW // 1000
            policy.note(state, Config, False, rtc, None, ms)
    assert max(days) <= 15000


WEIR = [("weir", {"burst_mm_per_min": 2}), ("air", {})]


def moved(*readings, minutes=5):
    """Whether a hurry came of readings, one a few minutes after the other."""
    state = {}
    for number, reading in enumerate(readings):
        policy.watch(state, WEIR, {"weir": reading}, number * minutes * MINUTE)
    return bool(state.get("hurry"))


def test_a_stage_that_moves_faster_than_its_rate_is_told_at_once():
    assert moved({"distance_m": 6500}, {"distance_m": 6400})  # 10 mm in 5 minutes
    assert moved({"distance_m": 6400}, {"distance_m": 6500})
    assert not moved({"distance_m": 6500}, {"distance_m": 6401})
    assert moved({"distance_m": 6500}, {"distance_m": 6440}, minutes=3)


def test_a_fault_between_two_readings_is_no_burst():
    assert not moved({"distance_m": 6500}, "no_echo", {"distance_m": 6450})
    assert moved({"distance_m": 6500}, "no_echo", {"distance_m": 6200})


def test_a_hurry_leaves_half_of_the_joules_to_the_hours():
    state = {"rows": 1, "hurry": 1, "radio": [0, 50000]}
    assert policy.due(state, Config, "timer", HOUR, None, 3300)
    state["radio"] = [0, 70000]
    assert not policy.due(state, Config, "timer", HOUR, None, 3300)
    state["rows"] = 12
    assert policy.due(state, Config, "timer", HOUR, None, 3300)


def test_a_hurry_lasts_until_the_gateway_has_the_leap_and_what_confirms_it():
    state = {"hurry": policy.HURRY, "rows": 1}
    policy.note(state, Config, False, HOUR, None, 2000)
    assert state["hurry"] == 2
    policy.note(state, Config, True, 3 * HOUR, None, 2000)
    state["rows"] = 1
    assert policy.due(state, Config, "timer", 3 * HOUR, None, 3300)
    policy.note(state, Config, True, 3 * HOUR, None, 2000)
    state["rows"] = 1
    assert not policy.due(state, Config, "timer", 3 * HOUR, None, 3300)
