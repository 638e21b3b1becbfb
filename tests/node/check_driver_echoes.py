# SPDX-License-Identifier: MIT
"""Ultrasonic drivers: wild echoes, quality, light sleep in between, faults by name."""

import random

from kahriz_node.sensors import SensorError, _echoes, a02yyuw, hrxl, jsn_sr04t

SEEDS = 3000


class Line:
    """A UART at which a sensor speaks every `period_ms`, in a time that the driver lets pass."""

    def __init__(self, period_ms, say, deaf=True):
        self.period_ms = period_ms
        self.say = say
        self.now_ms = 0
        self.heard_ms = 0
        self.dozed_ms = 0
        self.dozes = []
        self.jitter_ms = 0
        self.ends = {}

    def sleep_ms(self, ms):
        self.now_ms += ms

    def doze_ms(self, ms):
        self.dozes.append((self.now_ms, self.now_ms + ms))
        self.now_ms += ms
        self.dozed_ms += ms

    def read(self):
        """What began and ended since the last read, outside the dozes."""
        data = b""
        first = self.heard_ms // self.period_ms + 1
        for k in range(first - 1, self.now_ms // self.period_ms + 2):
            end = self._end_ms(k)
            heard = self.heard_ms < end <= self.now_ms and k > 0
            if heard and not any(a < end and end - 5 < b for a, b in self.dozes):
                data += self.say(k)
        self.heard_ms = self.now_ms
        return data or None

    def _end_ms(self, k):
        """When frame number k ends."""
        if k not in self.ends:
            self.ends[k] = k * self.period_ms + random.randint(0, self.jitter_ms)
        return self.ends[k]


class Power:
    def value(self, level):
        pass


def fault_of(read):
    try:
        value = read(0)
    except SensorError as error:
        return error.fault
    raise AssertionError("read " + repr(value))


def frame(mm):
    return bytes((0xFF, mm >> 8, mm & 0xFF, (0xFF + (mm >> 8) + mm) & 0xFF))


def a02(say, period_ms=100):
    line = Line(period_ms, say)
    return a02yyuw.A02yyuw(line, Power(), line.sleep_ms, line.doze_ms), line


def maxbotix(say, period_ms=148, nearest_mm=300):
    line = Line(period_ms, say)
    return hrxl.Hrxl(line, Power(), nearest_mm, line.sleep_ms, line.doze_ms), line


def jsn(flights):
    rest = list(flights)
    dozes = []

    def ping(limit_us):
        us = rest.pop(0) if rest else -2
        return us if us < limit_us else -1

    return jsn_sr04t.JsnSr04t(ping, None, dozes.append), dozes


def test_a_fifth_of_wild_echoes_moves_the_result_under_a_millimetre():
    """Over many seeds, at several distances and noises; with the good ones alone to compare."""
    random.seed(20)
    for _ in range(SEEDS):
        true = random.randint(400, 40000)
        noise = random.choice((5, 10, 20, 30))
        good = [true + random.randint(-noise, noise) for _ in range(12)]
        wild = [random.randint(300, 45000) for _ in range(3)]
        mixed = good + wild
        result = _echoes.summary(mixed)
        clean = _echoes.summary(good)
        assert abs(result["distance_m"] - clean["distance_m"]) < 10, mixed
        assert abs(result["distance_m"] - true) < noise + 10, mixed
        assert 10 <= result["echoes"] <= 15, mixed


def test_wild_echoes_on_one_side_are_no_worse():
    random.seed(21)
    for _ in range(SEEDS):
        good = [7000 + random.randint(-15, 15) for _ in range(12)]
        side = random.choice(((300, 6900), (7100, 45000)))
        mixed = good + [random.randint(*side) for _ in range(3)]
        moved = _echoes.summary(mixed)["distance_m"] - _echoes.summary(good)["distance_m"]
        assert abs(moved) < 10, mixed


def test_the_spread_tells_a_calm_water_from_a_wavy_one():
    random.seed(22)
    calm = [7000 + random.randint(-5, 5) for _ in range(15)]
    wavy = [7000 + random.randint(-200, 200) for _ in range(15)]
    assert _echoes.summary(calm)["spread_m"] < 6
    assert _echoes.summary(wavy)["spread_m"] > 60
    assert _echoes.summary([7000] * 15) == {"distance_m": 7000, "spread_m": 0, "echoes": 15}


def test_echoes_of_two_waters_are_scatter_and_no_mean_of_both():
    assert fault_of(lambda _: _echoes.summary([7000] * 4 + [9000] * 4)) == "scatter"
    steps = [7000 + 300 * k for k in range(15)]
    assert fault_of(lambda _: _echoes.summary(steps)) == "scatter"


def test_the_longest_distance_does_not_outgrow_the_numbers_of_the_chip():
    assert _echoes.summary([65000] * 14 + [65535])["distance_m"] == 65000


def test_a02yyuw_sleeps_lightly_between_the_frames_and_loses_none():
    driver, line = a02(lambda k: frame(651 + k % 2))
    assert driver.read(0)["echoes"] == 15
    assert line.now_ms <= 2100  # 300 ms of warm-up and 15 frames, two of them in the warm-up
    assert line.dozed_ms > 0.6 * line.now_ms


def test_a_driver_wakes_just_before_each_frame_at_any_pace_of_its_sensor():
    paces = [(a02, lambda k: frame(651), ms) for ms in (85, 97, 100, 103, 115)]
    paces += [(maxbotix, lambda k: b"R1234\r", ms) for ms in (133, 148, 181)]
    for make, say, period_ms in paces:
        driver, line = make(say, period_ms)
        assert driver.read(0)["echoes"] == 15, period_ms
        # one period until the first frame is found, what the first nap is too short by, the leads
        assert line.now_ms - line.dozed_ms <= 2 * period_ms + 14 * 12, period_ms


def test_a_sensor_that_wanders_costs_more_light_but_no_echo_and_no_fault():
    random.seed(23)
    for _ in range(200):
        driver, line = a02(lambda k: frame(651))
        line.jitter_ms = 8
        assert driver.read(0) == {"distance_m": 6510, "spread_m": 0, "echoes": 15}
        assert line.now_ms <= 3500


def test_a02yyuw_takes_a_slow_or_a_fast_sensor_too():
    for period_ms in (90, 110, 200, 300):
        driver, _ = a02(lambda k: frame(651), period_ms)
        assert driver.read(0)["distance_m"] == 6510, period_ms


def test_hrxl_messages_are_read_among_the_power_up_text():
    # PD11500: the sensor introduces itself with text that holds an R, too
    data = b"\rHRXL-MaxSonar-WR\rPN:MB7389\rRoHS 1.8b090  0713\rTempI\rR1234\rR12"
    assert hrxl.messages(data) == ([1234], 5, b"R12")
    assert hrxl.messages(b"R0500\rR5000\r") == ([500, 5000], 0, b"")


def test_hrxl_is_read_in_light_sleep_at_every_rate_of_its_family():
    for period_ms in (133, 148, 158, 166, 181):  # PD11500, timing table
        driver, line = maxbotix(lambda k: b"R1234\r", period_ms)
        assert driver.read(0) == {"distance_m": 12340, "spread_m": 0, "echoes": 15}, period_ms
        assert line.dozed_ms > 0.5 * line.now_ms, period_ms
        assert line.now_ms <= 4200, period_ms


def test_hrxl_without_a_target_or_too_near_is_no_echo():
    for text in (b"R5000\r", b"R9999\r", b"R0300\r", b"R0000\r"):
        assert fault_of(maxbotix(lambda k, text=text: text)[0].read) == "no_echo", text
    assert fault_of(maxbotix(lambda k: b"R0500\r", nearest_mm=500)[0].read) == "no_echo"
    assert maxbotix(lambda k: b"R0500\r")[0].read(0)["distance_m"] == 5000


def test_hrxl_that_babbles_is_a_checksum_fault_and_a_silent_one_a_timeout():
    assert fault_of(maxbotix(lambda k: b"Rabcd\r")[0].read) == "checksum"
    assert fault_of(maxbotix(lambda k: b"")[0].read) == "timeout"


def test_jsn_makes_metres_of_a_flight_with_the_speed_the_gateway_undoes():
    # 343.4 m/s, there and back: 5824 us are 0.99998 m
    assert jsn_sr04t.tenths(5824) == 10000
    assert jsn_sr04t.tenths(1165) == 2000
    driver, dozes = jsn([5824] * 15)
    assert driver.read(0) == {"distance_m": 10000, "spread_m": 0, "echoes": 15}
    assert len(dozes) == 15  # warm-up, and between the echoes


def test_jsn_without_an_echo_or_in_its_blind_zone_is_no_echo():
    assert fault_of(jsn([60000] * 30)[0].read) == "no_echo"
    assert fault_of(jsn([300] * 30)[0].read) == "no_echo"
    assert fault_of(jsn([0] * 30)[0].read) == "no_echo"  # 0 mm


def test_jsn_that_does_not_answer_is_a_timeout():
    assert fault_of(jsn([])[0].read) == "timeout"
