# SPDX-License-Identifier: MIT
"""When to measure next and when to switch the radio on. Pure; `state` is kept in RTC memory."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kahriz_node.shapes import Rhythm, State

BURST_MS = 1800000  # after a cold boot or the button every reading goes out at once
BACK_OFF_H = (1, 2, 4, 8)  # a failed association costs as much as an hour of everything else
HOUR_MS = 3600000


def begin(state: "State", cause: str, rtc: int) -> None:
    """A cold boot or the button begins half an hour of uploads with every reading."""
    if cause != "timer":
        state["burst"] = rtc + BURST_MS
    state["rows"] = state.get("rows", 0) + 1


def slot(config: "Rhythm", true_ms: int) -> int:
    """Number of the upload period an instant belongs to; phase_s spreads the nodes over it."""
    return (true_ms // 1000 - config.phase_s) // (config.dt_s * config.batch)


def due(
    state: "State",
    config: "Rhythm",
    cause: str,
    rtc: int,
    true_ms: "int | None",
    battery_mv: int,
) -> bool:
    """Whether to upload in this wake; true_ms is None while the time is unknown."""
    if cause == "button":
        return True
    if battery_mv < config.radio_above_mv:
        return False
    if state.get("fails", 0):
        return bool(rtc >= state["retry"])
    if rtc < state.get("burst", 0) or state.get("rows", 0) >= config.batch:
        return True
    return true_ms is not None and slot(config, true_ms) != state.get("slot")


def note(state: "State", config: "Rhythm", answered: bool, rtc: int, true_ms: "int | None") -> None:
    """Keep what came of an upload."""
    state["rows"] = 0
    if true_ms is not None:
        state["slot"] = slot(config, true_ms)
    if answered:
        state["fails"] = 0
        return
    fails: int = state.get("fails", 0)
    state["retry"] = rtc + BACK_OFF_H[min(fails, len(BACK_OFF_H) - 1)] * HOUR_MS
    state["fails"] = fails + 1


def nap_ms(config: "Rhythm", true_ms: "int | None", awake_ms: int) -> int:
    """True milliseconds to the next reading: on multiples of dt_s once the time is known."""
    dt_ms = config.dt_s * 1000
    if true_ms is None:
        return max(dt_ms - awake_ms, dt_ms // 10)
    nap = dt_ms - true_ms % dt_ms
    return nap if nap > dt_ms // 10 else nap + dt_ms  # woken a little early: not twice
