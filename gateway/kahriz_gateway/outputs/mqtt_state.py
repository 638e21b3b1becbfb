# SPDX-License-Identifier: MIT
"""The last values of each point as retained MQTT: kahriz/v1/<site>/gateway/state/<point>.

Flat JSON for Home Assistant, Node-RED or a lamp: {"ts": …, "q": 1, "stage_m": 0.151,
"discharge_lps": 12.1, "discharge_u_lps": 0.9}. A failed value is left out.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Sequence

from kahriz_alarms.delivery import DeliveryError
from kahriz_gateway.village.changes import Span
from kahriz_gateway.village.moments import values_in
from kahriz_gateway.village.store import last_value, quantities_of
from kahriz_water.value import Value

FAIL = 4  # QARTOD: from here on a number is not told
DIGITS = 6


class MqttState:
    """Publishes the newest moment of each point and never an older one after it."""

    def __init__(self, site: str, publish_retained: Callable[[str, bytes], bool]) -> None:
        self._site = site
        self._publish = publish_retained
        self._newest: dict[str, int] = {}

    def refresh(self, conn: sqlite3.Connection, spans: Sequence[Span]) -> None:
        """Of all that changed only the newest moment of a point is looked up."""
        newest: dict[str, int] = {}
        for point, _, b in spans:
            newest[point] = max(b, newest.get(point, b))
        values = values_in(conn, [Span(point, ts, ts) for point, ts in newest.items()])
        gone = newest.keys() - {value.point for value in values}
        for point in gone:  # that moment was taken back: what stands before it then
            if self._newest.get(point) == newest[point]:
                del self._newest[point]
            values += values_in(conn, [*(s for s in spans if s.point == point), _last(conn, point)])
        self.write(values)

    def write(self, values: Sequence[Value]) -> None:
        moments: dict[str, dict[int, list[Value]]] = {}
        for value in values:
            moments.setdefault(value.point, {}).setdefault(value.ts, []).append(value)
        for point, by_ts in moments.items():
            ts = max(by_ts)
            if ts < self._newest.get(point, ts):
                continue
            topic = f"kahriz/v1/{self._site}/gateway/state/{point}"
            if not self._publish(topic, body(ts, by_ts[ts])):
                raise DeliveryError("the broker has not confirmed", permanent=False)
            self._newest[point] = ts


def _last(conn: sqlite3.Connection, point: str) -> Span:
    """The newest moment of a point."""
    found = [last_value(conn, point, quantity) for quantity in quantities_of(conn, point)]
    ts = max((value.ts for value in found if value is not None), default=0)
    return Span(point, ts, ts)


def body(ts: int, values: Sequence[Value]) -> bytes:
    """One moment of one point."""
    flat: dict[str, float | int] = {"ts": ts, "q": max(v.q for v in values)}
    for value in values:
        if value.q < FAIL:
            flat[value.quantity] = round(value.value, DIGITS)
            if value.u is not None and value.quantity == "discharge_lps":
                flat["discharge_u_lps"] = round(value.u, DIGITS)
    return json.dumps(flat).encode()
