# SPDX-License-Identifier: MIT
"""What a person is told: it fits, it warns, it promises nothing about the water."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from kahriz_alarms import messages
from kahriz_alarms.alarm import Alarm, Event
from kahriz_alarms.fold import KEPT, units
from kahriz_alarms.messages_sms import SAY, compose, first_part
from kahriz_alarms.people import Person
from kahriz_water.name import Name
from kahriz_water.plan import parse_plan

SITES = Path(__file__).parents[2] / "firmware" / "kahriz_sim" / "sites"
PLAN = parse_plan((SITES / "banovshalar-gozlu" / "site.toml").read_text(encoding="utf-8"))
AT = 1_790_000_000_000
LEAK = Alarm(7, "leak", "upper", "raised", AT, AT, lps=2.04, m3=12.4, urgent=True)


def _person(language: str = "az", ascii: bool = False) -> Person:
    return Person("ali", "Əli", "crew", language, ("sms",), "+994501234567", ascii=ascii)


def _event(alarm: Alarm = LEAK, what: str = "raised") -> Event:
    return Event(1, alarm, AT, what)


def test_the_first_part_says_what_where_how_much_since_when_and_the_digit() -> None:
    assert first_part(_event(), PLAN, _person()) == (
        "Sızma: Yuxarı arx, 2,0 l/s, 21.09 18:13, cavab 1"
    )


@pytest.mark.parametrize("language", ["az", "ru", "en"])
@pytest.mark.parametrize("ascii", [False, True])
@pytest.mark.parametrize("kind", list(messages.KINDS))
def test_the_longest_first_part_is_one_sms(language: str, ascii: bool, kind: str) -> None:
    long = Name("Ə" * 200, "Щ" * 200, "W" * 200)
    plan = replace(PLAN, reaches=tuple(replace(r, name=long) for r in PLAN.reaches))
    text = first_part(
        _event(replace(LEAK, kind=kind, lps=1e9)), plan, _person(language, ascii), 500
    )
    if ascii:
        assert len(text) <= 160
        assert set(text) <= KEPT
    else:
        assert units(text) <= 70
    assert SAY[language][1] in text or ascii


@pytest.mark.parametrize("language", ["az", "ru", "en"])
@pytest.mark.parametrize("kind", ["collapse", "blockage", "storm", "source_drop"])
def test_what_may_fall_or_surge_ends_with_the_warning(language: str, kind: str) -> None:
    message = compose(1, [_event(replace(LEAK, kind=kind))], PLAN, _person(language))
    assert message.more is not None
    assert message.more.endswith(SAY[language][2])


def test_without_a_cleared_path_the_crew_is_told_so() -> None:
    more = compose(1, [_event()], PLAN, _person("en")).more
    assert more is not None
    assert "no approved path" in more


def test_an_urgent_event_stands_first() -> None:
    dull = _event(replace(LEAK, kind="silent_node", urgent=False))
    message = compose(1, [dull, _event()], PLAN, _person())
    assert message.first.startswith("Sızma")
    assert "+1" in message.first
    assert message.urgent
