# SPDX-License-Identifier: MIT
"""The windows of a moved mean are kept in order block by block: as if each were made anew."""

from __future__ import annotations

import random

import pytest

from kahriz_detect.numbers.glr import A_DAY, BEFORE, KEPT, TRIM, Moved, Z
from kahriz_detect.numbers.trimmed import Trimmed

Blocks = list[tuple[float, float]]


def _anew(blocks: Blocks, days: int) -> float:
    n = days * A_DAY
    now, before = blocks[-n:], blocks[:-n][-BEFORE[days] * A_DAY :]
    return Trimmed(now, TRIM).mean() - Trimmed(before, TRIM).mean()


@pytest.mark.parametrize("seed", range(3))
def test_windows_that_are_kept_say_what_windows_made_anew_say(seed: int) -> None:
    rng = random.Random(seed)
    moved, blocks, known = Moved(), list[tuple[float, float]](), 0
    for number in range(3 * KEPT):
        block = (float(rng.randrange(8)), 0.8 + 0.4 * rng.random())  # many of equal size
        blocks = [*blocks, block][-KEPT:]
        moved.add(*block)
        if number == KEPT + 17:
            moved.rebase(2.0, 3)
            blocks = [(v + 2.0, w) for v, w in blocks[: -3 * A_DAY]] + blocks[-3 * A_DAY :]
        if number == KEPT + 31:
            kept, moved = moved.dump(), Moved()
            moved.load(kept)
        for days in Z:
            far = moved.far(days)
            if far is not None:
                known += 1
                assert far == pytest.approx(_anew(blocks, days), abs=1e-9)
    assert known > 2 * KEPT * len(Z)
