# SPDX-License-Identifier: MIT
"""What a board may ask its hardware, and how the log remembers it."""

from kahriz_sim.simulation import Simulation
from kahriz_sim.world_log import WorldLog
from kahriz_sim.world_server import Line, Message

ECHOES_MAX = 200


class Hardware:
    """Battery and radio are served but not logged: they are no measurement of the water.

    For a node the time is that of its wake, though a neighbour may have woken a second later.
    """

    def __init__(self, simulation: Simulation, log: WorldLog) -> None:
        self._simulation = simulation
        self._log = log

    def answer(self, line: Line, message: Message) -> Message:
        t_ms = line.wake_ms
        node = self._simulation.plan.node(line.node)
        instruments = self._simulation.instruments
        if message.get("op") == "radio":
            rssi, assoc_ms = instruments.radio(node, t_ms)
            return {"up": rssi is not None, "rssi": rssi, "assoc_ms": assoc_ms}
        if message.get("op") != "sense":
            return {"error": f"unknown op {message.get('op')!r}"}
        device = message.get("device")
        if device == "battery":
            return {"v": instruments.battery_v(node, t_ms)}
        if device == "ultrasonic" and node.device == "ultrasonic":
            count = message.get("count", 1)
            if not isinstance(count, int) or not 0 < count <= ECHOES_MAX:
                return {"error": f"count is 1 to {ECHOES_MAX}"}
            reply: Message = {"echo_mm": instruments.echoes_mm(node, t_ms, count)}
            truth = self._simulation.truth(node)
        elif device == "air" and node.device == "ultrasonic":
            reply = {"c": instruments.air_c(node, t_ms)}
            truth = {"c": round(instruments.path_air_c(node, t_ms), 3)}
        elif device == "loop" and node.device == "loop":
            reply = {"ma": instruments.loop_ma(node, t_ms)}
            truth = self._simulation.truth(node)
        else:
            return {"error": f"{line.node} has no {device!r}"}
        line.sensed = True
        self._log.write(
            {"node": line.node, "wake": line.wake, "t": t_ms, "device": device, "truth": truth}
        )
        return reply
