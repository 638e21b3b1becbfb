# SPDX-License-Identifier: MIT
"""Ranges of reading numbers: lists of [a, b], both ends included, sorted and apart."""


def normal(ranges: list[list[int]]) -> list[list[int]]:
    """Sort, join what touches or overlaps, leave out what is empty."""
    out: list[list[int]] = []
    for a, b in sorted(ranges):
        if a > b:
            continue
        if out and a <= out[-1][1] + 1:
            if b > out[-1][1]:
                out[-1][1] = b
        else:
            out.append([a, b])
    return out


def of(numbers: list[int]) -> list[list[int]]:
    """The ranges that hold exactly these numbers."""
    return normal([[n, n] for n in numbers])


def count(ranges: list[list[int]]) -> int:
    """How many numbers the ranges hold."""
    return sum([b - a + 1 for a, b in ranges])


def common(one: list[list[int]], other: list[list[int]]) -> list[list[int]]:
    """What both hold."""
    out = []
    for a, b in normal(one):
        for c, d in normal(other):
            if max(a, c) <= min(b, d):
                out.append([max(a, c), min(b, d)])
    return out


def minus(one: list[list[int]], other: list[list[int]]) -> list[list[int]]:
    """What the first holds and the second does not."""
    out = normal(one)
    for c, d in normal(other):
        left = []
        for a, b in out:
            if d < a or b < c:
                left.append([a, b])
                continue
            if a < c:
                left.append([a, c - 1])
            if d < b:
                left.append([d + 1, b])
        out = left
    return out


def head(ranges: list[list[int]], most: int) -> list[list[int]]:
    """The first `most` numbers of the ranges."""
    out: list[list[int]] = []
    for a, b in normal(ranges):
        if most <= 0:
            break
        b = min(b, a + most - 1)
        out.append([a, b])
        most -= b - a + 1
    return out
