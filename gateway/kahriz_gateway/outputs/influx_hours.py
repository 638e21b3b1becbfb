# SPDX-License-Identifier: MIT
"""Output of hours to InfluxDB, to a bucket of their own: `kahriz_1h` beside `kahriz`.

Measurement and tags are those of the single values, and the mean has the name of its quantity, so
that a panel looks at years by looking at the other bucket. Beside it `<quantity>_min`, `_max`,
`_n`, `_coverage` (0 to 1) and `_q`; an hour that has lost its values is flagged missing.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from kahriz_gateway.outputs.influx import InfluxOutput, open_bucket
from kahriz_gateway.outputs.influx_lines import line
from kahriz_gateway.village.changes import Moment, Span
from kahriz_gateway.village.rollup import Hour, hours, hours_of
from kahriz_water.site import Plan

SUFFIX = "_1h"


class InfluxHours:
    """Works out the hours that were touched and writes them again."""

    def __init__(self, plan: Plan, bucket: InfluxOutput) -> None:
        self._plan = plan
        self._bucket = bucket
        self._nodes = {point.id: point.node for point in plan.points}

    def refresh(self, conn: sqlite3.Connection, spans: Sequence[Span]) -> None:
        found = hours(conn, self._plan, hours_of(spans))
        self._bucket.write_lines(hour_lines(self._plan.id, self._nodes, found))

    def close(self) -> None:
        self._bucket.close()


def from_plan(plan: Plan, data_dir: Path) -> InfluxHours:
    """The output a plan asks for; ConfigError when its secret cannot be read."""
    return InfluxHours(plan, open_bucket(plan, data_dir, SUFFIX))


def hour_lines(site: str, nodes: Mapping[str, str], found: Iterable[Hour]) -> list[str]:
    """One line a (point, hour) with all its quantities."""
    rows: dict[Moment, dict[str, float]] = {}
    for each in found:
        fields = rows.setdefault((each.point, each.ts), {})
        if each.mean is not None and each.low is not None and each.high is not None:
            fields[each.quantity] = each.mean
            fields[f"{each.quantity}_min"] = each.low
            fields[f"{each.quantity}_max"] = each.high
            if each.quantity == "discharge_lps" and each.u is not None:
                fields["discharge_u_lps"] = each.u
        fields[f"{each.quantity}_n"] = each.n
        fields[f"{each.quantity}_coverage"] = each.coverage
        fields[f"{each.quantity}_q"] = each.q
        fields["q"] = min(fields.get("q", each.q), each.q)
    texts = []
    for (point, ts), fields in rows.items():
        tags = {"site": site, "node": nodes.get(point, point), "point": point}
        text = line("water", tags, fields, ts)
        if text is not None:
            texts.append(text)
    return texts
