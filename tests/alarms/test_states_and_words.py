# SPDX-License-Identifier: MIT
"""The life of an alarm, and what is said about it."""

from __future__ import annotations

from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from kahriz_alarms import messages, states
from kahriz_alarms.alarm import Alarm, Event
from kahriz_detect.index import detectors
from kahriz_detect.site_plan import site_of
from kahriz_water.plan import parse_plan

SITES = Path(__file__).parents[2] / "firmware" / "kahriz_sim" / "sites"
PLAN = parse_plan((SITES / "banovshalar-gozlu" / "site.toml").read_text(encoding="utf-8"))
RAISED_MS = 1_790_000_000_000
LEAK = Alarm(7, "leak", "upper", "raised", RAISED_MS, RAISED_MS, lps=2.04, lps_u=0.61, m3=12.4)


def _text(language: str, what: str = "raised", alarm: Alarm = LEAK, again: bool = False) -> str:
    return messages.short(Event(1, alarm, RAISED_MS, what, again=again), PLAN, language)


def test_a_closed_alarm_stays_closed() -> None:
    for what in states.STEPS:
        if what == "explained":  # what it was may be said afterwards
            assert states.after("closed", what) == "closed"
            continue
        with pytest.raises(states.StateError, match="closed"):
            states.after("closed", what)


def test_silence_ends_nothing() -> None:
    for state in ("raised", "notified", "acknowledged"):
        assert states.after(state, "silent") == state


def test_an_unknown_step_is_refused_with_the_known_ones() -> None:
    with pytest.raises(states.StateError, match="acknowledged"):
        states.after("raised", "forgotten")


def test_the_text_says_kind_place_litres_and_since_when() -> None:
    assert _text("en") == ("Leak: Upper channel, 2.0 ± 0.6 L/s, 12 m³ lost, since 21.09 18:13")
    assert _text("az").startswith("Sızma: Yuxarı arx, 2,0 ± 0,6 l/san")
    assert _text("ru").startswith("Утечка: Верхний канал, 2,0 ± 0,6 л/с")


def test_a_repeat_says_that_it_may_be_one() -> None:
    assert "possibly sent before" in _text("en", again=True)


def test_a_loss_at_the_source_warns_of_the_gallery() -> None:
    alarm = Alarm(8, "source_drop", "outlet", "raised", RAISED_MS, RAISED_MS, lps=4.0)
    assert "Do not enter the gallery" in _text("en", alarm=alarm)


@pytest.mark.parametrize("language", ["az", "ru"])
def test_every_text_is_translated(language: str) -> None:
    source = messages.LOCALE / language / "LC_MESSAGES" / "alarms.po"
    with source.open("rb") as file:
        catalogue = read_po(file)
    for message in catalogue:
        if message.id:
            assert message.string
            assert message.string != message.id
    for text in messages.KINDS.values():
        assert catalogue.get(text) is not None


def test_every_kind_of_every_detector_has_words() -> None:
    kinds = {
        kind.partition(":")[0] for detector in detectors(site_of(PLAN)) for kind in detector.kinds
    }
    assert kinds <= set(messages.KINDS)


def test_no_text_says_that_water_is_safe() -> None:
    for language in ("az", "ru", "en"):
        for what in ("raised", "cleared", "closed"):
            text = _text(language, what)
            assert not any(w in text.lower() for w in ("safe", "безопасн", "təhlükəsiz"))


def test_flat_json_has_no_nulls_and_no_nesting() -> None:
    flat = messages.flat(LEAK, PLAN)
    assert flat["lps"] == 2.04
    assert "closed" not in flat
    assert all(isinstance(v, str | int | float) for v in flat.values())
