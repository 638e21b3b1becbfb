# SPDX-License-Identifier: MIT
"""The chart for a message that asks for something, out of the stored values.

A chart is worth less than the message: what goes wrong with it is logged, and the text leaves.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterable, Sequence

from kahriz_alarms import charts
from kahriz_alarms.alarm import Event
from kahriz_alarms.people import Person
from kahriz_detect.site import Site
from kahriz_detect.site_plan import site_of
from kahriz_gateway.village import store as village_store
from kahriz_gateway.village.watch import STORED
from kahriz_water.site import Plan

SHOWS = ("email", "telegram")  # ways that take a picture
ASKING = ("raised", "escalated", "reopened", "back", "left", "unshelved", "changed")
BAD = 3  # QARTOD flags from here on are not drawn as water

log = logging.getLogger(__name__)


def chart(
    conn: sqlite3.Connection, events: Iterable[Event], plan: Plan, to: Person
) -> bytes | None:
    """The evidence of the gravest alarm that is asked about; None where nobody would see it."""
    if not set(SHOWS) & set(to.channels) & set(plan.ways.channels):
        return None
    asked = sorted(
        (e.alarm for e in events if e.what in ASKING and e.alarm.open),
        key=lambda alarm: not alarm.urgent,
    )
    for alarm in asked:
        try:
            made = charts.chart(alarm, plan, to.language, _Values(conn, site_of(plan)))
        except Exception:  # the edge of what a picture may cost: the text must leave
            log.exception("no chart for alarm %s", alarm.id)
            return None
        if made is not None:
            return made
    return None


class _Values:
    """`series(key, after, upto)` over the store."""

    def __init__(self, conn: sqlite3.Connection, site: Site) -> None:
        self._conn, self._site = conn, site

    def __call__(self, key: str, after: int, upto: int) -> Sequence[tuple[int, float]]:
        signal = self._site.signal(key)
        if signal is None:
            return []
        found: dict[int, float] = {}
        for quantity, bound in STORED.get(signal.quantity, ((signal.quantity, None),)):
            values = village_store.values_between(self._conn, signal.point, quantity, after, upto)
            good = {v.ts: v.value for v in values if bound is not None or v.q < BAD}
            found = good | found
        return sorted(found.items())
