# SPDX-License-Identifier: MIT
"""One upload: join, talk, leave; what was remembered of the network is tried first.

When the broker cannot be reached by a remembered address the network may have changed: it is
forgotten and looked for once more in the same wake.
"""

import sys

from kahriz_node import memory, stamp, unload
from kahriz_node.clock import rtc_ms
from kahriz_node.policy import JOIN_MS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kahriz_node.node import Node
    from kahriz_node.shapes import Callable, State, Told

LAG_MS = 3600000  # an RTC this far behind is lifted


def upload(node: "Node", session: "Callable[[Node], Told]") -> None:
    """Hold a session and heed the answer; the radio is off afterwards."""
    board, config, uses = node.board, node.config, node.uses
    begin = board.ticks_ms()
    known: State = uses.pop("wifi", {})
    told = None
    try:
        if config.tls:
            lift_rtc(node)
        for _ in range(2):
            lease = known.get("lease")
            before = list(sys.modules)
            if not board.join(config.ssid, config.wifi_password, JOIN_MS, known):
                break
            board.feed()
            unload(before)
            told = session(node)
            remembered = lease is not None and known.get("lease") is lease
            if told[0] or not remembered:
                break
            known.pop("ap", None)
            board.leave()
    finally:
        board.leave()
        spent_ms = board.ticks_diff(board.ticks_ms(), begin)
        node.clear()
        after(node, told, known, spent_ms)


def after(node: "Node", told: "Told | None", known: "State", spent_ms: int) -> None:
    """Keep what the gateway said: the time, the mark; and what the radio cost."""
    from kahriz_node import policy

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


def lift_rtc(node: "Node") -> None:
    """Bring the chip's RTC near the present before mbedTLS dates a certificate by it.

    After power-on it stands at 2000: no certificate is valid yet, so no session, no receipt and no
    time. The best that is known is the time the program was made, the last row in the journal, the
    clock's own estimate. What the node calls its RTC goes on without a leap. RTC memory is empty
    while the RTC is set: a crash in between leaves the time unknown, never wrong.
    """
    board, state = node.board, node.state
    chip = rtc_ms(board.time_ns(), board.epoch_year())
    now = node.clock.read(node.rtc())
    least = max(max(stamp.BUILT_S, node.journal.last_s) * 1000, now[0] if now else 0)
    if least - chip < LAG_MS:
        return
    board.remember(b"")
    begin, chip = board.ticks_ms(), rtc_ms(board.time_ns(), board.epoch_year())
    board.set_rtc(least - rtc_ms(0, board.epoch_year()))
    lifted = rtc_ms(board.time_ns(), board.epoch_year()) - chip
    lifted -= board.ticks_diff(board.ticks_ms(), begin)
    state["lift"] = state.get("lift", 0) + lifted
    board.remember(memory.dump(state))
