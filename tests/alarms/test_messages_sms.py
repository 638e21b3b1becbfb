# SPDX-License-Identifier: MIT
"""What a person is told: it fits, it warns, it promises nothing about the water."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from kahriz_alarms import kinds, messages
from kahriz_alarms.alarm import Alarm, Event
from kahriz_alarms.fold import KEPT, ascii_text, units
from kahriz_alarms.messages_sms import (
    GOING,
    WARNING,
    compose,
    first_part,
    short_kind,
    short_place,
)
from kahriz_alarms.people import Access, Person
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
        "Sızma: Yuxarı arx, 2,0 l/san, 21.09 18:13, cavab 1"
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
    reply = messages.translate("reply 1", language)
    assert text.endswith(ascii_text(reply) if ascii else reply)


WITH_LITRES = [k for k in messages.KINDS if kinds.of(k).proof or k in ("fouled_weir", "decline")]


@pytest.mark.parametrize("language", ["az", "ru", "en"])
@pytest.mark.parametrize("kind", list(messages.KINDS))
def test_at_maximum_values_the_kind_and_the_short_place_are_whole(language: str, kind: str) -> None:
    """Twelve characters of place, four digits of litres, a hundred others, the digit."""
    plan = replace(PLAN, reaches=tuple(replace(r, short="Ə" * 12) for r in PLAN.reaches))
    lps = 9999.9 if kind in [*WITH_LITRES, "storm", "balance_doubt"] else None
    alarm = replace(LEAK, kind=kind, lps=lps)
    text = first_part(_event(alarm), plan, _person(language), 500)
    assert text.startswith(f"{short_kind(alarm, language)}: {'Ə' * 12}, ")
    assert units(text) <= 70
    assert "+99" in text
    assert lps is None or messages.number(lps, 1, language) in text


def test_the_whole_kahriz_has_a_short_name_too() -> None:
    assert short_place(replace(PLAN, short="Gözlü"), PLAN.id, "az") == "Gözlü"


@pytest.mark.parametrize("language", ["az", "ru", "en"])
@pytest.mark.parametrize("kind", ["collapse", "blockage", "storm", "source_drop"])
def test_what_may_fall_or_surge_ends_with_the_warning(language: str, kind: str) -> None:
    for what in ("raised", "cleared"):
        event = _event(replace(LEAK, kind=kind), what)
        message = compose(1, [event], PLAN, _person(language))
        assert message.more is not None
        assert message.more.endswith(messages.translate(WARNING, language))
        assert message.warns, "its second part is sent even when there is no hurry"


WAY = Name("Qərb cığırı ilə", "По западной тропе", "By the west track")
FOUND = Name("tut ağacının yanında", "у тутовника", "by the mulberry tree")
KNOWN = replace(
    PLAN,
    points=tuple(replace(p, landmark=FOUND) if p.id == "outlet" else p for p in PLAN.points),
    access=(Access("outlet", WAY, "ANAMA, list 214", date(2026, 3, 1)),),
)


def test_the_second_part_says_how_to_find_it_how_to_go_what_to_look_at_and_who_has_it() -> None:
    event = _event(replace(LEAK, owner="Vəli"))
    assert compose(1, [event], KNOWN, _person("en")).more == (
        "Leak: Upper channel, 2.0 L/s, 12 m³ lost, since 21.09 18:13\n"
        "Kahriz outlet: by the mulberry tree\n"
        "Path to Kahriz outlet: By the west track (ANAMA, list 214, 01.03.2026)\n"
        "Path to Middle of the channel: no approved path is recorded: ask before you go\n"
        "Look at: wet ground, washed-out soil and joints along the channel\n"
        "Bring: shovel, clay or cement, lamp\n"
        "With: Vəli"
    )


@pytest.mark.parametrize("role", GOING)
def test_whoever_may_set_out_is_told_where_no_path_is_cleared(role: str) -> None:
    more = compose(1, [_event()], PLAN, replace(_person("en"), role=role)).more
    assert more is not None
    assert more.count("no approved path") == 2


def test_an_urgent_event_stands_first() -> None:
    dull = _event(replace(LEAK, kind="silent_node", urgent=False))
    message = compose(1, [dull, _event()], PLAN, _person())
    assert message.first.startswith("Sızma")
    assert "+1" in message.first
    assert message.urgent
