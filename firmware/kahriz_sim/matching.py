# SPDX-License-Identifier: MIT
"""Which row belongs to which reading of the world, though a node's clock may have been wrong."""

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from operator import attrgetter

NEAR_MS = 150_000  # half the interval of the nodes


@dataclass(frozen=True)
class Sample:
    """A wake in which a sensor was served, at the world's own time.

    `cut`: the node lost its power in this wake, so that its row may never have been written.
    """

    wake: int
    t_ms: int
    cut: bool = False


@dataclass(frozen=True)
class Row:
    journal: str
    n: int
    ts: int | None
    tq: str | None


def match(samples: list[Sample], rows: list[Row]) -> tuple[set[Sample], int]:
    """(samples that have a row, rows that have no sample of their own).

    0. A wake that was cut is left out when there are fewer rows than samples around it: the wake
       after it began in the same second, and the row is that one's.
    1. Rows with a synced clock take the nearest free sample within 150 s, the nearest first.
    2. Rows without one lie between two such rows of their journal: where as many free samples as
       rows lie between the same two wakes they belong together in order, however wrong the clock;
       else by nearness, and those without any time in order.
    3. Wakes within seconds of each other, as around a restart, may have been taken crosswise, so
       that one row and one sample are left over: consecutive rows and as many samples of the same
       five minutes belong together in order.
    """
    samples = _without_rowless_cuts(sorted(samples, key=attrgetter("wake")), rows)
    taken: dict[Row, Sample] = {}
    free = set(samples)
    _by_nearness([r for r in rows if r.tq is None and r.ts is not None], samples, free, taken)
    journals: dict[str, list[Row]] = {}
    for row in sorted(rows, key=attrgetter("n")):
        journals.setdefault(row.journal, []).append(row)
    for journal in journals.values():
        for unsure, after, before in _stretches(journal, taken):
            between = [s for s in samples if s in free and after < s.wake < before]
            if len(between) != len(unsure):
                _by_nearness([r for r in unsure if r.ts is not None], between, free, taken)
                between = [s for s in between if s in free]
                unsure = [r for r in unsure if r not in taken and r.ts is None]
            for row, sample in zip(unsure, between, strict=False):
                taken[row] = sample
                free.discard(sample)
        _uncross(journal, samples, free, taken)
    return set(taken.values()), len(rows) - len(taken)


def _uncross(
    journal: list[Row], samples: list[Sample], free: set[Sample], taken: dict[Row, Sample]
) -> None:
    for left in [row for row in journal if row not in taken]:
        if left.ts is None:
            continue
        rows = [r for r in journal if r.ts is not None and abs(r.ts - left.ts) <= NEAR_MS]
        near = [s for s in samples if abs(s.t_ms - left.ts) <= NEAR_MS]
        elsewhere = {sample for row, sample in taken.items() if row not in rows}
        consecutive = rows[-1].n - rows[0].n == len(rows) - 1
        if consecutive and len(rows) == len(near) and not elsewhere.intersection(near):
            taken.update(zip(rows, near, strict=True))
            free.difference_update(near)


def _without_rowless_cuts(samples: list[Sample], rows: list[Row]) -> list[Sample]:
    stamps = sorted(row.ts for row in rows if row.ts is not None)
    kept = list(samples)
    for cut in [sample for sample in samples if sample.cut]:
        low, high = cut.t_ms - NEAR_MS, cut.t_ms + NEAR_MS
        written = bisect_right(stamps, high) - bisect_left(stamps, low)
        if written < sum(low <= sample.t_ms <= high for sample in kept):
            kept.remove(cut)
    return kept


def _stretches(journal: list[Row], taken: dict[Row, Sample]) -> list[tuple[list[Row], int, float]]:
    """Runs of rows without a sure time, each with the wakes of its two sure neighbours."""
    found: list[tuple[list[Row], int, float]] = []
    run: list[Row] = []
    after = 0
    for row in journal:
        if row in taken:
            if run:
                found.append((run, after, taken[row].wake))
            run, after = [], taken[row].wake
        elif row.tq is not None or row.ts is None:
            run.append(row)
    if run:
        found.append((run, after, float("inf")))
    return found


def _by_nearness(
    rows: list[Row], samples: list[Sample], free: set[Sample], taken: dict[Row, Sample]
) -> None:
    by_time = sorted(samples, key=attrgetter("t_ms"))
    times = [s.t_ms for s in by_time]
    pairs = []
    for at, row in enumerate(rows):
        if row.ts is None:
            continue
        low = bisect_left(times, row.ts - NEAR_MS)
        for i in range(low, bisect_right(times, row.ts + NEAR_MS)):
            pairs.append((abs(times[i] - row.ts), at, i))
    for _, at, i in sorted(pairs):
        if rows[at] not in taken and by_time[i] in free:
            taken[rows[at]] = by_time[i]
            free.discard(by_time[i])
