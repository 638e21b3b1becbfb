# SPDX-License-Identifier: MIT
"""What the village alarms while readings arrive late and out of order is what a replay of those
arrivals alarms, across restarts; what comes after an alarm is over wakes nothing."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from kahriz_alarms.alarm import Step
from kahriz_detect.finding import RAISED, Sample
from kahriz_detect.replay.run import Replay, arrivals
from kahriz_detect.site_plan import site_of
from kahriz_gateway.alarms import book as alarm_book
from kahriz_gateway.alarms import hands as alarm_hands
from kahriz_gateway.village import alarms as village_alarms
from kahriz_gateway.village import store as village_store
from kahriz_gateway.village.watch import STORED
from kahriz_sim.scenario import parse
from kahriz_sim.series import START_MS, Row, rows

from .test_village import HOUR_MS, LIFE_MS, Chain, hourly

WEIRS = ("outlet", "middle", "inlet")
LEAK_H, MENDED_H, DAYS = 7 * 24 + 1.0, 7 * 24 + 12.0, 7.75
# The clock on the wall says these, not the water; a drop-out is held back while its node is silent.
OF_NODES = ("silent_node", "gateway", "sensor_fault:dropout")
STORED_AS = {name: (key, bound) for key, names in STORED.items() for name, bound in names}


def _arrivals(seed: int) -> dict[int, list[Row]]:
    """Rows by the moment at which they come: each node at its own minute, some hours late."""
    leak = {"reach": "upper", "lps": 3.0, "at_h": 1.0, "to_h": 12.0}
    scenario = parse({"truth": "mended", "leak": [leak]}, "mended")
    dice = random.Random(seed)
    found: dict[int, list[Row]] = {}
    misses: dict[tuple[str, int], int] = {}
    for row in rows("banovshalar-gozlu", scenario, 2, DAYS, nodes=WEIRS):
        hour = (int(row.values["ts"]) - START_MS) // HOUR_MS
        every = 4 if hour < 6 * 24 else 1  # all together at first: it is quicker
        upload = (hour // every + 1) * every
        chance = 0.15 if every == 1 else 0.0
        late = misses.setdefault(
            (row.node, upload), dice.choice((1, 2, 5)) if dice.random() < chance else 0
        )
        minute = WEIRS.index(row.node) * 7 if every == 1 else 0
        came = START_MS + (upload + late) * HOUR_MS + minute * 60_000
        found.setdefault(came, []).append(row)
    for batch in found.values():
        dice.shuffle(batch)
    return dict(sorted(found.items()))


def _alarms(chain: Chain) -> list[tuple[str, str, int]]:
    rows = chain.conn.execute("SELECT kind, place, raised FROM alarm ORDER BY id")
    return [tuple(r) for r in rows if r["kind"] not in OF_NODES]


def _arrived(chain: Chain) -> Iterator[tuple[int, Sample]]:
    """The values as the village stored them, each with the moment its row came."""
    rows = chain.readings.execute("SELECT node, ts, received FROM reading")
    came = {(node, ts): received for node, ts, received in rows}
    nodes = {p.id: p.node for p in chain.plan.points}
    for r in chain.conn.execute("SELECT * FROM value ORDER BY ts"):
        v = village_store.value_of(r)
        key, bound = STORED_AS.get(v.quantity, (v.quantity, None))
        there = came[nodes[v.point], v.ts]
        sample = Sample(v.ts, v.point, key, v.value, v.u, v.q, bound, there)
        yield max(there, v.ts), sample


def _live(chain: Chain, uploads: dict[int, list[Row]], restart_every: int = 0) -> None:
    for number, (moment, batch) in enumerate(uploads.items()):
        chain.put(batch, moment)
        chain.clock.ms = moment
        if restart_every and number % restart_every == restart_every - 1:
            chain.restart()
        chain.work()


def test_the_village_restarted_again_and_again_alarms_what_a_replay_of_what_arrived_alarms(
    tmp_path: Path,
) -> None:
    chain = Chain(tmp_path)
    _live(chain, _arrivals(4), restart_every=5)
    replayed = [
        (f.kind, f.place, f.ts)
        for _, f in Replay(site_of(chain.plan)).run(arrivals(_arrived(chain)))
        if f.what == RAISED and f.kind not in OF_NODES
    ]
    assert _alarms(chain) == replayed
    assert [(kind, place) for kind, place, _ in replayed] == [("leak", "upper")]


def _with_clock(of: str, ahead_h: float, from_h: float, to_h: float) -> dict[int, list[Row]]:
    """A leak from the first hour on; between two hours a node's clock is off."""
    found: dict[int, list[Row]] = {}
    leaks, nodes = [("upper", 3.0, 1.0)], dict.fromkeys((*WEIRS, of))
    history: list[Row] = []
    for end, batch in hourly(rows("banovshalar-gozlu", "calm", 3, 7.6, leaks=leaks, nodes=nodes)):
        history += batch
        if end < LIFE_MS and (end - START_MS) % (12 * HOUR_MS):  # half days at first: quicker
            continue
        off = from_h < (end - LIFE_MS) / HOUR_MS <= to_h
        for row in history if off else ():
            if row.node == of:  # and seven seconds: no reading has the time of another
                row.values["ts"] = int(row.values["ts"]) + round(ahead_h * HOUR_MS) + 7_000
        found[end], history = history, []
    return found


