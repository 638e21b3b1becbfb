# SPDX-License-Identifier: MIT
"""One wake of the node: measure, write down, upload when due; the board sleeps afterwards."""

import binascii
import gc
import json
import os
import sys

from kahriz_node import configs, memory, policy, stamp
from kahriz_node.clock import Clock, rtc_ms
from kahriz_node.settings import Settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kahriz_node.session import Session
    from kahriz_node.shapes import Board, Readings
    from kahriz_node.uplink import Outcome

ERROR_LONGEST = 120
SOON_MS = 1000


class Node:
    """The node program on a board; `root` is where the file system is mounted."""

    def __init__(self, board: "Board", root: str = "") -> None:
        self.board = board
        self.root = root
        self.woke = board.ticks_ms()
        self.cause = board.cause()
        self.state = memory.load(board.recall())
        self.nap_ms = 300000  # until the configuration says otherwise
        self.trying = False  # a configuration that has still to find the gateway
        self.asked = False  # the gateway, in this wake
        self.answered = False
        self.todo: list[tuple[str, int]] = []  # when the radio is off
        self.complaint = ""  # of the gateway's errands, for the next hello
        self.soon = False  # the next reading without delay

    def wake(self) -> None:
        """All of it; returns after the reading is safe and the radio is off."""
        self.configure()
        if "boot" not in self.state:
            self.state["boot"] = self._count_boot()
            self.cause = "power_on" if self.cause == "timer" else self.cause
        self.clock = Clock(self.state.setdefault("clock", {}), self.rtc())
        self.uses = self.state.setdefault("uplink", {})
        policy.begin(self.uses, self.cause, self.rtc())
        self.readings = self.measure()
        self.board.feed()
        try:
            self.write_down(self.readings)
            self.board.feed()
            battery_mv = self.board.battery_mv()
            rtc = self.rtc()
            now = self.clock.read(rtc)
            true_ms = now[0] if now else None
            policy.watch(self.uses, self.config.channels, self.readings, rtc)
            if policy.due(self.uses, self.config, self.cause, rtc, true_ms, battery_mv):
                self.answered = self.upload(battery_mv)
        finally:
            if self.cause == "button":
                self.tell_technician()
        self.prove()
        if self.todo:
            from kahriz_node import later

            later.do(self)

    def tell_technician(self) -> None:
        """Three green: the gateway has it; two: it is written down; one red: a sensor fails."""
        self.board.blink(True, 3 if self.answered else 2)
        if any(isinstance(one, str) for one in self.readings.values()):
            self.board.blink(False, 1)

    def prove(self) -> None:
        """A configuration or a program on trial is kept when a receipt came under it."""
        if self.trying:
            if self.answered:
                configs.keep(self.root)
            if not self.asked:
                self.state["trial"] -= 1
            elif self.answered:
                self.state.pop("trial")
        if self.answered or ("ota" in self.state and not self.asked):
            from kahriz_node import slots

            if self.answered:
                slots.good(self.root)
                self.state.pop("ota", None)
            else:
                slots.healthy(self.root)

    def configure(self) -> None:
        """The settings to run with; what was checked once is not checked in every wake."""
        for name, data in configs.candidates(self.root):
            self.config_crc = binascii.crc32(data, binascii.crc32(stamp.VERSION.encode()))
            try:
                body = json.loads(data)
                if self.state.get("config") != self.config_crc:
                    from kahriz_node import config

                    config.check(body)
                    self.state["config"] = self.config_crc
                    del config
                    unload("kahriz_node.config", "kahriz_node.sensors", "kahriz_wire")
                self.config = Settings(body)
            except Exception as error:
                if name == configs.CABLE:
                    raise
                self.state["error"] = short("config", error)
                configs.remove(self.root, configs.TRIAL)
                continue
            self.trying = name == configs.TRIAL
            if not self.trying or self.try_once():
                return

    def try_once(self) -> bool:
        """Count a wake under a configuration on trial; False when it has had its chances."""
        tries = self.state.get("trial", 0)
        if tries >= configs.TRIES:
            self.state["error"] = f"config {self.config.rev}: no gateway, gone back"
            self.state["refused"] = self.config.rev
            self.state.pop("trial")
            self.state.setdefault("uplink", {}).update({"fails": 0, "rows": 10000})  # at once
            configs.remove(self.root, configs.TRIAL)
            return False
        self.state["trial"] = tries + 1
        self.board.remember(memory.dump(self.state))  # so that one that never ends counts too
        return True

    def rtc(self) -> int:
        """The RTC in milliseconds; it drifts and never leaps."""
        lift: int = self.state.get("lift", 0)  # the chip's own was set (radio.py)
        return rtc_ms(self.board.time_ns(), self.board.epoch_year()) - lift

    def measure(self) -> "Readings":
        """{channel: {quantity: scaled} or a fault word}; a dead sensor costs its own value only."""
        from kahriz_node import sensors

        readings: Readings = {}
        self.layout: list[tuple[str, tuple[str, ...]]] = []
        rtc = self.rtc()
        elapsed = rtc - self.state.get("measured", rtc)
        self.measured = rtc
        for name, spec in self.config.channels:
            module = sensors.module(spec["driver"])
            self.layout.append((name, module.KEYS))
            try:
                readings[name] = module.start(self.board, spec).read(elapsed)
            except sensors.SensorError as error:
                readings[name] = error.fault
            except (OSError, ValueError) as error:  # a bus that is not there, a pin that is none
                readings[name] = "driver"
                self.state["error"] = short(name, error)
            self.board.feed()
        self.state["measured"] = rtc
        unload("kahriz_node.config", "kahriz_node.sensors", "kahriz_wire")
        return readings

    def write_down(self, readings: "Readings") -> None:
        """Into the journal, with the time the measuring began."""
        from kahriz_node import records
        from kahriz_node.journal import Journal

        self.journal = Journal(
            self.root + "/journal",
            records.Layout(self.layout),
            self.board.random_hex8,
            self.state["boot"],
            self.state.get("next", 1),
            self.clock.correct,
        )
        self.journal.stuck = self.state.get("stuck", [])
        up_s = self.clock.up_s(self.measured)
        now = self.clock.read(self.measured)
        if now is None:
            taken = records.Stamp(0, records.UNKNOWN, up_s, self.state["boot"])
        else:
            kind = records.SYNCED if now[1] is None else records.ESTIMATED
            taken = records.Stamp((now[0] + 500) // 1000, kind, up_s, self.state["boot"])
        fails = all(isinstance(one, str) for one in readings.values())
        self.journal.append(taken, 9 if fails else 1, readings)  # QARTOD: missing, not evaluated
        self.number = self.journal.next - 1
        self.state["next"] = self.journal.next

    def upload(self, battery_mv: int) -> bool:
        """Join, hold a session, leave; True when the gateway answered."""
        from kahriz_node import radio, uplink

        board = self.board
        self.asked = True
        self.battery_mv = battery_mv
        if "ota" in self.state:
            self.own_up()

        def session() -> "Outcome":
            health = {
                "birth": self.config_crc & 0x7FFFFFFF,
                "cfg": self.config.rev,
                "fw": stamp.VERSION,
                "ota": stamp.NUMBER,
                "up_s": self.clock.up_s(self.rtc()),
                "boot": self.state["boot"],
                "reset": self.cause,
                "heap": board.heap_free(),
                "battery_v": battery_mv / 1000,
                "rssi_dbm": board.rssi_dbm(),
                "error": self.state.get("error") or None,
            }
            outcome = uplink.run(board, self.journal, self.config, health, self.birth, self.errands)
            self.state["error"] = outcome.error or self.complaint
            if outcome.answered:
                self._heed(outcome)
            return outcome

        outcome = radio.upload(self, session)
        if outcome is None:
            self.state["error"] = "no access point"
            return False
        return outcome.answered

    def own_up(self) -> None:
        """Say that a release went back: boot.py did it, without a word."""
        from kahriz_node import slots

        failed = slots.failed(self.root)
        if failed:
            self.state["error"] = f"release {failed}: no receipt, gone back"
            self.state.pop("ota")

    def errands(self, session: "Session") -> None:
        """What the receipt names beyond rows."""
        word = session.outcome.receipt
        if word is not None and (word.cmd or word.cfg is not None or word.ota is not None):
            from kahriz_node import errands

            self.todo = errands.run(session, self)

    def _heed(self, outcome: "Outcome") -> None:
        """Keep what the gateway said: the time, the mark."""
        if outcome.now_ms is not None:
            ago = self.board.ticks_diff(self.board.ticks_ms(), outcome.now_tick)
            self.clock.sync(outcome.now_ms, self.rtc() - ago, outcome.round_ms // 2 + 1)
        self.journal.save()
        self.state["next"] = self.journal.next
        self.state["stuck"] = self.journal.stuck[-8:]
        if not self.journal.open_ranges():
            self.clock.forget_stretches()

    def birth(self) -> bytes:
        """Who I am, for a gateway that asks; the revision follows from program and settings."""
        from kahriz_node import sensors
        from kahriz_wire import outgoing

        channels: dict[str, dict[str, object]] = {}
        for name, spec in self.config.channels:
            module = sensors.module(spec["driver"])
            channels[name] = {"driver": spec["driver"], "keys": list(module.KEYS)}
            speed = getattr(module, "SOUND_SPEED", None)
            if speed is not None:
                channels[name]["sound_speed"] = speed
        return outgoing.birth(
            self.config_crc & 0x7FFFFFFF,
            stamp.VERSION,
            self.board.hardware,
            self.config.dt_s,
            self.config.batch,
            self.config.rev,
            channels,
        )

    def _count_boot(self) -> int:
        """The number of this power-on, on flash because RTC memory is gone."""
        path = self.root + "/boots"
        try:
            with open(path) as file:
                boots = int(file.read())
        except (OSError, ValueError):
            boots = 0
        with open(path + ".new", "w") as file:
            file.write(str(boots + 1))
        os.rename(path + ".new", path)
        return boots + 1

    def remember(self) -> int:
        """State into RTC memory, and how long to sleep by the RTC's own count."""
        self.board.remember(memory.dump(self.state))
        if not hasattr(self, "clock"):
            return self.nap_ms
        if self.soon:
            return SOON_MS
        now = self.clock.read(self.rtc())
        awake_ms = self.board.ticks_diff(self.board.ticks_ms(), self.woke)
        nap = policy.nap_ms(self.config, now[0] if now else None, awake_ms)
        return self.clock.rtc_span(nap)


def short(what: str, error: Exception) -> str:
    """An error in a line that fits into hello."""
    return f"{what}: {type(error).__name__} {error}"[:ERROR_LONGEST]


def unload(*names: str) -> None:
    """Give the memory of modules back that this wake needs no more."""
    for loaded in list(sys.modules):
        if any(loaded == name or loaded.startswith(name + ".") for name in names):
            parent, _, last = loaded.rpartition(".")
            del sys.modules[loaded]
            if parent in sys.modules and hasattr(sys.modules[parent], last):
                delattr(sys.modules[parent], last)
    gc.collect()


def run(board: "Board", root: str = "") -> None:
    """A wake with all its accidents, then sleep; returns only on a powered node, for the next."""
    node = Node(board, root)
    try:
        node.wake()
    except Exception as error:  # noqa: BLE001 - the outermost loop: told in the next hello
        node.state["error"] = short("wake", error)
    nap_ms = node.remember()
    if hasattr(node, "config") and node.config.powered:
        board.stay_awake(nap_ms)
    else:
        board.deep_sleep(nap_ms)
