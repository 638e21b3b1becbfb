# SPDX-License-Identifier: MIT
"""Other ratings over recorded rows: what they change, and what they leave alone."""

from __future__ import annotations

import pytest

from kahriz_detect.finding import Sample
from kahriz_detect.replay.rated import rated
from kahriz_detect.replay.run import ReplayError
from kahriz_detect.site import FLOW
from kahriz_water.records import DatedRating
from kahriz_water.structures.v_notch import VNotch

NOTCH = VNotch(angle_deg=90)
FROM, TO = 1_000_000, 9_000_000
RATING = DatedRating("outlet", FROM, TO, NOTCH, "R. Quliyev")
TRUE_LPS = NOTCH.discharge(0.15, 0.0).lps


def rows(ts: int, stage_m: float = 0.15, **more: float) -> list[tuple[int, Sample]]:
    """A moment of a weir that was rated at 99 L/s."""
    found = [Sample(ts, "outlet", "discharge_lps", 99.0), Sample(ts, "outlet", "stage_m", stage_m)]
    found += [Sample(ts, "outlet", name, value) for name, value in more.items()]
    return [(ts, sample) for sample in found]


def flows(given: list[tuple[int, Sample]]) -> list[tuple[float | None, str | None]]:
    made = [sample for _, sample in rated(given, [RATING])]
    return [(s.value, s.bound) for s in made if s.quantity in ("discharge_lps", FLOW)]


def test_a_discharge_is_worked_out_anew_while_the_rating_holds_and_not_beside_it() -> None:
    assert TRUE_LPS is not None
    assert flows([*rows(FROM - 1), *rows(FROM), *rows(TO - 1), *rows(TO)]) == [
        (99.0, None), (pytest.approx(TRUE_LPS), None), (pytest.approx(TRUE_LPS), None), (99.0, None)
    ]  # fmt: skip


def test_a_stage_outside_of_the_rating_is_a_bound_and_so_is_a_drowned_one() -> None:
    ((low, kind),) = flows(rows(FROM, stage_m=0.01))
    assert (low, kind) == (pytest.approx(NOTCH.free_flow_m3s(NOTCH.low_m) * 1000), "lt")
    ((drowned, kind),) = flows(rows(FROM, tail_m=0.10))
    assert (drowned, kind) == (pytest.approx(TRUE_LPS), "lt")


def test_a_failed_stage_gives_no_discharge_and_other_points_are_left_alone() -> None:
    bad = (FROM, Sample(FROM, "outlet", "stage_m", 0.15, q=4))
    other = (FROM, Sample(FROM, "middle", "discharge_lps", 7.0))
    good = rows(FROM + 1)
    assert flows([bad, other, *good]) == [(7.0, None), (pytest.approx(TRUE_LPS), None)]


def test_a_discharge_without_any_stage_is_refused() -> None:
    with pytest.raises(ReplayError, match="outlet: a discharge and no stage_m"):
        list(rated([(FROM, Sample(FROM, "outlet", "discharge_lps", 9.0))], [RATING]))
