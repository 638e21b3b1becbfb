# SPDX-License-Identifier: MIT
"""What the node keeps of an upload: the gateway's word, and what the radio cost."""

from kahriz_node import policy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kahriz_node.node import Node
    from kahriz_node.shapes import State, Told


def heed(node: "Node", told: "Told | None", known: "State", spent_ms: int) -> None:
    """Keep what the gateway said: the time, the mark; and what the radio cost."""
    state, book = node.state, node.journal
    if told is None:
        state["error"] = "no access point"
    elif node.answered:
        _, now_ms, now_tick, round_ms = told
        if now_ms is not None:
            ago = node.board.ticks_diff(node.board.ticks_ms(), now_tick)
            node.clock.sync(now_ms, node.rtc() - ago, round_ms // 2 + 1)
        book.save()
        state["next"] = book.next
        state["stuck"] = book.stuck[-8:]
        if not book.open_ranges():
            node.clock.forget_stretches()
        node.uses["wifi"] = known
    now = node.clock.read(node.rtc())
    policy.note(
        node.uses, node.config, node.answered, node.rtc(), now[0] if now else None, spent_ms
    )
