# SPDX-License-Identifier: MIT
"""The chip's RTC lifted near the present, so that mbedTLS can date a certificate by it."""

from kahriz_node import memory, stamp
from kahriz_node.clock import rtc_ms

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kahriz_node.node import Node

LAG_MS = 3600000  # an RTC this far behind is lifted


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
