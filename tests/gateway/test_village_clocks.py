# SPDX-License-Identifier: MIT
"""A node whose clock is wrong is named by the village; a backlog, or a right clock, is not."""

from __future__ import annotations

from pathlib import Path

from kahriz_sim.series import rows

from .test_village import HOUR_MS, Chain, hourly

KIND = "sensor_fault:clock"


def _upload(chain: Chain, behind_h: int, uploads: int, first: int = 0) -> None:
    """The outlet's rows of some hours, so many hours behind the gateway's clock."""
    source = rows("banovshalar-gozlu", "calm", 1, 0.6, nodes=("outlet",))
    for end, batch in list(hourly(source))[first : first + uploads]:
        chain.clock.ms = end + behind_h * HOUR_MS
        chain.put(batch, chain.clock.ms)
        chain.work()


def _clocks(chain: Chain) -> list[tuple[str, str]]:
    return [(place, state) for kind, place, state in chain.alarms() if kind == KIND]


def test_a_clock_that_falls_behind_is_named_and_over_when_it_is_right_again(tmp_path: Path) -> None:
    chain = Chain(tmp_path)
    _upload(chain, 0, 4)
    assert _clocks(chain) == []
    _upload(chain, 30, 1, first=4)
    assert _clocks(chain) == [], "one upload may have been tried again for a day"
    _upload(chain, 30, 2, first=5)
    (named,) = _clocks(chain)
    assert named[0] == "outlet"
    chain.restart()
    _upload(chain, 0, 1, first=7)
    _upload(chain, 30, 3, first=8)
    assert len(_clocks(chain)) == 1


def test_a_backlog_of_a_day_that_comes_with_new_rows_is_no_wrong_clock(tmp_path: Path) -> None:
    chain = Chain(tmp_path)
    source = list(hourly(rows("banovshalar-gozlu", "calm", 1, 1.2, nodes=("outlet",))))
    for end, batch in source[:3]:
        chain.clock.ms = end
        chain.put(batch, end)
        chain.work()
    end = source[-1][0]
    chain.clock.ms = end
    chain.put([row for _, batch in source[3:] for row in batch], end)
    chain.work()
    assert _clocks(chain) == []
