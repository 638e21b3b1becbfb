# SPDX-License-Identifier: MIT
"""Queries are expanded as Grafana's documentation says."""

import pytest

from kahriz_server.expand import duration_ms, expand, interval_ms, left_over

DAY_MS = 86_400_000


def test_time_and_interval_are_put_in() -> None:
    query = "SELECT mean(v) FROM m WHERE $timeFilter GROUP BY time($__interval)"
    assert expand(query, 1000, 2000, 300_000, {}) == (
        "SELECT mean(v) FROM m WHERE time >= 1000ms and time <= 2000ms GROUP BY time(300s)"
    )


def test_a_variable_in_a_regular_expression_is_escaped_and_the_end_mark_stays() -> None:
    query = "WHERE s =~ /^${site:regex}$/"
    assert expand(query, 0, 1, 1, {"site": "a.b/c"}) == r"WHERE s =~ /^a\.b\/c$/"
    assert expand(query, 0, 1, 1, {"site": ["a", "b"]}) == "WHERE s =~ /^(a|b)$/"
    assert expand(query, 0, 1, 1, {"site": [".*"]}) == "WHERE s =~ /^.*$/"


def test_what_nothing_replaces_is_left_and_reported() -> None:
    query = expand("$a ${b} [[c]] $/", 0, 1, 1, {})
    assert left_over(query) == ["$a", "${b}", "[[c]]"]


@pytest.mark.parametrize(
    ("span_ms", "least", "wanted_ms"),
    [
        (3_600_000, "5m", 300_000),
        (7 * DAY_MS, "5m", 600_000),
        (365 * DAY_MS, "5m", 21_600_000),
        (3_600_000, "1s", 5000),
    ],
)
def test_intervals_are_round_and_never_under_the_panels_own(
    span_ms: int, least: str, wanted_ms: int
) -> None:
    assert interval_ms(0, span_ms, 1500, least) == wanted_ms


def test_a_duration_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="expected for example 5m"):
        duration_ms("five")
