# SPDX-License-Identifier: MIT
"""One upload: join, talk, leave; what was remembered of the network is tried first.

When the broker cannot be reached by a remembered address the network may have changed: it is
forgotten and looked for once more in the same wake.
"""

from kahriz_node import memory, policy, stamp
from kahriz_node.clock import rtc_ms

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kahriz_node.node import Node
    from kahriz_node.shapes import Callable, State
    from kahriz_node.uplink import Outcome

LAG_MS = 3600000  # an RTC this far behind is lifted


def upload(node: "Node", session: "Callable[[], Outcome]") -> "Outcome | None":
    """The outcome of a session, None without an access point; the radio is off afterwards."""
    from kahriz_node.node import unload

    board, config, uses = node.board, node.config, node.uses
    begin = board.ticks_ms()
    known: State = uses.pop("wifi", {})
    outcome = None
    try:
        if config.tls:
            lift_rtc(node)
        for _ in range(2):
            lease = known.get("lease")
            if not board.join(config.ssid, config.wifi_password, policy.JOIN_MS, known):
                break
            board.feed()
            unload("kahriz_node.wifi")
            outcome = session()
            remembered = lease is not None and known.get("lease") is lease
            if outcome.reached or not remembered:
                break
            known.pop("ap", None)
            board.leave()
        if outcome is not None and outcome.answered:
            uses["wifi"] = known
    finally:
        board.leave()
        now = node.clock.read(node.rtc())
        answered = outcome is not None and outcome.answered
        spent_ms = board.ticks_diff(board.ticks_ms(), begin)
        policy.note(uses, config, answered, node.rtc(), now[0] if now else None, spent_ms)
    return outcome


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
