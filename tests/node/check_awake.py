# SPDX-License-Identifier: MIT
"""What a wake itself does to the time: awake the chip counts by its crystal, asleep by its RC.

After a deep and after a light sleep ESP-IDF sets the time from the RTC, which has counted with the
drifting oscillator all along (esp_time_impl.c): in between the two part, and the longer a session
takes the further.
"""

import json

from kahriz_node import heed
from kahriz_node.clock import Clock

TRUE = 1790000000000
POWER_ON = 946684800000
MINUTE = 60000
HOUR = 60 * MINUTE


class Journal:
    next = 1

    def save(self):
        pass


class Told:
    """A receipt's word on the time; the round trip is past."""

    def __init__(self, now_ms, tick):
        self.now_ms, self.now_tick, self.round_ms = now_ms, tick, 20


class Chip:
    """A board of drift `ppm`, and as much of a node as `believe` asks for."""

    def __init__(self, ppm):
        self.board = self
        self.ppm = ppm
        self.true = TRUE
        self.counted = POWER_ON  # by the oscillator
        self.awake_ms = 0  # by the crystal, since the last sleep
        self.state = {"clock": {}}
        self.journal = Journal()
        self.sleep(1000)

    def sleep(self, ms):
        """That long in all; the time comes from the oscillator again."""
        self.true += ms
        self.counted += (ms + self.awake_ms) * (1000000 + self.ppm) // 1000000
        self.awake_ms = 0
        self.state = json.loads(json.dumps(self.state))
        self.clock = Clock(self.state["clock"], self.rtc())

    def rtc(self):
        return self.counted + self.awake_ms

    def ticks_ms(self):
        return self.awake_ms

    def ticks_diff(self, later, earlier):
        return later - earlier

    def stay(self, ms):
        self.true += ms
        self.awake_ms += ms

    def upload(self, ms, after_ms=0):
        """A session whose receipt comes after `ms`, and is heeded a little later."""
        self.rested = self.rtc()
        self.stay(ms)
        told = Told(self.true, self.ticks_ms())
        self.stay(after_ms)
        heed.believe(self, told)

    def off(self):
        ts, word = self.clock.read(self.rtc())
        return ts - self.true, word


def test_a_drift_is_the_same_whether_the_radio_joins_at_once_or_late():
    for ppm in (-50000, -6000, 20000, 50000):
        for first_ms, then_ms in ((300, 14000), (14000, 300), (6000, 6000)):
            chip = Chip(ppm)
            chip.upload(first_ms)
            chip.sleep(11 * MINUTE)
            chip.upload(then_ms, 900)
            chip.sleep(100 * MINUTE)  # an outage
            off, word = chip.off()
            assert word is None
            assert abs(off) < 200, (ppm, first_ms, then_ms, off)


def test_a_stamp_after_a_long_session_is_as_right_as_after_a_short_one():
    for awake_ms in (300, 14000):
        chip = Chip(50000)
        chip.upload(awake_ms)
        chip.sleep(HOUR)
        chip.upload(awake_ms)
        chip.sleep(5 * MINUTE)
        assert abs(chip.off()[0]) < 50, (awake_ms, chip.off())
