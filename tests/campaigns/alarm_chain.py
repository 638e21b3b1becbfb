# SPDX-License-Identifier: MIT
"""The whole way of a reading on simulated time: node's sleep and upload, intake, village, SMS.

The water and the echoes are simulated; when a node speaks is decided by its own policy. Intake,
interpretation, detectors, alarm loop are the real ones; the stick takes seconds as one does. What
the gateway's processor needs is not in these figures.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

from kahriz_alarms.channels.modem import Modem
from kahriz_alarms.channels.sms import SmsChannel
from kahriz_gateway.alarms.keeper import Keeper
from kahriz_gateway.alarms.people import PeopleSender
from kahriz_gateway.intake import store
from kahriz_gateway.intake.accept import Accept
from kahriz_gateway.records import records
from kahriz_gateway.village import store as village_store
from kahriz_gateway.village.sender import Sender
from kahriz_gateway.village.village import Village
from kahriz_node import policy
from kahriz_sim.modem import Modem as Stick
from kahriz_sim.scenario import Event, Scenario
from kahriz_sim.series import START_MS, rows
from kahriz_wire import topics
from kahriz_wire.messages import Hello, Row, encode_hello, encode_rows

from .alarm_phone import Phone
from .alarm_run import PLAN, SITES
from .alarm_time import Hand, Time, Turn

SITE = "banovshalar-gozlu"
DT_S, BATCH, STEP_S = 300, 12, 1.0
SPEAKS_S = 8.0  # from the wake to the last row: fifteen echoes, WiFi, TLS, the batch
BURST = {"weir": {"burst_mm_per_min": 2}}  # what docs/site.md advises for the mouth
MOUTH = "outlet"
DAY_MS = 86_400_000


@dataclass
class Rhythm:
    """A node's configuration as its policy sees it."""

    phase_s: int
    dt_s: int = DT_S
    batch: int = BATCH
    radio_above_mv: int = 3000
    deadline_ms: int = 8000
    radio_j_per_day: int = 120


@dataclass
class Node:
    rhythm: Rhythm
    state: dict[str, object] = field(default_factory=dict)
    waiting: list[Row] = field(default_factory=list)
    journal: str = ""
    sessions: int = 0


@dataclass(frozen=True)
class Told:
    """Seconds: after the event until it was stored as an alarm, until a text had left; and from
    the arrival of the reading that decided."""

    kind: str
    alarm_s: float
    left_s: float
    after_arrival_s: float
    uploads: int  # of the mouth in the day before


