# SPDX-License-Identifier: MIT
"""Recorded readings under other ratings: discharge worked out anew from the recorded stage."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from operator import itemgetter

from kahriz_detect.finding import Sample
from kahriz_detect.replay.run import BOUNDS, ReplayError, Row
from kahriz_detect.site import FLOW
from kahriz_water.interpret import of_discharge
from kahriz_water.quality import FAIL
from kahriz_water.records import DatedRating, Records
from kahriz_water.structures import Structure

DISCHARGE, STAGE, TAIL = "discharge_lps", "stage_m", "tail_m"


def rated(readings: Iterable[Row], ratings: Sequence[DatedRating]) -> Iterator[Row]:
    """The same rows; where a rating holds, its discharge stands instead of the recorded one.

    A point that has a discharge and no stage cannot be rated anew: it is refused, for in silence
    it would go without water.
    """
    records = Records(ratings=tuple(ratings))
    named = {rating.point for rating in ratings}
    dropped: set[str] = set()
    made: set[str] = set()
    for _, together in groupby(readings, key=itemgetter(0)):
        batch = list(together)
        tails = {(s.point, s.ts): s.value for _, s in batch if s.quantity == TAIL and s.q < FAIL}
        for moment, sample in batch:
            held = records.rating_at(sample.point, sample.ts) if sample.point in named else None
            if held is None:
                yield moment, sample
            elif sample.quantity == DISCHARGE or sample.bound is not None:
                dropped.add(sample.point)
            else:
                yield moment, sample
                if sample.quantity == STAGE and sample.q < FAIL:
                    made.add(sample.point)
                    tail_m = tails.get((sample.point, sample.ts))
                    yield moment, _flow(sample, held.structure, tail_m)
    if dropped - made:
        names = ", ".join(sorted(dropped - made))
        raise ReplayError(
            f"{names}: a discharge and no {STAGE} in the readings; write them with"
            " `kahriz export values --form replay`"
        )


def _flow(sample: Sample, structure: Structure, tail_m: float | None) -> Sample:
    found = of_discharge(
        sample.point, sample.ts, structure.discharge(sample.value, 0.0, 0.0, tail_m), sample.q
    )
    bound = BOUNDS.get(found.quantity)
    return sample._replace(
        quantity=FLOW if bound else DISCHARGE, value=found.value, q=found.q, bound=bound
    )
