# SPDX-License-Identifier: MIT
"""The chip's RTC is brought near the present for mbedTLS; the node's own count does not leap."""

from kahriz_node import lift, memory, stamp
from kahriz_node.clock import Clock

POWER_ON = 946684800000
DAY_MS = 86400000


class Board:
    def __init__(self, chip_ms):
        self.chip_ms = chip_ms  # since 2000, as an ESP32 counts
        self.memory = b"state of the last sleep"
        self.writes = []

    def time_ns(self):
        return self.chip_ms * 1000000

    def epoch_year(self):
        return 2000

    def set_rtc(self, ms):
        self.writes.append(("rtc", self.memory))
        self.chip_ms = ms // 1000 * 1000

    def remember(self, data):
        self.memory = data

    def ticks_ms(self):
        return 5

    def ticks_diff(self, later, earlier):
        return later - earlier


class Journal:
    last_s = 0


class Node:
    def __init__(self, chip_ms, last_s=0):
        self.board = Board(chip_ms)
        self.state = {"clock": {}}
        self.journal = Journal()
        self.journal.last_s = last_s
        self.clock = Clock(self.state["clock"], self.rtc())

    def rtc(self):
        return POWER_ON + self.board.chip_ms - self.state.get("lift", 0)

    def chip_ms(self):
        return POWER_ON + self.board.chip_ms


def test_after_power_on_the_chip_stands_at_the_time_the_program_was_made():
    node = Node(4321)
    before = node.rtc()
    lift.lift_rtc(node)
    assert node.chip_ms() == stamp.BUILT_S * 1000
    assert node.rtc() == before
    assert node.clock.read(node.rtc()) is None  # it is still not known


def test_the_last_row_in_the_journal_is_better_when_it_is_later():
    node = Node(4321, stamp.BUILT_S + 100 * 86400)
    lift.lift_rtc(node)
    assert node.chip_ms() == (stamp.BUILT_S + 100 * 86400) * 1000
    node.journal.last_s = 5
    lift.lift_rtc(node)
    assert node.chip_ms() == (stamp.BUILT_S + 100 * 86400) * 1000  # never back


def test_a_clock_that_knows_better_lifts_it_again_and_keeps_its_time():
    node = Node(4321)
    lift.lift_rtc(node)
    true = stamp.BUILT_S * 1000 + 200 * DAY_MS
    node.clock.sync(true, node.rtc(), 10)
    lift.lift_rtc(node)
    assert abs(node.chip_ms() - true) < 1000
    assert node.clock.read(node.rtc()) == (true, None)
    writes = len(node.board.writes)
    node.board.chip_ms += 30000
    lift.lift_rtc(node)
    assert len(node.board.writes) == writes  # near enough


def test_a_crash_while_the_rtc_is_set_leaves_nothing_that_could_be_believed():
    node = Node(4321)
    lift.lift_rtc(node)
    assert node.board.writes == [("rtc", b"")]
    assert memory.load(node.board.memory)["lift"] == node.state["lift"]
