# SPDX-License-Identifier: MIT
"""What the gateway asked for, done when the radio is off and its memory is free again."""

import os

from kahriz_node import configs, errands, memory, slots, stamp
from kahriz_node.node import short
from kahriz_wire import WireError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kahriz_node.node import Node


def do(node: "Node") -> None:
    """All of it; ends in a reset when that was asked for."""
    again = False
    for op, number in node.todo:
        if op == "identify":
            node.board.blink(True, number)
        elif op == "sample":
            node.uses["rows"] = node.config.batch
            node.soon = True
        elif op == "config":
            configure(node, number)
        elif op == "ota":
            again = install(node, number) or again
        elif op == "factory":
            forget(node)
        again = again or op in ("reboot", "factory")
    if again:
        node.board.remember(memory.dump(node.state))
        node.board.reset()


def configure(node: "Node", rev: int) -> None:
    """Put a configuration on trial; the next wake runs under it and uploads."""
    from kahriz_node import config_new

    try:
        configs.mark(node.root, configs.TRIED, 0)
        config_new.consider(node.root, rev, node.config)
        node.uses["rows"] = 10000  # more than any batch
        node.soon = True
    except WireError as error:
        configs.mark(node.root, configs.REFUSED, rev)
        node.state["error"] = short(f"config {rev}", error)


def install(node: "Node", number: int) -> bool:
    """Put a release on trial; True when the board shall start it."""
    from kahriz_node import ota

    try:
        ota.install(node.root, number, stamp.NUMBER, node.board.feed)
        node.state["ota"] = 1
        return True
    except WireError as error:
        configs.mark(node.root, configs.REFUSED_RELEASE, number)
        node.state["error"] = short("ota", error)
        errands.clear(node.root)
    return False


def forget(node: "Node") -> None:
    """Back to what the cable put there; the journal stays, and no number is given twice."""
    for name in (configs.TRIAL, configs.GOOD, configs.FETCHED, configs.MARKS):
        configs.remove(node.root, name)
    errands.clear(node.root)
    if slots.read(node.root)[0] != slots.CABLE:
        os.remove(node.root + "/sel")
    following = node.state["next"]
    node.state.clear()
    node.state["next"] = following
