# SPDX-License-Identifier: MIT
"""A slice of the campaign against a hostile modem, and floods, on a time that the test turns."""

from __future__ import annotations

from pathlib import Path

import pytest

from kahriz_alarms.channels.modem import Modem
from kahriz_alarms.channels.modem_power import switch
from kahriz_alarms.delivery import DeliveryError
from kahriz_detect.finding import CLEARED, RAISED, Finding
from kahriz_gateway.alarms import book as alarm_book
from kahriz_gateway.village import alarms as village_alarms
from kahriz_sim.modem import Modem as Stick
from kahriz_water.plan import Plan, parse_plan

from .alarm_phone import Phone
from .alarm_run import PLAN, PROMISE_S, TEXT, Run
from .alarm_time import T0_MS, Time, Turn
from .alarm_village import Village

SLICE = (2, 23, 25, 36, 49, 66, 75, 90, 3, 4, 43)  # the first eight were lost once
HOUR_S = 3600


def test_with_a_hostile_modem_the_text_arrives_or_the_next_one_is_tried_in_five_minutes(
    tmp_path: Path,
) -> None:
    found = [Run(seed, tmp_path).live(420.0) for seed in SLICE]
    assert [v for v in found if v.faults] == []
    assert sum(v.struck for v in found) > 30, "hardly a trouble: the slice proves nothing"
    told = [v for v in found if v.delivered_s is not None and v.delivered_s <= PROMISE_S]
    assert len(told) > len(found) // 3


def test_a_stick_that_hangs_has_its_power_cycled_by_the_command_of_the_plan(tmp_path: Path) -> None:
    time, stick = Time(), Stick()
    stick.hung = True
    mark = tmp_path / "cycled"
    modem = Modem(
        "stick",
        power_cycle=switch(f"touch '{mark}'"),
        program=Phone(stick, time, 1),
        turn=Turn(time),
        beat_s=time.s,
    )
    with pytest.raises(DeliveryError, match="no answer in time") as caught:
        modem.ask("inbox", 5.0)
    assert caught.value.unsure
    assert mark.exists()
    mark.unlink()
    time.spend(30.0)
    with pytest.raises(DeliveryError, match="no answer in time"):
        modem.ask("inbox", 5.0)
    assert not mark.exists(), "it was given its power just now"


def many_nodes(count: int) -> Plan:
    """A plan of so many nodes behind one access point, and the technician."""
    nodes = [f"n{n}" for n in range(count)]
    points = [
        f'[[point]]\nid = "{n}"\nname = {{ az = "{n}", ru = "{n}", en = "{n}" }}\nkind = "level"'
        for n in nodes
    ]
    head, _, rest = TEXT.partition("[[point]]")
    mast = '{ az = "Dirək", ru = "Мачта", en = "Mast" }'
    quoted = ", ".join(f'"{n}"' for n in nodes)
    people = """
[email]
host = "127.0.0.1"
security = "none"
from = "kahriz@example.az"

[[person]]
id = "rena"
name = "Rəna"
role = "technician"
language = "az"
channels = ["email"]
email = "rena@example.az"
"""
    assert rest
    text = [head, *points, f'[[wifi]]\nid = "mast"\nname = {mast}\nnodes = [{quoted}]', people]
    return parse_plan("\n".join(text))


def test_fifty_silent_nodes_behind_one_dead_access_point_are_one_message(tmp_path: Path) -> None:
    plan = many_nodes(50)
    village = Village(tmp_path / "village.db", plan)
    nodes = plan.nodes
    last_ms = T0_MS - 2 * HOUR_S * 1000
    village.words = {n: last_ms - k * 60_000 for k, n in enumerate(nodes)}  # at other minutes
    for node in nodes:  # one after the other, as their hours are over
        since = {"since_ms": float(village.words[node])}
        village.find(Finding(RAISED, "silent_node", node, village.time.now_ms(), evidence=since))
        village.live(60.0, step_s=60.0)
    village.live(24 * HOUR_S, step_s=900.0)
    wifi = village_alarms.open_alarm(village.conn, "wifi", "mast")
    assert wifi is not None
    assert len(alarm_book.children(village.conn, wifi.id)) == 50
    assert len(village.mail.got) == 1, [m.first for _, m in village.mail.got]
    asked = village.mail.got[0][1].events
    assert [e.alarm.kind for e in asked if e.alarm.parent is None] == ["wifi"]
    assert "n0" in (village.mail.got[0][1].more or ""), "what it explains is named"
    village.faithful()


def test_two_hundred_events_a_minute_for_an_hour_are_a_handful_of_messages(tmp_path: Path) -> None:
    village = Village(tmp_path / "village.db", PLAN)
    causes = [("leak", "upper"), ("leak", "lower"), ("silent_node", "tank"), ("leak", "turn")]
    told = 0
    last: dict[tuple[str, str], Finding] = {}
    for second in range(0, HOUR_S, 3):
        batch = []
        for _ in range(10):
            kind, place = causes[told % 4]
            what = (RAISED, CLEARED)[(told // 4) % 2]
            size = 1.0 + told % 7 / 9 if what == RAISED else None
            finding = Finding(what, kind, place, village.time.now_ms(), size)
            batch.append(finding)
            last[kind, place] = finding
            told += 1
        village.find(*batch)
        if second % 15:
            village.time.at_s += 3.0
        else:
            village.live(3.0, step_s=3.0)
    assert told == 12_000
    count = village.conn.execute("SELECT count(*) FROM alarm WHERE closed IS NULL").fetchone()[0]
    assert count == 4, "one alarm a cause"
    for (kind, place), finding in last.items():
        alarm = village_alarms.open_alarm(village.conn, kind, place)
        assert alarm is not None
        assert (alarm.calm is None) == (finding.what == RAISED), "its last word is the one kept"
    assert 1 <= len(village.mail.got) <= 8, [m.first for _, m in village.mail.got]
    village.faithful()
