# SPDX-License-Identifier: MIT
"""Distances and air temperatures through the gateway's own code: the settings that are silent for
a calm year ring within a day for a loss of 15 % and within a week for 10 %."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from kahriz_detect.finding import RAISED, Sample
from kahriz_detect.replay.run import Replay
from kahriz_detect.site_plan import site_of
from kahriz_gateway.records.records import parse_records
from kahriz_sim.series import START_MS, rows
from kahriz_water.interpret import Reading, interpret
from kahriz_water.plan import parse_plan

DT_S = 3600  # one reading an hour: twelve times less to average over than in a village
BEGINS = 30  # day on which the water is lost
DAY_MS, HOUR_MS = 86_400_000, 3_600_000


def _raised(
    water: SimpleNamespace, site: str, days: float, lost_lps: float
) -> list[tuple[float, str, str]]:
    """Hours since the loss began, kind, place."""
    text = (water.SITES / site / "site.toml").read_text(encoding="utf-8")
    plan = parse_plan(text.replace("dt_s = 300", f"dt_s = {DT_S}"))
    records = parse_records((water.SITES / site / "records.toml").read_text("utf-8"), plan)
    leaks = [("upper", lost_lps, 0.0)] if lost_lps else []

    def arriving() -> Iterator[tuple[int, Sample]]:
        stream = rows(
            site,
            "calm",
            7,
            days,
            dt_s=DT_S,
            nodes=water.WEIRS,
            leaks=leaks,
            events_from_day=float(BEGINS),
        )
        for row in stream:
            ts = int(row.values["ts"])
            reading = Reading(row.node, ts, int(row.values["q"]), row.values)
            for v in interpret(reading, records, plan):
                if v.quantity in water.BOUNDS:
                    bound = water.BOUNDS[v.quantity]
                    yield ts, Sample(ts, v.point, "discharge_lps", v.value, v.u, v.q, bound)

    begins = START_MS + BEGINS * DAY_MS
    found = Replay(site_of(plan)).run(arriving())
    return [((t - begins) / HOUR_MS, f.kind, f.place) for t, f in found if f.what == RAISED]


@pytest.mark.parametrize(("share", "hours"), [(0.0, 0.0), (0.15, 24.0), (0.10, 7 * 24.0)])
def test_a_calm_year_is_silent_and_a_loss_rings_in_time(
    water: SimpleNamespace, share: float, hours: float
) -> None:
    usual_lps = 12.0  # of this kahriz
    if share == 0.0:
        assert _raised(water, water.GOZLU, 365.0, 0.0) == []
        return
    ((after_h, kind, place),) = _raised(water, water.GOZLU, BEGINS + 8.0, share * usual_lps)
    assert (kind, place) == ("leak", "upper")
    assert 0 < after_h <= hours
