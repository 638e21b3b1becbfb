# SPDX-License-Identifier: MIT
"""The village service: what the readings mean, what is wrong with the water, who is told.

One loop writes: it follows readings.db by rev, stores values, runs the detectors to their
watermark and raises alarms, all of one step in one transaction. Beside it, each in a thread with
its own connection: the sender of alarms, a follower for every output, the page.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Callable, Collection
from pathlib import Path

from kahriz_alarms.attempts import CALL
from kahriz_alarms.channels import Outside, channels
from kahriz_alarms.channels.sms import SmsChannel
from kahriz_alarms.channels.to_people import to_people
from kahriz_alarms.loop.links import links_of
from kahriz_alarms.service import secret_file
from kahriz_alarms.service.notify import Notifier
from kahriz_gateway.alarms import clock as alarm_clock
from kahriz_gateway.alarms.keeper import Keeper
from kahriz_gateway.alarms.listen import Listener
from kahriz_gateway.alarms.modem import ModemWatch
from kahriz_gateway.alarms.office import OfficeWatch
from kahriz_gateway.alarms.people import PeopleSender
from kahriz_gateway.broker.tls import context
from kahriz_gateway.clock import Clock, SteadyClock
from kahriz_gateway.config import client_id
from kahriz_gateway.heartbeat.beats import Heartbeats
from kahriz_gateway.intake import store
from kahriz_gateway.lamp import Lamp, announcement
from kahriz_gateway.memory import give_back
from kahriz_gateway.mqtt import Door
from kahriz_gateway.outputs import Surroundings, outputs
from kahriz_gateway.outputs.follower import Follower
from kahriz_gateway.village import changes as village_changes
from kahriz_gateway.village import estimates as village_estimates
from kahriz_gateway.village import store as village_store
from kahriz_gateway.village.fall import Falls
from kahriz_gateway.village.interpret import Interpreter
from kahriz_gateway.village.loop import Loop
from kahriz_gateway.village.page import PageThread
from kahriz_gateway.village.sender import Sender
from kahriz_gateway.village.upkeep import Upkeep
from kahriz_gateway.village.watch import Watch
from kahriz_water.site import Plan

AGAIN_S = 10.0  # after a helper has failed
HOUR_MS, DAY_MS = 3_600_000, 86_400_000
FILLS_MS = 40_000  # a backlog comes right behind the newest rows, within one session of 8 s

log = logging.getLogger(__name__)


class Village:
    """The writing loop; `step` does what is to be done now and can be called by a test."""

    def __init__(
        self,
        conn: sqlite3.Connection,
        plan: Plan,
        data_dir: Path,
        clock: Clock,
        sender: Sender,
        followers: Collection[str] | None = None,
    ) -> None:
        self._conn = conn
        self._clock = clock
        self._readings_path = data_dir / "readings.db"
        self._readings: sqlite3.Connection | None = None
        self._inode: int | None = None
        self._plan = plan
        self._interpreter = Interpreter(conn, plan)
        self._watch = Watch(conn, plan, sender.tells)
        self._falls = Falls(conn, plan, sender.tells)
        self._upkeep = Upkeep(conn, plan, data_dir, sender.tells)
        self._followers = followers
        self._pruned_ms: int | None = None
        self._estimates_ms: int | None = None

    def step(self) -> bool:
        """Take the next rows, if any, and look for silence; whether there was something."""
        readings = self._open_readings()
        if readings is None:
            self._upkeep.look(None, self._clock.now_ms())
            return False
        self._interpreter.look_at_records()
        now_ms = self._clock.now_ms()  # before the words are read: they can only be newer
        took = self._take(readings, now_ms)
        if self._clock.trusted() and not took:
            words = readings.execute(
                "SELECT node, max(received) FROM session WHERE received IS NOT NULL GROUP BY node"
            ).fetchall()
            self._watch.listen(words, now_ms)
        if not took:
            self._tell_estimates(now_ms)
            self._upkeep.look(readings, now_ms)
            self._prune(now_ms)
        return took

    def close(self) -> None:
        if self._readings is not None:
            self._readings.close()

    def _take(self, readings: sqlite3.Connection, now_ms: int) -> bool:
        newest = readings.execute("SELECT max(rev) FROM reading").fetchone()[0]
        if newest is None or newest <= village_store.get_cursor(self._conn, "village"):
            return False
        with village_store.transaction(self._conn):
            self._interpreter.take(readings)
            self._falls.look(now_ms, self._clock.trusted())
            if not _filling(readings, now_ms):
                self._watch.follow(self._interpreter.last_ts, now_ms, self._clock.trusted())
        return True

    def _tell_estimates(self, now_ms: int) -> None:
        """Once an hour."""
        last = self._estimates_ms
        if not self._clock.trusted() or (last is not None and 0 <= now_ms - last < HOUR_MS):
            return
        with village_store.transaction(self._conn):
            village_estimates.tell(self._conn, self._interpreter.points_of, now_ms)
        self._estimates_ms = now_ms

    def _prune(self, now_ms: int) -> None:
        """Once a day, forget what all followers have been told."""
        last = self._pruned_ms
        if self._followers is None or (last is not None and 0 <= now_ms - last < DAY_MS):
            return
        self._pruned_ms = now_ms
        with village_store.transaction(self._conn):
            village_changes.prune(self._conn, self._followers)

    def _open_readings(self) -> sqlite3.Connection | None:
        try:
            inode = self._readings_path.stat().st_ino
        except OSError:
            return self._readings
        if self._readings is None or inode != self._inode:
            self.close()
            self._readings = None
            try:
                self._readings = store.read_store(self._readings_path)
                self._follow(store.get_meta(self._readings, "store"))
            except store.StoreError as error:  # just being made: the next step looks again
                log.info("%s", error)
            self._inode = inode
        return self._readings

    def _follow(self, ident: str | None) -> None:
        """Another store than before (a new card): its rows are numbered anew, so all is read."""
        known = village_store.get_state(self._conn, "follows")
        if ident is None or ident == known:
            return
        with village_store.transaction(self._conn):
            village_store.set_state(self._conn, "follows", ident)
            if known is not None:
                log.warning("readings.db is another store (%s, was %s): read anew", ident, known)
                self._conn.execute(
                    "UPDATE cursor SET rev=0 WHERE name='village' OR name LIKE '%:hello'"
                )
                village_store.set_state(self._conn, "recompute_upto", 0)
        self._interpreter = Interpreter(self._conn, self._plan)


def run(config: Plan, data_dir: Path, clock: Clock, stop: threading.Event) -> None:
    """Run the village until `stop`; StoreError and ConfigError in words."""
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise store.no_folder(data_dir, error) from error
    path = data_dir / "village.db"
    conn = village_store.open_village(path)
    clock = SteadyClock(clock, alarm_clock.newest_ms(conn))
    broker = config.broker
    tls = context(broker, "village")
    says = announcement(config.id)
    door = Door(client_id(config, "village"), broker.host, broker.port, announcement=says, tls=tls)

    def publish_retained(topic: str, body: bytes) -> bool:
        return door.publish_surely(topic, body, retain=True)

    sender = Sender(
        path, config, clock, channels(config, Outside(publish_retained, secret_file.read))
    )
    followed = outputs(config, Surroundings(data_dir, publish_retained))
    people = to_people(config, secret_file.read)
    links = links_of(config, data_dir)
    keeper = Keeper(path, config, clock, sender.tells, lambda: _last_words(data_dir))
    helpers: dict[str, Callable[[threading.Event], None]] = {
        "sender": sender.run,
        "alarms": keeper.run,
        "people": PeopleSender(path, config, clock, people, sender.tells, links=links).run,
        "lamp": Lamp(path, data_dir, clock, door.announce).run,
        "page": PageThread(config, data_dir, clock, links).run,
    }
    for person in config.people:
        if not set(person.channels) & {channel.name for channel in people}:
            log.error("%s can never be told of an alarm: kahriz gateway check", person.id)
    for channel in people:
        if channel.name == CALL:  # the same modem as for texts
            continue
        listener = Listener(path, config, clock, channel, sender.tells)
        helpers[f"hears {channel.name}"] = listener.run
        if isinstance(channel, SmsChannel):
            helpers["asks the modem"] = ModemWatch(path, config, clock, channel, sender.tells).run
    if config.server is not None:
        office = OfficeWatch("server", config, clock, sender.tells)
        helpers["heartbeat"] = Heartbeats(config, config.server, data_dir, clock, office).run
    for name, output in followed.items():
        watch = OfficeWatch(name, config, clock, sender.tells) if name == "influx" else None
        helpers[f"output {name}"] = Follower(name, output, data_dir, watch).run

    def make() -> Village:
        if village_store.wants_new_start(conn, path):
            raise store.StoreError(f"{path} can be written again: this needs a new start")
        return Village(conn, config, data_dir, clock, sender, list(followed))

    loop = Loop(make, data_dir, clock, Notifier())
    door.start()
    threads = [_start(name, target, stop) for name, target in helpers.items()]
    give_back()
    try:
        loop.run(stop)
    finally:
        stop.set()
        for thread in threads:
            thread.join(10.0)
        door.stop()
        conn.close()


def _start(
    name: str, target: Callable[[threading.Event], None], stop: threading.Event
) -> threading.Thread:
    def run_again() -> None:
        trouble = ""
        while not stop.is_set():
            try:
                target(stop)
            except Exception as error:  # the outermost edge of a thread: the others must go on
                if not (store.is_trouble(error) or isinstance(error, store.StoreError)):
                    log.exception("%s has failed and starts again", name)
                elif str(error) != trouble:  # a full disk is said once, not every ten seconds
                    trouble = str(error)
                    log.error("%s cannot store (%s) and tries again", name, trouble)
                stop.wait(AGAIN_S)

    thread = threading.Thread(target=run_again, name=name, daemon=True)
    thread.start()
    return thread


def _filling(readings: sqlite3.Connection, now_ms: int) -> bool:
    """Whether a node may be about to bring what lies before its newest rows, which come first."""
    young = "SELECT 1 FROM gap WHERE since > ? AND since <= ? LIMIT 1"
    return readings.execute(young, (now_ms - FILLS_MS, now_ms)).fetchone() is not None


def _last_words(data_dir: Path) -> dict[str, int]:
    """When each node was last heard; nothing while readings.db is not there."""
    try:
        readings = store.read_store(data_dir / "readings.db")
    except (store.StoreError, sqlite3.Error):
        return {}
    try:
        rows = readings.execute(
            "SELECT node, max(received) FROM session WHERE received IS NOT NULL GROUP BY node"
        )
        return {str(row[0]): int(row[1]) for row in rows}
    finally:
        readings.close()
