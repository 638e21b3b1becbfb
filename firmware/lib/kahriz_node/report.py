# SPDX-License-Identifier: MIT
"""What a session says of this node, and what the node keeps of the gateway's answer."""

import sys

from kahriz_node import memory, stamp, unload, uplink
from kahriz_node.node import short

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kahriz_node.node import Node
    from kahriz_node.session import Session
    from kahriz_node.uplink import Outcome


def session(node: "Node") -> "Outcome":
    """Hold a session, telling the gateway how this node is."""
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
    return outcome


def beyond_rows(session: "Session", node: "Node") -> None:
    """What the receipt names beyond rows; its time and its mark are safe before."""
    word = session.outcome.receipt
    if word is None or not (word.cmd or word.cfg is not None or word.ota is not None):
        return
    try:
        before = list(sys.modules)
        keep(node, session.outcome)
        unload(before)
        from kahriz_node import errands

        errands.run(session, node)
    except Exception as error:  # noqa: BLE001 - an errand costs itself, never the session
        node.complaint = short("errand", error)


def keep(node: "Node", outcome: "Outcome") -> None:
    """A watchdog or a power cut in an errand shall not take it away."""
    from kahriz_node import heed

    heed.believe(node, outcome)
    node.board.remember(memory.dump(node.state))


def who(node: "Node") -> bytes:
    """Who I am, for a gateway that asks."""
    from kahriz_node import birth

    return birth.of(node)
