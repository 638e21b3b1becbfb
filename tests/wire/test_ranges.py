# SPDX-License-Identifier: MIT
"""Ranges of reading numbers behave as the sets they stand for."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from kahriz_wire import ranges

RANGES = st.lists(st.tuples(st.integers(1, 60), st.integers(0, 60)).map(list), max_size=8)


def as_set(some: list[list[int]]) -> set[int]:
    return {n for a, b in some for n in range(a, b + 1)}


def is_normal(some: list[list[int]]) -> bool:
    pairs = pairwise(some)
    return all(a <= b for a, b in some) and all(b + 1 < c for (_, b), (c, _) in pairs)


@given(RANGES)
def test_normal_keeps_the_numbers_and_joins_neighbours(some: list[list[int]]) -> None:
    assert as_set(ranges.normal(some)) == as_set(some)
    assert is_normal(ranges.normal(some))


@given(RANGES)
def test_normal_leaves_its_argument_alone(some: list[list[int]]) -> None:
    before = [list(one) for one in some]
    joined = ranges.normal(some)
    for one in joined:
        one[0] -= 1
    assert some == before


@given(RANGES, RANGES)
def test_minus_and_common_are_those_of_sets(one: list[list[int]], other: list[list[int]]) -> None:
    assert as_set(ranges.minus(one, other)) == as_set(one) - as_set(other)
    assert as_set(ranges.common(one, other)) == as_set(one) & as_set(other)
    assert is_normal(ranges.minus(one, other))


@given(RANGES, st.integers(-3, 80))
def test_head_takes_the_first_numbers(some: list[list[int]], most: int) -> None:
    assert sorted(as_set(ranges.head(some, most))) == sorted(as_set(some))[: max(most, 0)]


@given(st.sets(st.integers(1, 60)))
def test_numbers_become_ranges_and_are_counted(numbers: set[int]) -> None:
    made = ranges.of(list(numbers))
    assert as_set(made) == numbers
    assert ranges.count(made) == len(numbers)
