# SPDX-License-Identifier: MIT
"""Each sort of reading has a shape of its own in the chart."""

import re

import pytest
from stores_made import DAY, HOUR, MIN, NOW

from kahriz_gateway.page.chart import Axes, Strip, chart
from kahriz_gateway.page.format import Formats, local
from kahriz_gateway.page.queries import Bucket
from kahriz_gateway.page.span import parse_day, ticks, title, window

STEP = 5 * MIN


def bucket(ago_ms: int, value: float = 12.0, sort: str = "measured") -> Bucket:
    return Bucket(NOW - ago_ms, value, value, value, 0.4, 1, sort)


def run(a: int, b: int, value: float = 12.0, sort: str = "measured") -> list[Bucket]:
    return [bucket(ago, value, sort) for ago in range(a, b, -STEP)]


def drawn(data: list[Bucket], strips: list[Strip] | None = None, **changed: object) -> str:
    given: dict[str, object] = {
        "start": NOW - DAY,
        "end": NOW,
        "step_ms": STEP,
        "first_ms": NOW - 9 * DAY,
        "due_ms": NOW,
        "ticks": [],
        "unit": "l/san",
        "decimals": 1,
        "from_zero": True,
        "comma": True,
    }
    axes = Axes(**{**given, **changed})  # type: ignore[arg-type]
    return str(chart(data, axes, strips or [], label="x", description="y"))


def count(svg: str, name: str) -> int:
    return len(re.findall(rf'class="{name}"', svg))


def test_a_day_without_a_gap_is_one_line() -> None:
    svg = drawn(run(DAY, 0))
    assert (count(svg, "measured"), count(svg, "gap")) == (1, 0)


def test_a_gap_is_hatched_and_breaks_the_line() -> None:
    svg = drawn(run(DAY, 10 * HOUR) + run(6 * HOUR, 0))
    assert (count(svg, "measured"), count(svg, "gap")) == (2, 1)


def test_what_a_node_has_yet_to_send_is_not_missing() -> None:
    assert count(drawn(run(DAY, HOUR)), "gap") == 1
    assert count(drawn(run(DAY, HOUR), due_ms=NOW - HOUR), "gap") == 0


def test_what_lies_ahead_is_not_missing() -> None:
    svg = drawn(run(DAY, 0), end=NOW + 12 * HOUR)
    assert count(svg, "gap") == 0


def test_nothing_at_all_is_one_gap_over_the_whole_stretch() -> None:
    assert count(drawn([]), "gap") == 1


def test_what_lies_before_the_first_reading_is_not_missing() -> None:
    svg = drawn(run(6 * HOUR, 0), first_ms=NOW - 6 * HOUR)
    assert (count(svg, "measured"), count(svg, "gap")) == (1, 0)


def test_suspect_readings_are_rings_and_not_part_of_the_line() -> None:
    svg = drawn(run(DAY, HOUR) + run(HOUR, 0, 30.0, "suspect"))
    assert count(svg, "suspect") == 12
    points = re.findall(r'class="measured" points="([^"]*)"', svg)
    assert len(points[0].split()) == 23 * 12


@pytest.mark.parametrize("sort", ["below", "above"])
def test_a_bound_is_a_dashed_line_with_arrows(sort: str) -> None:
    svg = drawn(run(DAY, 12 * HOUR) + run(12 * HOUR, 0, 1.2, sort))
    assert (count(svg, "bound"), count(svg, "arrow"), count(svg, "gap")) == (1, 1, 0)


def test_an_alarm_is_a_strip_with_a_flag_and_its_name() -> None:
    svg = drawn(run(DAY, 0), [Strip(NOW - 3 * HOUR, NOW, "Sızma")])
    assert (count(svg, "alarm"), count(svg, "flag")) == (1, 1)
    assert "Sızma" in svg


def test_a_name_cannot_break_out_of_the_drawing() -> None:
    assert "<script" not in drawn(run(DAY, 0), [Strip(NOW - HOUR, NOW, "<script>")])


def test_estimated_and_manual_have_their_own_shapes_and_a_hand_fills_no_gap() -> None:
    svg = drawn([*run(DAY, 12 * HOUR), *run(12 * HOUR, 0, sort="estimated")])
    assert (count(svg, "measured"), count(svg, "estimated"), count(svg, "gap")) == (1, 1, 0)
    svg = drawn([*run(DAY, 2 * HOUR), bucket(HOUR, sort="manual")])
    assert (count(svg, "manual"), count(svg, "gap")) == (1, 1)


def test_marks_have_the_comma_of_the_language() -> None:
    assert ">0,5<" in drawn(run(DAY, 0, 0.9))
    assert ">0.5<" in drawn(run(DAY, 0, 0.9), comma=False)


def test_a_steady_temperature_fills_the_paper_without_dividing_by_zero() -> None:
    assert count(drawn(run(DAY, 0, -3.0), from_zero=False), "measured") == 1


@pytest.mark.parametrize(
    ("span", "day", "first", "last"),
    [
        ("day", "2026-03-21", "2026-03-21", "2026-03-22"),
        ("week", "2026-11-22", "2026-11-16", "2026-11-23"),
        ("season", "2026-01-15", "2025-12-01", "2026-03-01"),
        ("season", "2026-12-31", "2026-12-01", "2027-03-01"),
        ("year", "2024-02-29", "2024-01-01", "2025-01-01"),
    ],
)
def test_a_date_picks_the_calendars_stretch(span: str, day: str, first: str, last: str) -> None:
    view = window(span, NOW, parse_day(day))
    assert [str(local(t).date()) for t in (view.start, view.end)] == [first, last]
    assert local(view.start).hour == 0


@pytest.mark.parametrize("span", ["day", "week", "season", "year"])
def test_every_stretch_has_a_few_marks_and_a_title_in_each_language(span: str) -> None:
    for day in (None, parse_day("2025-06-30")):
        view = window(span, NOW, day)
        for language in ("az", "ru", "en"):
            assert 3 <= len(ticks(view, Formats(language))) <= 8
            assert title(view, Formats(language))
        assert 150 <= (view.end - view.start) / view.bucket_ms <= 370


def test_a_step_back_and_forward_meet_again() -> None:
    for span in ("day", "week", "season", "year"):
        view = window(span, NOW, parse_day("2025-12-31"))
        assert view.before is not None
        back = window(span, NOW, view.before)
        assert back.end == view.start
        assert back.after is not None
        assert window(span, NOW, back.after).start == view.start


def test_a_date_that_is_none_is_ignored() -> None:
    for text in ("", "2026-13-01", "0001-01-01", "9999-12-31", "<script>"):
        assert parse_day(text) is None
