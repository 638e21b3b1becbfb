# SPDX-License-Identifier: MIT
"""Who a node is: its program, its channels and what their sensors say."""

from kahriz_node import sensors, stamp
from kahriz_wire import outgoing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kahriz_node.node import Node


def of(node: "Node") -> bytes:
    """Who I am, for a gateway that asks; the revision follows from program and settings."""
    channels: dict[str, dict[str, object]] = {}
    for name, spec in node.config.channels:
        module = sensors.module(spec["driver"])
        channels[name] = {"driver": spec["driver"], "keys": list(module.KEYS)}
        speed = getattr(module, "SOUND_SPEED", None)
        if speed is not None:
            channels[name]["sound_speed"] = speed
    return outgoing.birth(
        node.config_crc & 0x7FFFFFFF,
        stamp.VERSION,
        node.board.hardware,
        node.config.dt_s,
        node.config.batch,
        node.config.rev,
        channels,
    )
