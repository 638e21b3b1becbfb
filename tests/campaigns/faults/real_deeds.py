# SPDX-License-Identifier: MIT
"""What befalls real processes: killed, stopped, frozen at once, or in trouble for some seconds."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterator
from threading import Event, Thread, Timer

from kahriz_sim.services_process import Child
from scripts.bench_rig import Rig

from .real_disk import fill, make_room, write_protect
from .real_node import RealNode
from .real_phone import Phone

SHORT_S = (0.1, 1.5)
RESTART_S = 2.0  # RestartSec of the units
KINDS = (
    "broker_killed", "broker_lost_state", "broker_frozen", "broker_terminated",
    "intake_killed", "intake_terminated", "intake_frozen",
    "village_killed", "village_terminated", "village_frozen",
    "database_down", "database_frozen", "everything_killed",
)  # fmt: skip
LASTS_S = (1.0, 6.0)
ON_DISK = ("disk_full", "disk_read_only")
LASTING = (
    *ON_DISK, "modem_hangs", "modem_garbles", "node_killed", "wifi_away", "dns_away",
)  # fmt: skip # while others strike
Deed = Callable[[], None]


class Deeds:
    """Makes deeds of kinds; `over` waits until what lasts has ended."""

    def __init__(self, each: Rig, phone: Phone) -> None:
        self._each, self._phone = each, phone
        self._timers: list[Timer] = []

    def lasting(self, kind: str, for_s: float, node: RealNode) -> Deed:
        """A fault that lasts while the load and the other faults go on."""

        def do() -> None:
            if kind == "node_killed":
                for share in (0.3, 0.6, 1.0):
                    self._later(for_s * share, node.kill)
            elif kind in ("wifi_away", "dns_away"):
                node.away.add(kind)
                self._later(for_s, lambda: node.away.discard(kind))
            elif kind == "disk_full":
                fill(self._each.folder)
                self._later(for_s, lambda: make_room(self._each.folder))
            elif kind == "disk_read_only":
                self._read_only(for_s)
            else:
                hangs = kind == "modem_hangs"
                kinds = ("hang",) if hangs else ("garble", "lost_answer")
                self._phone.trouble(kinds, 1.0 if hangs else 0.3)
                self._later(for_s, self._phone.well)

        return do

    def short(self, kind: str, for_s: float) -> Deed:
        """A fault that is over when the deed is done."""
        what, how = kind.split("_", 1)
        child = {"intake": self._each.intake, "village": self._each.village}.get(what)

        def do() -> None:
            if kind == "everything_killed":
                self._kill_all()
            elif how == "frozen":
                self._freeze(what, child, for_s)
            elif child is not None:
                child.kill9() if how == "killed" else child.stop()
                time.sleep(for_s)
                child.start()
            elif what == "broker":
                self._break_broker(how, for_s)
            else:
                assert self._each.influx is not None
                self._each.influx.kill9()
                time.sleep(for_s)
                self._each.influx.restart()

        return do

    def over(self) -> None:
        """Wait until what lasts has ended."""
        for timer in self._timers:
            timer.join()
        self._timers.clear()

    @contextlib.contextmanager
    def started_again(self) -> Iterator[None]:
        """As systemd does with a service that ended, on a full disk perhaps, or in its start."""
        stop = Event()

        def watch() -> None:
            while True:
                for child in self._services:
                    if not child.running:
                        child.start()
                if stop.wait(RESTART_S):
                    return

        thread = Thread(target=watch, name="systemd", daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()

    @property
    def _services(self) -> tuple[Child, Child]:
        return self._each.intake, self._each.village

    def _later(self, seconds: float, do: Deed) -> None:
        timer = Timer(seconds, do)
        timer.start()
        self._timers.append(timer)

    def _read_only(self, for_s: float) -> None:
        """The computer comes up anew and its card takes no writes: a disk in use stays as it is."""
        for child in self._services:
            child.kill9()
        write_protect(self._each.folder, True)
        self._later(for_s, lambda: write_protect(self._each.folder, False))
        for child in self._services:
            child.start()

    def _kill_all(self) -> None:
        for child in self._services:
            child.kill9()
        self._each.broker.kill9()
        self._each.broker.restart()
        for child in self._services:
            child.start()

    def _freeze(self, what: str, child: Child | None, for_s: float) -> None:
        assert self._each.influx is not None
        if child is not None:
            pids = [child.pid] if child.running else []
        else:
            pids = [self._each.broker.pid] if what == "broker" else list(self._each.influx.pids)
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        time.sleep(for_s)
        for pid in pids:
            os.kill(pid, signal.SIGCONT)

    def _break_broker(self, how: str, for_s: float) -> None:
        broker = self._each.broker
        broker.stop() if how == "terminated" else broker.kill9()
        if how == "lost_state":
            for kept in (self._each.folder / "mosquitto").glob("*.db*"):
                with contextlib.suppress(OSError):  # on a read-only disk it stays
                    kept.unlink()
        time.sleep(for_s)
        broker.restart()
