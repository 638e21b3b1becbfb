# SPDX-License-Identifier: MIT
"""The boards on the line: how each attaches, wakes, asks its hardware, sleeps and is cut off."""

from time import monotonic

from kahriz_sim.hardware import Hardware
from kahriz_sim.scenario import Brownout, hours_to_ms
from kahriz_sim.simulation import Simulation
from kahriz_sim.world_log import WorldLog
from kahriz_sim.world_server import Line, Message, Server

AWAKE_MAX_S = (
    12.0  # of our wall clock, more than a session may last; who hangs longer is not waited for
)


class Boards:
    """Knows the simulated time by `now_ms`, which the world moves."""

    def __init__(self, simulation: Simulation, log: WorldLog) -> None:
        self.now_ms = simulation.t_ms
        self.server = Server(self._answer, self._lost)
        self._simulation = simulation
        self._log = log
        self._hardware = Hardware(simulation, log)
        self._absent_since_s: dict[str, float] = {}

    @property
    def lines(self) -> list[Line]:
        return list(self.server.lines)

    @property
    def attached(self) -> frozenset[str]:
        return frozenset(line.node for line in self.lines if line.node)

    def expect_all(self) -> None:
        """From now on every node of the site is awaited."""
        self._absent_since_s = dict.fromkeys(self._simulation.plan.node_ids, monotonic())

    def still_to_wait_s(self, patience_s: float) -> float:
        """How long the nodes that are not on the line may still be awaited."""
        if not self._absent_since_s:
            return 0.0
        return max(0.0, max(self._absent_since_s.values()) + patience_s - monotonic())

    def holding(self) -> list[Line]:
        """The nodes for which the clock stands still."""
        edge_s = monotonic() - AWAKE_MAX_S
        return [
            line
            for line in self.server.lines
            if line.awake_since_s is not None and line.awake_since_s > edge_s
        ]

    def next_due_ms(self) -> int | None:
        return min(
            (ms for line in self.server.lines if (ms := line.due_ms) is not None), default=None
        )

    def wake_the_due(self) -> None:
        for line in self.lines:
            if line.due_ms is not None and line.due_ms <= self.now_ms:
                self.wake(line, line.due_cause)

    def press_or_end(self, line: Line) -> None:
        """A sleeper gets the button the first time, the end the second."""
        if not line.asleep:
            return
        if not line.buttoned:
            line.buttoned = True
            self.wake(line, "button")
            return
        line.due_ms = None
        self.server.send(line, {"t": self.now_ms, "cause": "end"})
        self.server.drop(line)

    def wake(self, line: Line, cause: str) -> None:
        line.due_ms = None
        line.wake = self._log.next_wake(line.node)
        line.wake_ms = self.now_ms
        line.sensed = False
        line.awake_since_s = monotonic()
        self.server.send(line, {"t": self.now_ms, "cause": cause})

    def _answer(self, line: Line, message: Message) -> Message | None:
        op = message.get("op")
        if op == "attach":
            return self._attach(line, message)
        if not line.node:
            return {"error": "attach first"}
        if line.asleep:
            return {"error": "you are asleep"}
        if op == "boot":
            self._fall_asleep(line, self.now_ms, "power_on")
            return None
        if not line.wake:
            return {"error": "boot first"}
        if op == "sleep":
            ms = message.get("ms")
            if isinstance(ms, bool) or not isinstance(ms, int) or ms < 0:
                return {"error": "sleep: ms is a whole number from 0"}
            true_ms = ms / (1.0 + self._simulation.rtc_ppm(line.node) * 1e-6)
            self._fall_asleep(line, max(self.now_ms, line.wake_ms + round(true_ms)))
            return None
        return self._hardware.answer(line, message)

    def _attach(self, line: Line, message: Message) -> Message:
        node = message.get("node")
        known = self._simulation.plan.node_ids
        if node not in known:
            return {"error": f"no node {node!r} here; there are {', '.join(known)}"}
        for other in list(self.server.lines):
            if other.node == node and other is not line:
                self.server.drop(other)
        line.node = str(node)
        line.awake_since_s = monotonic()
        line.wake_ms = self.now_ms
        self._absent_since_s.pop(line.node, None)
        return {
            "ok": True,
            "t": self.now_ms,
            "rtc_ppm": self._simulation.rtc_ppm(line.node),
            "wifi": {"ssid": self._simulation.plan.ssid},
        }

    def _fall_asleep(self, line: Line, due_ms: int, cause: str = "deepsleep") -> None:
        """Nothing is answered now: the reply is the next wake."""
        line.awake_since_s = None
        line.due_ms, line.due_cause = due_ms, cause
        for event in self._simulation.scenario.events:
            if isinstance(event, Brownout) and line.node in event.nodes:
                off_ms = self._simulation.origin_ms + hours_to_ms(event.at_h)
                on_ms = self._simulation.origin_ms + hours_to_ms(event.to_h)
                if off_ms < line.due_ms and on_ms > self.now_ms:
                    line.due_ms, line.due_cause = on_ms, "power_on"
        if line.due_ms <= self.now_ms and line.due_cause == "power_on":
            self.wake(line, "power_on")

    def _lost(self, line: Line) -> None:
        """The process is gone: a power cut. A wake cut after a reading is told to the audit."""
        if line.awake_since_s is not None and line.sensed:
            cut = {"event": "cut", "node": line.node, "wake": line.wake, "t": self.now_ms}
            self._log.write(cut)
        if line.node and line.node not in self.attached:
            self._absent_since_s[line.node] = monotonic()
