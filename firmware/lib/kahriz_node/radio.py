# SPDX-License-Identifier: MIT
"""One upload: join, talk, leave; what was remembered of the network is tried first.

When the broker cannot be reached by a remembered address the network may have changed: it is
forgotten and looked for once more in the same wake.
"""

import sys

from kahriz_node import unload
from kahriz_node.policy import JOIN_MS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kahriz_node.node import Node
    from kahriz_node.shapes import Callable, State
    from kahriz_node.uplink import Outcome


def upload(node: "Node", session: "Callable[[Node], Outcome]") -> None:
    """Hold a session and heed the answer; the radio is off afterwards."""
    board, config, uses = node.board, node.config, node.uses
    begin = board.ticks_ms()
    known: State = uses.pop("wifi", {})
    told = None
    try:
        for _ in range(2):
            lease = known.get("lease")
            before = list(sys.modules)
            if not board.join(config.ssid, config.wifi_password, JOIN_MS, known):
                break
            board.feed()
            unload(before)
            told = session(node)
            remembered = lease is not None and known.get("lease") is lease
            if told.reached or not remembered:
                break
            known.pop("ap", None)
            board.leave()
    finally:
        board.leave()
        spent_ms = board.ticks_diff(board.ticks_ms(), begin)
        node.clear()
        from kahriz_node import heed

        heed.heed(node, told, known, spent_ms)
