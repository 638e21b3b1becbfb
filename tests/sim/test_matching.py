# SPDX-License-Identifier: MIT
"""Rows find their readings though the clock of the node was wrong."""

from kahriz_sim.matching import Row, Sample, match

DT_MS = 300_000


def samples(count: int) -> list[Sample]:
    return [Sample(k, k * DT_MS) for k in range(1, count + 1)]


def row(n: int, ts: int | None, tq: str | None = None) -> Row:
    return Row("9f3a01c2", n, ts, tq)


def test_each_row_takes_its_own_reading() -> None:
    found, spare = match(samples(3), [row(n, n * DT_MS + 900) for n in (1, 2, 3)])
    assert (len(found), spare) == (3, 0)


def test_a_row_too_many_is_a_duplicate_not_a_neighbours_row() -> None:
    rows = [row(1, DT_MS), row(2, 2 * DT_MS), row(99, 2 * DT_MS)]
    found, spare = match(samples(3), rows)
    assert {s.wake for s in found} == {1, 2}
    assert spare == 1


def test_a_row_far_from_every_reading_belongs_to_none() -> None:
    assert match(samples(2), [row(1, DT_MS + 160_000 + 10 * DT_MS)]) == (set(), 1)


def test_an_estimated_clock_half_an_hour_off_loses_nothing() -> None:
    rows = [row(1, DT_MS)]
    rows += [row(n, n * DT_MS + n * 90_000, "est") for n in range(2, 20)]
    rows += [row(20, 20 * DT_MS)]
    found, spare = match(samples(20), rows)
    assert (len(found), spare) == (20, 0)


def test_rows_without_a_time_go_by_their_order() -> None:
    rows = [row(1, None, "unk"), row(2, None, "unk"), row(3, 3 * DT_MS)]
    found, spare = match(samples(4), rows)
    assert {s.wake for s in found} == {1, 2, 3}
    assert spare == 0


def test_a_hole_among_estimated_rows_stays_a_hole() -> None:
    rows = [row(1, DT_MS), row(5, 5 * DT_MS)]
    rows += [row(n, n * DT_MS + 20_000, "est") for n in (2, 4)]
    found, spare = match(samples(5), rows)
    assert {s.wake for s in found} == {1, 2, 4, 5}
    assert spare == 0


def test_a_doubled_row_of_unknown_time_is_a_duplicate() -> None:
    rows = [row(1, None, "unk"), row(2, 2 * DT_MS), row(3, None, "unk")]
    found, spare = match(samples(2), rows)
    assert (len(found), spare) == (2, 1)


def test_the_wake_after_a_cut_is_not_blamed_for_the_row_the_cut_one_never_wrote() -> None:
    cut, after = Sample(1, 300_000, cut=True), Sample(2, 300_300)
    dated = Row("9f3a01c2", 1, 297_300, "dated")  # nearer to the cut one than to its own
    found, spare = match([cut, after], [dated])
    assert found == {after}
    assert spare == 0


def test_a_cut_wake_that_wrote_its_row_keeps_it() -> None:
    cut, after = Sample(1, 300_000, cut=True), Sample(2, 300_300)
    written = [Row("9f3a01c2", 1, 296_700, None), Row("9f3a01c2", 2, 300_050, "dated")]
    found, spare = match([cut, after], written)
    assert found == {cut, after}
    assert spare == 0


def test_wakes_of_one_restart_are_not_taken_crosswise() -> None:
    began, again, last = Sample(13, 296_584), Sample(14, 300_000), Sample(15, 300_000)
    rows = [
        Row("9f3a01c2", 13, 301_000, None),
        Row("9f3a01c2", 14, 304_000, None),
        Row("9f3a01c2", 15, 296_000, "dated"),
    ]
    found, spare = match([began, again, last], rows)
    assert found == {began, again, last}
    assert spare == 0


def test_a_copied_row_beside_a_lost_one_is_not_taken_for_it() -> None:
    lost, kept = Sample(13, 296_584), Sample(14, 300_000)
    copied = Row("9f3a01c2", 100_014, 296_000, "dated")
    found, spare = match([lost, kept], [Row("9f3a01c2", 14, 300_000, None), copied])
    assert (found, spare) == ({kept}, 1)
