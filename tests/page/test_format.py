# SPDX-License-Identifier: MIT
"""Numbers, dates and ages as people write them."""

import pytest
from babel.dates import get_day_names, get_month_names

from kahriz_gateway.page.format import DAYS, MONTHS, Formats, midnight, monday
from kahriz_gateway.page.words import speech

MONDAY_1105 = 1_795_417_500_000  # 23.11.2026 11:05 in Baku


@pytest.mark.parametrize(
    ("language", "written"),
    [("az", "1.234,6"), ("ru", "1\u00a0234,6"), ("en", "1\u00a0234.6")],
)
def test_a_number_has_the_comma_of_its_language(language: str, written: str) -> None:
    assert Formats(language).number(1234.56, 1) == written


def test_a_minus_is_a_minus_and_never_stands_before_zero() -> None:
    assert Formats("az").number(-3.25, 1) == "\u22123,2"
    assert Formats("az").number(-0.04, 1) == "0,0"


def test_a_number_that_is_none_is_not_written_as_water() -> None:
    assert Formats("az").number(float("nan"), 1) == "?"


@pytest.mark.parametrize("language", ["az", "ru", "en"])
def test_our_month_and_day_names_are_those_of_cldr(language: str) -> None:
    months = get_month_names("abbreviated", context="stand-alone", locale=language)
    days = get_day_names("abbreviated", context="stand-alone", locale=language)
    for number, ours in enumerate(MONTHS[language], 1):
        assert months[number].rstrip(".").startswith(ours)
    assert [days[n].rstrip(".") for n in range(7)] == [d.rstrip(".") for d in DAYS[language]]


def test_the_day_begins_at_four_hours_before_that_of_greenwich() -> None:
    assert Formats("az").moment(midnight(MONDAY_1105), MONDAY_1105) == "00:00"
    assert midnight(MONDAY_1105) % 86_400_000 == 20 * 3_600_000


def test_the_week_begins_on_monday() -> None:
    assert monday(MONDAY_1105) == midnight(MONDAY_1105)
    assert monday(MONDAY_1105 - 86_400_000) == midnight(MONDAY_1105) - 7 * 86_400_000


def test_a_moment_shows_its_day_when_it_is_not_today() -> None:
    formats = Formats("az")
    assert formats.moment(MONDAY_1105 - 86_400_000, MONDAY_1105) == "22.11 11:05"
    assert formats.moment(MONDAY_1105 - 400 * 86_400_000, MONDAY_1105) == "19.10.2025 11:05"


@pytest.mark.parametrize(
    ("minutes", "az", "ru"),
    [
        (0, "indicə", "только что"),
        (5, "5 dəq əvvəl", "5 мин назад"),
        (300, "5 saat əvvəl", "5 ч назад"),
        (3 * 1440, "3 gün əvvəl", "3 дня назад"),
        (21 * 1440, "21 gün əvvəl", "21 день назад"),
        (1440 * 1500, "1.500 gün əvvəl", "1\u00a0500 дней назад"),
    ],
)
def test_an_age_is_said_in_its_largest_unit(minutes: int, az: str, ru: str) -> None:
    assert speech("az").age(minutes * 60_000) == az
    assert speech("ru").age(minutes * 60_000) == ru


def test_a_number_from_the_future_accuses_the_clock() -> None:
    assert speech("en").age(-3 * 3_600_000) == "3 h ahead of the clock"
