# SPDX-License-Identifier: MIT
"""One wake of the node: measure, write down, upload when due; the board sleeps afterwards.

Read `run` at the end, then `Node.wake`: they are the main loop. Imports stand in the phases on
purpose: each loads what it needs and `clear` gives it back, since an upload needs most of the heap.
`state` is what RTC memory carries from wake to wake; what must survive a power cut is on flash.
"""

import gc
import sys

from kahriz_node import memory, unload
from kahriz_node.clock import Clock, rtc_ms
from kahriz_node.journal import Journal
from kahriz_node.records import Layout
from kahriz_wire import release

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kahriz_node.settings import Settings
    from kahriz_node.shapes import Board

ERROR_LONGEST = 120
SOON_MS = 1000
GC_BYTES = 8192  # an upload collects so often, to keep its heap in few pieces; it costs time


class Node:
    """The node program on a board; `root` is where the file system is mounted."""

    config: "Settings"  # this and what follows is settle.py's to give
    config_crc: int
    tries: int

    def __init__(self, board: "Board", root: str = "") -> None:
        self.board = board
        self.root = root
        self.woke = board.ticks_ms()
        self.cause = board.cause()
        self.state = memory.load(board.recall())
        self.nap_ms = 300000  # until the configuration says otherwise
        self.trying = False  # the configuration has still to find the gateway
        self.asked = False  # an upload was tried in this wake
        self.answered = False  # and a receipt came
        self.todo: list[tuple[str, int]] = []  # (op, number): errands for when the radio is off
        self.core = list(sys.modules)  # what stays loaded from phase to phase
        self.complaint = ""  # of the gateway's errands, for the next hello
        self.soon = False  # the next reading without delay

    def wake(self) -> None:
        """All of it; returns after the reading is safe and the radio is off."""
        self.begin()
        self.clear()
        self.measure()
        self.clear()
        try:
            self.write_down()
            self.clear()
            if self.due():
                self.upload()
                self.clear()
        finally:
            if self.cause == "button":
                self.tell_technician()
        from kahriz_node import settle

        settle.prove(self)  # keeps or counts against a configuration or program on trial
        self.clear()
        if self.todo:  # a new configuration or program, a reboot: may not return
            from kahriz_node import later

            later.do(self)

    def begin(self) -> None:
        """Find the settings, count a power-on, know the time as far as it is known."""
        from kahriz_node import policy, settle

        settle.configure(self)
        if "boot" not in self.state:
            self.state["boot"] = settle.count_boot(self)
            self.cause = "power_on" if self.cause == "timer" else self.cause
        self.clock = Clock(self.state.setdefault("clock", {}), self.rtc())
        self.uses = self.state.setdefault("uplink", {})
        policy.begin(self.uses, self.cause, self.rtc())
        counts = self.state.setdefault("counts", {"wakes": 0, "fails": 0})
        counts["wakes"] += 1
        if self.cause != "timer":
            counts[self.cause] = counts.get(self.cause, 0) + 1

    def measure(self) -> None:
        """Ask each channel's driver; a dead sensor costs its own value and a bounded time."""
        from kahriz_node import reading

        self.measured = self.rtc()
        self.readings, self.layout = reading.measure(self)

    def write_down(self) -> None:
        """Into the journal, with the time the measuring began."""
        from kahriz_node import reading

        self.journal = Journal(
            self.root + release.JOURNAL,
            Layout(self.layout),
            self.board.random_hex8,
            self.state["boot"],
            self.state.get("next", 1),
            self.clock.correct,
        )
        self.layout.clear()
        reading.write_down(self)
        self.number = self.journal.next - 1
        self.board.feed()

    def due(self) -> bool:
        """Whether to upload in this wake."""
        from kahriz_node import policy

        self.battery_mv = self.board.battery_mv()
        rtc = self.rtc()
        now = self.clock.read(rtc)
        true_ms = now[0] if now else None
        policy.watch(self.uses, self.config.channels, self.readings, rtc)
        return policy.due(self.uses, self.config, self.cause, rtc, true_ms, self.battery_mv)

    def upload(self) -> None:
        """Make room, join, hold a session, leave; what the gateway said is kept by heed.py."""
        if "ota" in self.state:
            from kahriz_node import settle

            settle.own_up(self)
        if self.config.tls:
            from kahriz_node import lift

            lift.lift_rtc(self)
        self.config.forget_sensors()
        self.journal.mark()  # read it while there is room
        self.clear()
        if hasattr(gc, "threshold"):  # of MicroPython
            gc.threshold(GC_BYTES)
        from kahriz_node import radio, report

        self.asked = True
        self.rested = self.rtc()  # it has not slept since then
        radio.upload(self, report.session)
        if not self.answered:
            self.state["counts"]["fails"] += 1

    def tell_technician(self) -> None:
        """Three green: the gateway has it; two: it is written down; one red: a sensor fails."""
        self.board.blink(True, 3 if self.answered else 2)
        if any(isinstance(one, str) for one in self.readings.values()):
            self.board.blink(False, 1)

    def rtc(self) -> int:
        """The RTC in milliseconds; it drifts and never leaps."""
        lift: int = self.state.get("lift", 0)  # by so much the chip's own was set (lift.py)
        return rtc_ms(self.board.time_ns(), self.board.epoch_year()) - lift

    def clear(self) -> None:
        """The phase is over: its memory for the next one."""
        unload(self.core)

    def remember(self) -> int:
        """State into RTC memory, and how long to sleep by the RTC's own count."""
        from kahriz_node import policy

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


def run(board: "Board", root: str = "") -> None:
    """A wake with all its accidents, then sleep; main.py calls it again on a powered node."""
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
