# SPDX-License-Identifier: MIT
"""What the node keeps of an upload: the gateway's word, and what the radio cost."""

from kahriz_node import policy
from kahriz_wire import ranges

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kahriz_node.node import Node
    from kahriz_node.shapes import Book, State
    from kahriz_node.uplink import Outcome


def heed(node: "Node", told: "Outcome | None", known: "State", spent_ms: int) -> None:
    """Keep all of it; `told` is None when there was nobody to join."""
    if told is None:
        node.state["error"] = "no access point"
    elif node.answered:
        believe(node, told)
        node.state["stuck"] = still_sent(node.journal, told)[-8:]
        if not node.journal.open_ranges():
            node.clock.forget_stretches()
        node.uses["wifi"] = known
    now = node.clock.read(node.rtc())
    policy.note(
        node.uses, node.config, node.answered, node.rtc(), now[0] if now else None, spent_ms
    )


def believe(node: "Node", told: "Outcome") -> None:
    """The time, once, laid back to the beginning of the upload; and the mark, as far as it is now.

    Awake the chip counts by its crystal, yet after each sleep, light or deep, its RTC shows what
    the drifting oscillator has counted meanwhile (ESP-IDF, esp_time_impl.c). So from one sleep's
    end to another's the drift is one line, whatever joining and talking take.
    """
    if told.now_ms is not None:
        ago = node.board.ticks_diff(node.board.ticks_ms(), told.now_tick)
        true = told.now_ms + ago - (node.rtc() - node.rested)
        node.clock.sync(true, node.rested, told.round_ms // 2 + 1)
        told.now_ms = None
    node.journal.save()
    node.state["next"] = node.journal.next


def still_sent(book: "Book", told: "Outcome") -> "list[list[int]]":
    """Rows sent without a receipt: [a, b, in how many sessions]."""
    old = book.stuck
    return [
        [a, b, 1 + max([times for c, d, times in old if c <= b and a <= d] or [0])]
        for a, b in ranges.common(told.sent, book.open_ranges())
    ]
