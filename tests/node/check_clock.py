# SPDX-License-Identifier: MIT
"""What time it is, from an RTC that drifts and forgets."""

import json
import random

from kahriz_node.clock import Clock, rtc_ms

HOUR = 3600000
TRUE = 1764000000000


class World:
    """True time and an RTC that drifts by `ppm`."""

    def __init__(self, ppm, state=None):
        self.true = TRUE
        self.rtc = 946684800000  # power-on: 1 January 2000
        self.ppm = ppm
        self.state = {} if state is None else state

    def go(self, ms):
        self.true += ms
        self.rtc += ms - ms * self.ppm // 1000000

    def clock(self):
        self.state = json.loads(json.dumps(self.state))  # through RTC memory
        return Clock(self.state, self.rtc)

    def sync(self, error_ms=0):
        self.clock().sync(self.true + error_ms, self.rtc, abs(error_ms) + 5)

    def off(self):
        """How far the clock is off, and its word on itself."""
        ts, tq = self.clock().read(self.rtc)
        return abs(ts - self.true), tq


def test_the_epoch_of_the_port_is_known_in_one_place():
    assert rtc_ms(5000000000, 1970) == 5000
    assert rtc_ms(5000000000, 2000) == 946684805000


def test_before_the_first_sync_the_time_is_unknown():
    world = World(20000)
    assert world.clock().read(world.rtc) is None
    world.go(HOUR)
    assert world.clock().read(world.rtc) is None


def test_up_time_counts_from_power_on_and_survives_sleep():
    world = World(0)
    world.clock()
    world.go(301000)
    assert world.clock().up_s(world.rtc) == 301


def test_with_unknown_drift_the_time_is_soon_an_estimate():
    world = World(50000)
    world.sync()
    world.go(20000)
    assert world.off() == (1000, None)
    world.go(280000)
    off, word = world.off()
    assert word == "est"
    assert off <= 15000


def test_two_syncs_teach_the_drift():
    for ppm in (-50000, -6000, 0, 22000, 50000):
        world = World(ppm)
        world.sync()
        world.go(HOUR)
        world.sync()
        world.go(HOUR)
        off, word = world.off()
        assert word is None
        assert off <= 2000, (ppm, off)


def test_a_day_offline_at_two_percent_is_under_a_minute_off_and_says_so():
    world = World(20000)
    for _ in range(3):
        world.sync(random.randint(-20, 20))
        world.go(HOUR)
    world.sync()
    world.ppm += 300  # the night is colder
    world.go(24 * HOUR)
    off, word = world.off()
    assert word == "est"
    assert off <= 60000


def test_syncs_close_together_wait_until_drift_can_be_measured():
    world = World(30000)
    for _ in range(7):
        world.sync()
        world.go(300000)
    off, word = world.off()
    assert word is None
    assert off <= 2000


def test_a_set_gateway_clock_is_not_taken_for_drift():
    world = World(5000)
    world.sync()
    world.go(HOUR)
    world.sync()
    drift = world.state["drift"]
    world.go(HOUR)
    world.sync(24 * HOUR)  # somebody set the gateway's clock
    assert world.state["drift"] == drift


def test_power_loss_makes_the_time_unknown():
    world = World(0)
    world.sync()
    world.state = {}
    world.rtc = 946684800000
    assert world.clock().read(world.rtc) is None


def test_an_rtc_that_ran_backwards_is_not_believed():
    world = World(0)
    world.go(HOUR)
    world.sync()
    world.clock()
    world.rtc -= HOUR
    assert world.clock().read(world.rtc) is None


def test_readings_between_two_syncs_are_interpolated():
    world = World(20000)
    world.sync()
    stamps = []
    for _ in range(24):
        world.go(HOUR)
        ts, tq = world.clock().read(world.rtc)
        stamps.append((world.true, ts, tq))
    assert abs(stamps[-1][0] - stamps[-1][1]) > 1000000  # drift was never measured
    world.sync()
    clock = world.clock()
    for true, ts, tq in stamps:
        right, word = clock.correct(ts, tq)
        assert abs(right - true) <= 1000
        assert word == "est"


def test_a_stretch_that_was_right_at_its_end_counts_as_synced():
    world = World(20000)
    world.sync()
    world.go(HOUR)
    world.sync()
    world.go(3 * HOUR)
    ts, tq = world.clock().read(world.rtc)
    assert tq == "est"
    world.sync()
    assert world.clock().correct(ts, tq)[1] is None


def test_a_synced_stamp_is_never_corrected():
    world = World(20000)
    world.sync()
    world.go(HOUR)
    world.sync()
    assert world.clock().correct(TRUE + 5, None) == (TRUE + 5, None)


def test_whatever_happens_the_clock_knows_how_wrong_it_is():
    """Drift to 5 %, reboots, outages, late answers: synced is right to 2 s, and never 1970."""
    for seed in range(40):
        random.seed(seed)
        world = World(random.randint(-50000, 50000))
        for _ in range(200):
            world.go(random.choice((300000, 300000, HOUR, 5 * HOUR)))
            chance = random.randint(0, 99)
            if chance < 2:  # brown-out
                world.state = {}
                world.rtc = 946684800000
            elif chance < 40:
                world.ppm += random.randint(-40, 40)  # the weather
                world.sync(random.randint(-500, 500))
            now = world.clock().read(world.rtc)
            if now is None:
                continue
            ts, tq = now
            assert ts > TRUE - HOUR
            if tq is None:
                assert abs(ts - world.true) <= 2000, (seed, ts - world.true)
