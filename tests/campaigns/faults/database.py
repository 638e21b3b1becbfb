# SPDX-License-Identifier: MIT
"""InfluxDB as the output sees it: takes lines, merges fields of a point, refuses as it is told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kahriz_gateway.outputs.influx_client import Refusal

from .schedule import MONTH

REFUSALS = {
    MONTH: Refusal(0, "no answer (ConnectTimeoutError)"),
    "database_down": Refusal(0, "no answer (ConnectionError)"),
    "database_401": Refusal(401, "unauthorized access"),
    "database_429": Refusal(429, "too many requests", 30.0),
    "database_503_wait_3600": Refusal(503, "service unavailable", 3600.0),
}
POISON = Refusal(400, "partial write: points beyond retention policy dropped=1")


class Database:
    """`points` is what it holds: (measurement and tags, ms) -> fields; `came` in which write."""

    def __init__(self) -> None:
        self.points: dict[tuple[str, int], dict[str, str]] = {}
        self.came: dict[tuple[str, int], int] = {}
        self.most_lines = 0
        self.trouble: list[str] = []
        self.refused = self.writes = 0

    def write(self, lines: Sequence[str]) -> Refusal | None:
        """As LineWriter does."""
        self.writes += 1
        self.most_lines = max(self.most_lines, len(lines))
        if (refusal := self._refusal()) is not None:
            return refusal
        if "database_400" in self.trouble and len(lines) > 1:  # a poisoned batch must be cut
            self.refused += 1
            return POISON
        for line in lines:
            key, fields, ts = line.rsplit(" ", 2)
            named = dict(field.split("=", 1) for field in fields.split(","))
            self.came.setdefault((key, int(ts)), self.writes)
            self.points.setdefault((key, int(ts)), {}).update(named)
        return None

    def delete(self, measurement: str, tags: Mapping[str, str], ts_ms: int) -> Refusal | None:
        """As LineWriter does."""
        if (refusal := self._refusal()) is not None:
            return refusal
        key = ",".join([measurement, *(f"{name}={tags[name]}" for name in sorted(tags))])
        self.points.pop((key, ts_ms), None)
        return None

    def _refusal(self) -> Refusal | None:
        for kind in self.trouble:
            if kind in REFUSALS:
                self.refused += 1
                return REFUSALS[kind]
        return None

    def close(self) -> None:
        pass
