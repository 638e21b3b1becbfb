# SPDX-License-Identifier: MIT
"""A node's clock is called wrong by its words, and never by how long they had to wait for us."""

from __future__ import annotations

import json

from kahriz_detect.finding import Finding, Sample
from kahriz_detect.signals.node_clock import CLOCK, NodeClock
from kahriz_detect.signals.silence import Expected

HOUR_MS = 3_600_000
WAITED_S = 6000.0  # longer than an hourly upload and its grace


def _clock() -> NodeClock:
    return NodeClock([Expected("outlet", "outlet", 3600)])


def _hear(clock: NodeClock, words: list[tuple[float, float]]) -> list[Finding]:
    return [
        found
        for at_h, lag_s in words
        for found in clock.update(Sample(int(at_h * HOUR_MS), "outlet", CLOCK, lag_s))
    ]


def test_words_that_waited_together_say_nothing_of_the_clock() -> None:
    words = [(1, 60.0), (3, WAITED_S), (3.001, 5000.0), (3.002, 4600.0), (4, 60.0), (5, 60.0)]
    assert _hear(_clock(), words) == []


def test_a_clock_that_stays_behind_is_told_with_the_next_upload() -> None:
    (found,) = _hear(_clock(), [(3, WAITED_S), (3.001, WAITED_S), (4, WAITED_S)])
    assert (found.what, found.kind, found.ts) == ("raised", "sensor_fault:clock", 4 * HOUR_MS)


def test_a_restart_between_the_words_changes_nothing() -> None:
    told = []
    clock = _clock()
    for word in [(3.0, WAITED_S), (3.001, WAITED_S), (4.0, WAITED_S)]:
        kept, clock = json.loads(json.dumps(clock.dump())), _clock()
        clock.load(kept)
        told += _hear(clock, [word])
    assert [found.ts for found in told] == [4 * HOUR_MS]


def test_the_state_of_an_earlier_version_is_read() -> None:
    clock = _clock()
    clock.load([{"outlet": 1}, []])
    assert [found.what for found in _hear(clock, [(4, WAITED_S)])] == ["raised"]