class Chain:
    """`event` befalls the water at `at_s` after the start."""

    def __init__(self, folder: Path, event: Event, at_s: float, seed: int) -> None:
        self.event, self.at_s, self.seed = event, at_s, seed
        self.time = Time(START_MS)
        self.readings = store.open_store(folder / "readings.db", SITE)
        self.accept = Accept(self.readings, SITE, lambda node: True, self.time)
        self.conn = village_store.open_village(folder / "village.db")
        for conn in (self.readings, self.conn):
            conn.execute("PRAGMA synchronous=OFF")
        records.import_records(self.conn, SITES / SITE / "records.toml", PLAN)
        path = folder / "village.db"
        sender = Sender(path, PLAN, self.time, [])
        self.village = Village(self.conn, PLAN, folder, self.time, sender)
        self.keeper = Keeper(path, PLAN, self.time, {})
        self.stick = Stick()
        self.phone = Phone(self.stick, self.time, seed)
        modem = Modem("stick", program=self.phone, turn=Turn(self.time), beat_s=self.time.s)
        sms = SmsChannel(modem, beat_s=self.time.s)
        self.people = PeopleSender(
            path, PLAN, self.time, [sms], {},
            hand_over=lambda channel, done: Hand(channel, done, self.time),
        )  # fmt: skip
        self.nodes: dict[str, Node] = {}
        self.arrived: list[float] = []
        self.mouth: list[float] = []

    def live(self, hours_after: float, kinds: tuple[str, ...]) -> Told | None:
        """Until a text about one of these kinds has left; None when none did in time."""
        days = (self.at_s + hours_after * 3600.0) / 86_400.0
        stream = rows(
            SITE, Scenario("promise", "", (self.event,)), self.seed, days,
            events_from_day=0.0, dt_s=DT_S,
        )  # fmt: skip
        for row in stream:
            ts = int(row.values["ts"])
            wake_s = (ts - START_MS) / 1000
            if wake_s + SPEAKS_S > self.time.at_s:
                self._until(wake_s + SPEAKS_S)
                told = self._told(kinds)
                if told is not None:
                    return told
            self._wake(row.node, ts, dict(row.values))
        return None

    def _until(self, at_s: float) -> None:
        """The gateway works on; before the event in large steps, for nothing is urgent."""
        if at_s < self.at_s:
            self._step()
            self.time.at_s = at_s
            return
        while self.time.at_s < at_s:
            self._step()
            self.time.at_s = min(at_s, self.time.at_s + STEP_S)

    def _step(self) -> None:
        while self.village.step():
            pass
        self.keeper.tick(self.conn)
        self.people.step(self.conn)

    def _wake(self, ident: str, ts: int, values: dict[str, float | int | str]) -> None:
        node = self.nodes.get(ident)
        if node is None:
            number = len(self.nodes)
            node = Node(Rhythm(phase_s=number * 60), journal=f"{number + 1:08x}")
            node.state["slot"] = policy.slot(node.rhythm, ts)  # type: ignore[arg-type]
            self.nodes[ident] = node
        rtc = ts - START_MS
        n = int(values.pop("n"))
        q = int(values.pop("q"))
        values.pop("ts")
        node.waiting.append(Row(n, q, values, ts))
        node.state["rows"] = len(node.waiting)
        if ident == MOUTH and "weir_distance_m" in values:
            tenths = round(float(values["weir_distance_m"]) * 10_000)
            readings = {"weir": {"distance_m": tenths}}
            policy.watch(node.state, list(BURST.items()), readings, rtc)  # type: ignore[arg-type]
        due = policy.due(node.state, node.rhythm, "timer", rtc, ts, 3300)  # type: ignore[arg-type]
        if due:
            self._speak(ident, node)
            policy.note(node.state, node.rhythm, True, rtc, ts, 3000)  # type: ignore[arg-type]

    def _speak(self, ident: str, node: Node) -> None:
        node.sessions += 1
        batch, node.waiting = node.waiting, []
        hello = Hello(f"{node.sessions:08x}", node.journal, batch[0].n, batch[-1].n + 1)
        self._tell(ident, "hello", encode_hello(hello))
        self._tell(ident, f"up/{node.journal}", encode_rows(batch))
        self.arrived.append(self.time.at_s)
        if ident == MOUTH:
            self.mouth.append(self.time.at_s)

    def _tell(self, ident: str, kind: str, payload: bytes) -> None:
        self.readings.execute("BEGIN IMMEDIATE")
        self.accept.message(topics.of(SITE, ident, kind), payload, False)
        self.accept.books.save(self.time.now_ms())
        self.readings.execute("COMMIT")

    def _told(self, kinds: tuple[str, ...]) -> Told | None:
        """The first text about one of the kinds that left after the event."""
        row = self.conn.execute(
            f"SELECT kind, stored FROM alarm WHERE kind IN ({','.join('?' * len(kinds))})"  # noqa: S608
            " ORDER BY id LIMIT 1",
            kinds,
        ).fetchone()
        if row is None or not self.stick.sent:
            return None
        left = self.phone.sent_at[0]
        stored = (row["stored"] - START_MS) / 1000
        decided = max(at for at in self.arrived if at <= stored)
        before = [at for at in self.mouth if self.at_s - 86_400.0 < at <= self.at_s]
        return Told(
            row["kind"],
            round(stored - self.at_s, 1),
            round(left - self.at_s, 1),
            round(left - decided, 1),
            len(before),
        )

    def alarms(self) -> str:
        return json.dumps([dict(r) for r in self.conn.execute("SELECT kind, place FROM alarm")])
