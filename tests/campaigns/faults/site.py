# SPDX-License-Identifier: MIT
"""One small kahriz on virtual time: broker, intake, village, modem and database.

Intake and village are the product's own loops over real SQLite stores; radio, flash, disk, clock,
modem, database and the network are the border, and ours. The world's time goes on in `run_until`.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

from kahriz_alarms.channels.call import CallChannel
from kahriz_alarms.channels.modem import Modem
from kahriz_alarms.channels.sms import SmsChannel
from kahriz_alarms.service.notify import Notifier
from kahriz_gateway.alarms import clock as alarm_clock
from kahriz_gateway.alarms.keeper import Keeper
from kahriz_gateway.alarms.office import OfficeWatch
from kahriz_gateway.alarms.people import PeopleSender
from kahriz_gateway.clock import SteadyClock
from kahriz_gateway.intake import store as intake_store
from kahriz_gateway.intake.intake import Intake
from kahriz_gateway.intake.store import is_trouble
from kahriz_gateway.outputs.follower import Follower
from kahriz_gateway.outputs.influx import InfluxOutput, quarantine_file
from kahriz_gateway.records import records
from kahriz_gateway.village import store as village_store
from kahriz_gateway.village.loop import Loop
from kahriz_gateway.village.sender import Sender
from kahriz_gateway.village.village import AGAIN_S, Village
from kahriz_sim.modem import Modem as Stick

from ..alarm_run import Mail
from ..alarm_time import Hand, Time, Turn
from .baton import Baton
from .broker import Broker, IntakeDoor
from .clock import Machine, MachineClock
from .database import Database
from .disk import Disk
from .phone import MortalPhone
from .small import NODE, RECORDS, SITE, plan_of

IDLE_STEPS = 3  # of the node's interval: so often the village looks while nothing is urgent
FRESH_MS = 3_600_000  # an urgent message that waits for longer waits for a mended way
RESTART_S = 2.0  # systemd's pause before it starts a service again
IDLE_WAIT_S = 1e6  # of intake: until something arrives
BUSY_S, QUICK_S = 20.0, 20.0  # how often, and how long after something came in


class Process:
    """A service of the gateway: its threads, and when it will be started again."""

    def __init__(self, name: str, start: Callable[[], list[Baton]], disk: Disk) -> None:
        self.name = name
        self.frozen = False
        self.start_s: float | None = 0.0
        self.threads: list[Baton] = []
        self.starts = 0
        self.failures: list[str] = []
        self._start, self._disk = start, disk

    def turn(self, at_s: float) -> None:
        """Let each thread go on that has waited long enough."""
        if self.frozen:
            return
        with self._disk.turn(self.name):
            if self.start_s is not None and at_s >= self.start_s:
                self.start_s = None
                self.starts += 1
                self.threads = self._start()
            for thread in self.threads:
                if thread.due_s is not None and thread.due_s <= at_s:
                    thread.resume()
        for thread in self.threads:
            if thread.failure is not None:
                self.failures.append(f"{self.name} {thread.name}: {thread.failure!r}")
                thread.failure = None
        if any(thread.dead or thread.due_s is None for thread in self.threads):
            self.kill(at_s + RESTART_S)

    def kill(self, again_s: float) -> None:
        for thread in self.threads:
            thread.kill()
        self._ended(again_s)

    def terminate(self, again_s: float) -> None:
        """SIGTERM: every loop ends in its own order."""
        with self._disk.turn(self.name):
            for thread in self.threads:
                thread.stop.set()
                thread.resume()
        self.kill(again_s)

    def _ended(self, again_s: float) -> None:
        self.threads = []
        self._disk.ended(self.name)
        self.start_s = max(again_s, self.start_s or 0.0)


class Site:
    """`data` holds the stores; `at` says what is to be done when."""

    def __init__(self, data: Path, start_ms: int, seed: int, dt_s: int) -> None:
        self.data = data
        self.plan = plan_of(dt_s)
        self._idle_s = float(IDLE_STEPS * dt_s)
        self.time = Time(start_ms)
        self.disk = Disk(self.time.spend)
        (data / "machine").mkdir()
        self.machine = Machine(self.time, data / "machine")
        self.database = Database()
        self.stick = Stick()
        self.phone = MortalPhone(self.stick, self.time, seed)
        self.mail = Mail(self.time, seed)
        self.mail.down = False
        self.broker = Broker(NODE, self._work)
        self.intake = Process("intake", self._start_intake, self.disk)
        self.village = Process("village", self._start_village, self.disk)
        self._intake: Intake | None = None
        self._busy_until_s = 0.0
        self.moments: list[tuple[float, Callable[[], None]]] = []  # in order
        village = village_store.open_village(data / "village.db")
        records.import_records(village, _file(data / "records.toml", RECORDS), self.plan)
        village.close()
        self._look: sqlite3.Connection | None = None
        self._work()
        self.village.turn(0.0)

    # -- time

    def run_until(self, to_s: float) -> None:
        """The gateway lives on to that moment."""
        while self.time.at_s < to_s:
            step_s = (
                BUSY_S if self.time.at_s < self._busy_until_s or self._urgent() else self._idle_s
            )
            at_s = min(to_s, self.time.at_s + step_s)
            if self.moments and self.moments[0][0] < at_s:
                at_s = max(self.moments[0][0], self.time.at_s)
            self.time.at_s = max(self.time.at_s, at_s)
            while self.moments and self.moments[0][0] <= self.time.at_s:
                self.moments.pop(0)[1]()
            self._work()
            self.village.turn(self.time.at_s)

    def at(self, moment_s: float, do: Callable[[], None]) -> None:
        """Do that then."""
        self.moments.append((moment_s, do))
        self.moments.sort(key=lambda one: one[0])

    def busy(self) -> None:
        """Something has come in."""
        self._busy_until_s = self.time.at_s + QUICK_S

    def _urgent(self) -> bool:
        if self._look is None:
            self._look = village_store.open_village(self.data / "village.db", read_only=True)
        own_ms = self.time.now_ms() + self.machine.off_ms  # by which it was made
        return bool(
            self._look.execute(
                "SELECT 1 FROM message WHERE state IN ('waiting','sending')"
                " AND sort IN ('urgent','test')"
                " AND (made > ? OR made BETWEEN ? AND ?) LIMIT 1",
                (self.time.now_ms() - FRESH_MS, own_ms - FRESH_MS, own_ms),
            ).fetchone()
        )

    def close(self) -> None:
        """The end of the run."""
        for process in (self.intake, self.village):
            process.kill(0.0)
        if self._look is not None:
            self._look.close()

    # -- intake

    def _work(self) -> None:
        """Intake takes what the broker hands it."""
        process = self.intake
        if not process.frozen:
            process.turn(self.time.at_s)
        for _ in range(3):  # what it answers may call for more
            if process.frozen or not process.threads or not self.broker.hand_over():
                return
            stores = process.threads[0]
            if stores.due_s is not None and stores.due_s > self.time.at_s + IDLE_WAIT_S / 2:
                stores.due_s = self.time.at_s  # it waits for an arrival, not for its disk
            process.turn(self.time.at_s)
            self.busy()

    def _start_intake(self) -> list[Baton]:
        def run(stop: threading.Event) -> None:
            clock = MachineClock(self.machine)
            try:
                intake = Intake(
                    self.data / "readings.db", SITE, lambda node: node == NODE, clock,
                    monotonic_s=lambda: self.time.at_s,
                )  # fmt: skip
            except (sqlite3.OperationalError, intake_store.StoreError):
                return  # the service ends with a word, and is started again
            door = IntakeDoor(self.broker, intake.arrived, intake.announcement)

            def idle() -> None:
                if self.intake.threads and not self.intake.frozen:
                    intake.idle(door)

            door.idle = idle
            self.broker.attach(door)
            while not stop.wait(IDLE_WAIT_S):
                while intake.waiting:
                    if not intake.turn(door, stop):
                        return

        baton = Baton("stores", run, self.time)
        baton.resume()
        return [baton]

    def end_intake(self, kill: bool, again_s: float) -> None:
        self.broker.detach()
        (self.intake.kill if kill else self.intake.terminate)(again_s)

    # -- village

    def _start_village(self) -> list[Baton]:
        path, plan = self.data / "village.db", self.plan
        clock = MachineClock(self.machine)
        first = village_store.open_village(path)
        steady = SteadyClock(clock, alarm_clock.newest_ms(first), lambda: self.time.at_s)
        first.close()
        sender = Sender(path, plan, steady, [])
        self.phone.end(0.0)
        modem = Modem("stick", program=self.phone, turn=Turn(self.time), beat_s=self.time.s)
        channels = (SmsChannel(modem, beat_s=self.time.s), CallChannel(modem), self.mail)
        people = PeopleSender(
            path, plan, steady, channels, sender.tells,
            hand_over=lambda channel, done: Hand(channel, done, self.time),
        )  # fmt: skip
        quarantine = quarantine_file(self.data / "influx-quarantine.jsonl")
        nodes = {point.id: point.node for point in plan.points}
        output = InfluxOutput(
            self.database,
            SITE,
            nodes,
            quarantine,
            lambda: self.time.at_s,  # type: ignore[arg-type]
        )
        office = OfficeWatch("influx", plan, steady, sender.tells)
        conn: list[sqlite3.Connection] = []

        def make() -> Village:
            if not conn:
                conn.append(village_store.open_village(path))
            return Village(conn[0], plan, self.data, steady, sender, ["influx"])

        loops = {
            "loop": Loop(make, self.data, steady, Notifier({})).run,
            "alarms": Keeper(path, plan, steady, sender.tells, self._words).run,
            "people": people.run,
            "output": Follower("influx", output, self.data, office).run,
        }
        return [Baton(name, _again(run), self.time) for name, run in loops.items()]

    def _words(self) -> dict[str, int]:
        try:
            conn = intake_store.read_store(self.data / "readings.db")
        except (intake_store.StoreError, sqlite3.Error):
            return {}
        found = conn.execute("SELECT node, max(received) FROM session"
                             " WHERE received IS NOT NULL GROUP BY node").fetchall()  # fmt: skip
        conn.close()
        return {str(node): int(ms) for node, ms in found}


def _again(run: Callable[[threading.Event], None]) -> Callable[[threading.Event], None]:
    """As the village's own threads do when the disk refuses: the others go on, it tries again."""

    def run_again(stop: threading.Event) -> None:
        while not stop.is_set():
            try:
                run(stop)
            except (sqlite3.OperationalError, intake_store.StoreError) as error:
                if not isinstance(error, intake_store.StoreError) and not is_trouble(error):
                    raise
                stop.wait(AGAIN_S)

    return run_again


def _file(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path
