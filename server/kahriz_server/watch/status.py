# SPDX-License-Identifier: MIT
"""What the server says of itself: /healthz for machines that ask, /metrics as Prometheus' text."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

from kahriz_alarms.loop.clock import Clock
from kahriz_server.watch import store
from kahriz_server.watch.accept import Acceptor, Said
from kahriz_server.watch.keeper import DATA

TEXT = "text/plain; version=0.0.4; charset=utf-8"
STALE_MS = 120_000  # the keeper notes each minute that it judges

HELP = {
    "kahriz_office_gateways": "gateways that are known",
    "kahriz_office_heard_seconds": "since the last heartbeat of a gateway",
    "kahriz_office_reading_seconds": "since the newest reading of a kahriz in InfluxDB",
    "kahriz_office_clock_off_seconds": "a gateway's clock less the server's at its last heartbeat",
    "kahriz_office_room_used_ratio": "as the gateway says",
    "kahriz_office_days_left": "until a gateway's disk is full, as it says",
    "kahriz_office_backlog": "changes that wait at a gateway for InfluxDB",
    "kahriz_office_alarms_open": "open alarms of a gateway, as it says",
    "kahriz_office_open": "alarms of the office itself without an end, by kind",
    "kahriz_office_heartbeats_total": "heartbeats since the start, by what was answered",
    "kahriz_office_influx_answers": "1 while InfluxDB answers",
}

Sample = tuple[str, dict[str, str], float]


class Status:
    """`judged` says when the keeper last ended a round, on the monotonic clock's side."""

    def __init__(
        self, data: Path, clock: Clock, acceptor: Acceptor, ailing: Callable[[], str | None]
    ) -> None:
        self._data, self._clock, self._acceptor, self._ailing = data, clock, acceptor, ailing
        self._conn: sqlite3.Connection | None = None

    def healthz(self) -> Said:
        """503 while something keeps it from its work; what, in a line each."""
        ails = [text for text in (self._acceptor.trouble, self._ailing()) if text]
        words: dict[str, object] = {"ok": not ails, "ails": ails}
        try:
            conn = self._open()
            words["gateways"] = len(store.gateways(conn))
            data = store.get_state(conn, DATA)
            words["influx"] = None if data is None else data["ok"]
        except (sqlite3.Error, store.OfficeStoreError) as error:
            words = {"ok": False, "ails": [*ails, str(error)]}
        return Said(200 if words["ok"] else 503, json.dumps(words).encode())

    def metrics(self) -> Said:
        found: dict[str, list[str]] = {}
        try:
            for name, labels, value in self._samples(self._open()):
                pairs = ",".join(f'{k}="{v}"' for k, v in labels.items())
                found.setdefault(name, []).append(f"{name}{{{pairs}}} {float(value):.12g}")
        except (sqlite3.Error, store.OfficeStoreError) as error:
            return Said(503, str(error).encode(), TEXT)
        lines = []
        for name, samples in found.items():
            sort = "counter" if name.endswith("_total") else "gauge"
            lines += [f"# HELP {name} {HELP[name]}", f"# TYPE {name} {sort}", *samples]
        return Said(200, ("\n".join(lines) + "\n").encode(), TEXT)

    def _open(self) -> sqlite3.Connection:
        if self._conn is None:
            self._conn = store.open_office(self._data)
        return self._conn

    def _samples(self, conn: sqlite3.Connection) -> Iterator[Sample]:
        now = self._clock.now_ms()
        gateways = store.gateways(conn)
        yield "kahriz_office_gateways", {}, len(gateways)
        for each in gateways:
            site, beat = {"site": each.site}, each.beat
            if each.reading is not None:
                yield "kahriz_office_reading_seconds", site, (now - each.reading) / 1000
            if beat is None or each.received is None:
                continue
            yield "kahriz_office_heard_seconds", site, (now - each.received) / 1000
            if each.off is not None:
                yield "kahriz_office_clock_off_seconds", site, each.off / 1000
            said = (
                ("room_used_ratio", beat.room_used),
                ("days_left", beat.days_left),
                ("backlog", beat.backlog),
                ("alarms_open", beat.alarms),
            )
            for name, value in said:
                if value is not None:
                    yield f"kahriz_office_{name}", site, value
        rows = conn.execute("SELECT kind, count(*) FROM alarm WHERE closed IS NULL GROUP BY kind")
        for kind, count in rows:
            yield "kahriz_office_open", {"kind": kind}, count
        for status, count in self._acceptor.counts.items():
            yield "kahriz_office_heartbeats_total", {"status": str(status)}, count
        data = store.get_state(conn, DATA)
        if data is not None:
            yield "kahriz_office_influx_answers", {}, data["ok"]
