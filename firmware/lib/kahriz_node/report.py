# SPDX-License-Identifier: MIT
"""What a session says of this node, and what the node keeps of the gateway's answer."""

from kahriz_node import stamp, uplink

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kahriz_node.node import Node
    from kahriz_node.session import Session
    from kahriz_node.shapes import Told


def session(node: "Node") -> "Told":
    """Hold a session; (whether the broker was there, the gateway's time or None, tick, round)."""
    board, state = node.board, node.state
    health = {
        "birth": node.config_crc & 0x7FFFFFFF,
        "cfg": node.config.rev,
        "fw": stamp.VERSION,
        "ota": stamp.NUMBER,
        "up_s": node.clock.up_s(node.rtc()),
        "boot": state["boot"],
        "counts": state["counts"],
        "reset": node.cause,
        "heap": board.heap_free(),
        "battery_v": node.battery_mv / 1000,
        "rssi_dbm": board.rssi_dbm(),
        "error": state.get("error") or None,
    }
    outcome = uplink.run(
        board,
        node.journal,
        node.config,
        health,
        lambda: who(node),
        lambda session: beyond_rows(session, node),
    )
    state["error"] = outcome.error or node.complaint
    node.answered = outcome.answered
    return outcome.reached, outcome.now_ms, outcome.now_tick, outcome.round_ms


def beyond_rows(session: "Session", node: "Node") -> None:
    """What the receipt names beyond rows."""
    word = session.outcome.receipt
    if word is not None and (word.cmd or word.cfg is not None or word.ota is not None):
        from kahriz_node import errands

        node.todo = errands.run(session, node)


def who(node: "Node") -> bytes:
    """Who I am, for a gateway that asks."""
    from kahriz_node import birth

    return birth.of(node)
