# SPDX-License-Identifier: MIT
"""Stamps over random lives: drift to 5 %, reboots, outages, gateways without a clock, slow links.

The RTC's rate wanders within what the clock allows for; every stamp that calls itself synced is
held to 2 s, rounded to whole seconds as the journal keeps it.
"""

import gc
import json
import math
import random

from kahriz_node.clock import Clock
from kahriz_node.clock_sync import WANDER_PPM

WAKE_MS = 300000
DAY_MS = 86400000
TRUE = 1790000000000
FRESH_MS = 2000
OFFLINE_MS = 60000


class Life:
    """A node and its world; one step is one wake."""

    def __init__(self, seed):
        random.seed(seed)
        self.draw = random
        self.true = TRUE + self.draw.randint(0, DAY_MS)
        self.ppm = self.draw.randint(-50000, 50000)
        self.swing = self.draw.randint(0, WANDER_PPM // 2)  # two means differ by twice as much
        self.phase = self.draw.random() * 6.28
        self.batch = self.draw.choice((1, 3, 12, 48))
        self.part_us = 0
        self.outage = 0  # wakes to go
        self.clockless = 0
        self.worst = {None: 0, "est": 0, "corrected": 0}
        self.count = {None: 0, "est": 0, "unk": 0, "corrected": 0}
        self.power_on()

    def power_on(self):
        self.state = {}
        self.rtc = 946684800000
        self.synced_at = None
        self.learned = False
        self.waiting = []

    def sleep(self):
        ms = WAKE_MS + self.draw.randint(-3000, 3000)
        ppm = self.ppm + self.swing * math.sin(self.phase + 6.28 * (self.true % DAY_MS) / DAY_MS)
        self.true += ms
        us = self.part_us + ms * (1000000 + int(ppm)) // 1000
        self.rtc += us // 1000
        self.part_us = us % 1000

    def wake(self):
        self.state = json.loads(json.dumps(self.state))
        clock = Clock(self.state, self.rtc)
        now = clock.read(self.rtc)
        if now is None:
            assert self.synced_at is None, "a clock that was synced says what it knows"
            self.count["unk"] += 1
        else:
            assert self.synced_at is not None, "nobody ever told the time"
            ts = (now[0] + 500) // 1000 * 1000
            off = abs(ts - self.true)
            self.count[now[1]] += 1
            self.worst[now[1]] = max(self.worst[now[1]], off)
            if now[1] is None:
                assert off <= FRESH_MS, (off, self.state)
            elif self.learned and self.true - self.synced_at <= DAY_MS:
                assert off <= OFFLINE_MS, (off, self.state)
            self.waiting.append((ts, now[1], self.true))
            del self.waiting[:-100]
        return clock

    def session(self, clock):
        if self.outage or self.clockless:
            return
        there, back = self.draw.randint(1, 990), self.draw.randint(1, 990)
        if self.draw.random() < 0.9:
            there, back = there // 20 + 1, back // 20 + 1
        # the gateway looks at its clock after `there`; the node hears it `back` later
        heard_true = self.true + there + back
        said = self.true + there + (there + back) // 2
        self.rtc += there + back
        self.true = heard_true
        clock.sync(said, self.rtc, (there + back) // 2 + 1)
        if self.synced_at is not None and "drift" in self.state:
            self.learned = True
        self.synced_at = self.true
        for ts, tq, true in self.waiting:
            ts, word = clock.correct(ts, tq)
            if tq == "est" and word is None:
                self.count["corrected"] += 1
                self.worst["corrected"] = max(self.worst["corrected"], abs(ts - true))
                assert abs(ts - true) <= FRESH_MS, (ts - true, self.state)
        self.waiting = []
        clock.forget_stretches()

    def live(self, wakes):
        for number in range(wakes):
            self.sleep()
            luck = self.draw.random()
            if luck < 0.002:
                self.power_on()
            elif luck < 0.008:
                self.outage = self.draw.randint(1, 400)
            elif luck < 0.010:
                self.clockless = self.draw.randint(1, 100)
            clock = self.wake()
            if number % self.batch == 0:
                self.session(clock)
            self.outage = max(0, self.outage - 1)
            self.clockless = max(0, self.clockless - 1)


def lives(count, wakes):
    worst, total = 0, {}
    for seed in range(count):
        life = Life(seed)
        life.live(wakes)
        gc.collect()
        worst = max(worst, life.worst[None], life.worst["corrected"])
        for word in life.count:
            total[word] = total.get(word, 0) + life.count[word]
    return worst, total


def test_a_stamp_that_calls_itself_synced_is_right_to_two_seconds():
    worst, total = lives(30, 800)
    assert worst <= FRESH_MS
    assert worst > 500  # the lives were hard enough to come near
    assert min(total[None], total["est"], total["unk"], total["corrected"]) > 300, total
