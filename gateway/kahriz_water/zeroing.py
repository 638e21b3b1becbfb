# SPDX-License-Identifier: MIT
"""A new zero of a level sensor out of readings of the staff gauge beside it.

The mean of staff minus sensor moves the zero. Readings that differ among themselves show a sensor
that is ill, not a zero that has moved: those are refused, with the numbers.
"""

from __future__ import annotations

import math

from kahriz_water.deployment import Deployment
from kahriz_water.records import U_STAFF_READ_M, Records, Zero
from kahriz_water.strict import ConfigError

LEAST = 3  # readings
APART_M = 0.010  # as far as one echo of an A02YYUW may be off; a moved zero is the same each time


def moved(
    records: Records,
    point: str,
    at: Deployment | None,
    who: str,
    now_ms: int,
    since_ms: int | None = None,
    from_ms: int | None = None,
) -> Zero:
    """The zero that the readings since the last one ask for; ConfigError when they do not."""
    now = None if at is None else records.zero_at(at, now_ms)
    if at is None or now is None:
        raise ConfigError("--point", "a point whose sensor has a zero in the records", point)
    begin = now.from_ms if since_ms is None else max(since_ms, now.from_ms)
    offsets = [
        (s.at, offset)
        for s in sorted(records.staff, key=lambda s: s.at)
        if s.point == point and begin <= s.at <= now_ms
        for offset in [s.offset_m(now.zero_m)]
        if offset is not None
    ]
    said = ", ".join(f"{1000 * offset:+.0f} mm" for _, offset in offsets) or "none"
    if len(offsets) < LEAST:
        raise ConfigError("staff readings", f"{LEAST} compared ones since the last zero", said)
    values = [offset for _, offset in offsets]
    apart_m = max(values) - min(values)
    if apart_m > APART_M:
        raise ConfigError(
            "staff readings",
            f"within {1000 * APART_M:.0f} mm of each other (the sensor is ill, or the staff gauge"
            " was misread: a new zero mends neither)",
            said,
        )
    mean = sum(values) / len(values)
    s = math.sqrt(sum((x - mean) ** 2 for x in values) / (len(values) - 1))
    return Zero(
        node=at.node,
        channel=at.channel,
        from_ms=offsets[0][0] if from_ms is None else from_ms,
        zero_m=round(now.zero_m + mean, 4),
        u_m=round(max(0.0005, math.hypot(s / math.sqrt(len(values)), U_STAFF_READ_M)), 4),
        who=who,
        note=f"moved by {1000 * mean:+.1f} mm, staff minus sensor: {said}",
    )