def _both(chain: Chain) -> tuple[list[tuple[str, str, int]], list[tuple[str, str, int]]]:
    """What the village alarmed, and what a replay of what it stored alarms."""
    replayed = [
        (f.kind, f.place, f.ts)
        for _, f in Replay(site_of(chain.plan)).run(arrivals(_arrived(chain)))
        if f.what == RAISED and f.kind not in OF_NODES
    ]
    return _alarms(chain), replayed


@pytest.mark.parametrize("ahead_h", [-5.0, 6.0])
def test_a_wrong_clock_is_told_by_the_village_and_by_a_replay_at_one_moment(
    tmp_path: Path, ahead_h: float
) -> None:
    chain = Chain(tmp_path)
    _live(chain, _with_clock("pool", ahead_h, 0.0, 9.0), restart_every=5)
    village, replayed = _both(chain)
    clocks, of_replay = (
        [a for a in told if a[0] == "sensor_fault:clock"] for told in (village, replayed)
    )
    assert [place for _, place, _ in clocks] == ["pool"]
    assert of_replay == clocks
    of_water = [(kind, place) for kind, place, _ in village if "fault" not in kind]
    assert of_water == [("leak", "upper")]
    assert of_water == [(kind, place) for kind, place, _ in replayed if "fault" not in kind]


def test_one_clock_that_runs_ahead_does_not_make_the_others_late(tmp_path: Path) -> None:
    """All of them would be behind its watermark, and nobody would judge them."""
    chain = Chain(tmp_path)
    _live(chain, _with_clock("inlet", 12.0, 0.0, 99.0))
    leaks = [raised for kind, _, raised in _alarms(chain) if kind == "leak"]
    assert leaks
    assert LIFE_MS + HOUR_MS < leaks[0] <= LIFE_MS + 6 * HOUR_MS


def test_a_backfill_wakes_no_alarm_that_is_closed(tmp_path: Path) -> None:
    chain, held = Chain(tmp_path), []
    uploads = _arrivals(4)
    for moment, batch in uploads.items():  # most of what the inlet saw of the leak stays away
        away = [
            r
            for r in batch
            if r.node == "inlet"
            and LEAK_H + 3.0 < (int(r.values["ts"]) - START_MS) / HOUR_MS < MENDED_H + 1.0
        ]
        held += away
        uploads[moment] = [r for r in batch if r not in away]
    later = [uploads.popitem() for _ in range(3)]
    _live(chain, uploads)
    (alarm,) = [a for a in village_alarms.open_alarms(chain.conn) if a.kind == "leak"]
    now = chain.clock.ms
    with village_store.transaction(chain.conn):
        step = Step("closed", now, now, "crew", data={"cause": "joint"})
        alarm_book.record(chain.conn, alarm, step, chain.sender.tells)
    before, told = _alarms(chain), len(chain.ear.heard)
    assert len(held) > 50
    _live(chain, {now + 60_000: held})
    chain.restart()
    _live(chain, dict(reversed(later)))
    assert _alarms(chain) == before
    assert [a for a in village_alarms.open_alarms(chain.conn) if a.kind == "leak"] == []
    assert [e for e in chain.ear.heard[told:] if e.alarm.kind not in OF_NODES] == []


def test_a_silence_that_goes_on_after_somebody_closed_it_is_told_again(tmp_path: Path) -> None:
    chain = Chain(tmp_path)
    _live(chain, dict(hourly(rows("banovshalar-gozlu", "calm", 1, 0.25, nodes=WEIRS))))
    begin = chain.clock.ms
    for hour in range(1, 96):
        chain.clock.ms = begin + hour * HOUR_MS
        chain.work()
        for alarm in village_alarms.open_alarms(chain.conn) if hour == 12 else ():
            alarm_hands.take(
                chain.conn,
                alarm.id,
                "closed",
                "crew",
                chain.clock.ms,
                data={"cause": "nothing_there"},
            )
            chain.restart()
    alarms = chain.conn.execute("SELECT place, raised FROM alarm WHERE kind='silent_node'")
    hours: dict[str, list[float]] = {}
    for place, raised in alarms:
        hours.setdefault(place, []).append((raised - begin) / HOUR_MS)
    assert set(WEIRS) < set(hours)
    assert all(len(own) == 2 for own in hours.values())
    assert all(own[1] == pytest.approx(12 + 72, abs=2.0) for own in hours.values())


def test_a_leak_closed_by_hand_is_usual_from_then_on_and_the_next_is_told(tmp_path: Path) -> None:
    chain = Chain(tmp_path)
    leaks = [("upper", 2.0, 1.0), ("upper", 2.0, 30.0)]
    uploads = list(hourly(rows("banovshalar-gozlu", "calm", 3, 8.5, leaks=leaks)))
    closed_ms = LIFE_MS + 7 * HOUR_MS
    _live(chain, {end: batch for end, batch in uploads if end <= closed_ms})
    (alarm,) = [a for a in village_alarms.open_alarms(chain.conn) if a.kind == "leak"]
    alarm_hands.take(
        chain.conn, alarm.id, "closed", "crew", closed_ms, data={"cause": "nothing_there"}
    )
    chain.restart()
    _live(chain, {end: batch for end, batch in uploads if end > closed_ms}, restart_every=7)
    (again,) = village_alarms.open_alarms(chain.conn)
    assert (again.kind, again.place) == ("leak", "upper")
    assert LIFE_MS + 30 * HOUR_MS < again.raised <= LIFE_MS + 36 * HOUR_MS
    assert again.lps == pytest.approx(2.0, rel=0.35)
    assert [(kind, place) for kind, place, _ in _alarms(chain)] == [("leak", "upper")] * 2
