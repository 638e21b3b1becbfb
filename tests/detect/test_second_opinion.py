# SPDX-License-Identifier: MIT
"""A second opinion on the same residuals: river (Page-Hinkley, ADWIN) and ruptures (PELT).

Where a loss is clear they and ours must agree, and ours may be later than the first of them by
BOUND_H at most. Offline ruptures sees the whole series: it says whether there is a change at all.
"""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from kahriz_detect.finding import RAISED
from kahriz_detect.frame import Frame
from kahriz_detect.numbers.glr import A_DAY, Moved, Z
from kahriz_detect.reach.balance import Balance
from kahriz_detect.site import Reach

BOUND_H = 1.0  # ours waits until a size has settled; theirs tells that something moved
DAY = 144
DAYS, BEGINS = 12, 8  # days
Flow = tuple[float, float]


def _flows(seed: int, share: float, phi: float = 0.7) -> list[Flow]:
    """Two weirs with errors that last; a share is lost from the eighth day on."""
    rng, errors, found = random.Random(seed), [0.0, 0.0], []
    for i in range(DAYS * DAY):
        errors = [phi * e + rng.gauss(0.0, 0.006) for e in errors]
        source = 12.0 + 0.3 * rng.gauss(0.0, 0.1)
        lost = share * source if i >= BEGINS * DAY else 0.0
        up, down = source * (1.0 + errors[0]), (source - 0.4 - lost) * (1.0 + errors[1])
        found.append((up, down))
    return found


def _ours(flows: list[Flow]) -> tuple[float | None, list[float]]:
    """Hours from the beginning to our leak, and the residuals that it was seen in, in scatters."""
    reach = Balance([Reach("upper", "up", "down", travel_s=0.0)])
    loss, series, hours = reach.losses["upper"], list[float](), None
    for i, (up, down) in enumerate(flows):
        found = reach.step(Frame(i, i * 600_000, {"up": up, "down": down}))
        if (i + 1) % reach.steps == 0:
            learned = loss.e_lps is not None and loss.scatter_lps > 0
            series.append(loss.e_lps / loss.scatter_lps if learned and loss.e_lps else 0.0)
        for f in found:
            if f.what == RAISED and f.kind in ("leak", "tapping") and hours is None:
                hours = (f.ts - BEGINS * DAY * 600_000) / 3_600_000
    return hours, series


def _hours(block: int) -> float:
    return (block + 1) * 0.5 - BEGINS * 24.0


def _page_hinkley(series: list[float]) -> float | None:
    drift = pytest.importorskip("river.drift")
    watch = drift.PageHinkley(min_instances=144, delta=0.5, threshold=25.0, mode="up")
    for block, x in enumerate(series):
        watch.update(x)
        if watch.drift_detected:
            return _hours(block)
    return None


def _adwin(series: list[float]) -> float | None:
    drift = pytest.importorskip("river.drift")
    watch = drift.ADWIN(delta=1e-7, grace_period=48)
    for block, x in enumerate(series):
        watch.update(x)
        if watch.drift_detected:
            return _hours(block)
    return None


def _pelt(series: list[float]) -> float | None:
    numpy, ruptures = pytest.importorskip("numpy"), pytest.importorskip("ruptures")
    found = ruptures.Pelt(model="l2", min_size=24, jump=4).fit(numpy.array(series)).predict(pen=150)
    return _hours(found[0]) if len(found) > 1 else None


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("share", [0.06, 0.10, 0.25])
def test_a_clear_loss_is_seen_by_all_and_by_us_not_later_than_the_first(
    share: float, seed: int
) -> None:
    ours, series = _ours(_flows(seed, share))
    theirs = [judge(series) for judge in (_page_hinkley, _adwin)]
    known = [hours for hours in theirs if hours is not None and hours > 0]
    assert len(known) == 2, "the case is not clear"
    change = _pelt(series)
    assert change is not None
    assert abs(change) <= 6.0
    assert ours is not None
    assert 0 < ours <= min(known) + BOUND_H


@pytest.mark.parametrize("judge", [_page_hinkley, _adwin, _pelt], ids=lambda j: j.__name__)
@pytest.mark.parametrize("seed", range(3, 6))
def test_where_nothing_is_lost_nobody_says_so(
    judge: Callable[[list[float]], float | None], seed: int
) -> None:
    ours, series = _ours(_flows(seed, 0.0))
    assert judge(series) is None
    assert ours is None


@pytest.mark.parametrize("seed", range(3))
def test_the_moved_mean_of_a_tap_network_agrees_with_page_hinkley(seed: int) -> None:
    """Blocks of six hours; a rise of four scatters on day 30."""
    drift = pytest.importorskip("river.drift")
    watch = drift.PageHinkley(min_instances=A_DAY * 14, delta=1.0, threshold=8.0, mode="up")
    moved, rng, ours, theirs = Moved(least=0.1), random.Random(seed), None, None
    for block in range(A_DAY * 40):
        x = rng.gauss(0.0, 1.0) + (4.0 if block >= A_DAY * 30 else 0.0)
        days, far, z = moved.add(x, 1.0)
        watch.update(x)
        if ours is None and days and far > 0 and z >= Z[days]:
            ours = block
        if theirs is None and watch.drift_detected:
            theirs = block
    assert theirs is not None
    assert ours is not None
    assert A_DAY * 30 <= ours <= theirs + 2 * A_DAY
