# SPDX-License-Identifier: MIT
"""When to measure next and when to switch the radio on. Pure; `state` is kept in RTC memory."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kahriz_node.shapes import Readings, Rhythm, Spec, State

BURST_MS = 1800000  # after a cold boot or the button every reading goes out at once
BACK_OFF_H = (1, 2, 4, 8)  # a failed association costs as much as an hour of everything else
HURRY = 2  # uploads at once: of the leap, and of the reading that confirms it
HOUR_MS = 3600000
DAY_MS = 24 * HOUR_MS
JOIN_MS = 8000  # a scan takes 2 s, an association 1-3 s
RADIO_MW = 400  # 120 mA at 3.3 V: ESP32 data sheet, receiving 95-100 mA, sending up to 240 mA
BURSTS = {  # quantity: (key of the channel that limits its rate, digits of a row in the key's unit)
    "distance_m": ("burst_mm_per_min", 10),
    "current_ma": ("burst_ua_per_min", 1),
}


def begin(state: "State", cause: str, rtc: int) -> None:
    """A cold boot or the button begins half an hour of uploads with every reading."""
    if cause != "timer":
        state["burst"] = rtc + BURST_MS
    state["rows"] = state.get("rows", 0) + 1


def slot(config: "Rhythm", true_ms: int) -> int:
    """Number of the upload period an instant belongs to; phase_s spreads the nodes over it."""
    return (true_ms // 1000 - config.phase_s) // (config.dt_s * config.batch)


def watch(
    state: "State", channels: "list[tuple[str, Spec]]", readings: "Readings", rtc: int
) -> None:
    """Be in a hurry when a value moved faster than its channel is allowed to in silence."""
    last = state.setdefault("last", {})
    for name, spec in channels:
        reading = readings.get(name)
        if not isinstance(reading, dict):
            continue
        for quantity in BURSTS:
            key, digits = BURSTS[quantity]
            if key in spec and quantity in reading:
                was, then = last.get(name, (reading[quantity], rtc))
                if rtc > then and abs(reading[quantity] - was) * 60000 >= spec[key] * digits * (
                    rtc - then
                ):
                    state["hurry"] = HURRY
                last[name] = [reading[quantity], rtc]


def affordable(state: "State", config: "Rhythm", rtc: int, share: int) -> bool:
    """Whether the worst an upload can cost still fits into this share of the day's joules."""
    begin, spent_ms = state.get("radio", (rtc, 0))
    if not 0 <= rtc - begin < DAY_MS:
        spent_ms = 0
    worst_ms: int = spent_ms + JOIN_MS + config.deadline_ms
    return worst_ms * RADIO_MW <= config.radio_j_per_day * 1000000 // share


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
    if not affordable(state, config, rtc, 1):
        return False
    if state.get("fails", 0):
        return bool(rtc >= state["retry"])
    if state.get("hurry") and affordable(state, config, rtc, 2):  # the other half is for the hours
        return True
    if rtc < state.get("burst", 0) or state.get("rows", 0) >= config.batch:
        return True
    return true_ms is not None and slot(config, true_ms) != state.get("slot")


def note(
    state: "State",
    config: "Rhythm",
    answered: bool,
    rtc: int,
    true_ms: "int | None",
    radio_ms: int,
) -> None:
    """Keep what came of an upload, and how long the radio was on."""
    begin, spent_ms = state.get("radio", (rtc, 0))
    today = 0 <= rtc - begin < DAY_MS
    state["radio"] = [begin, spent_ms + radio_ms] if today else [rtc, radio_ms]
    state["rows"] = 0
    if true_ms is not None:
        state["slot"] = slot(config, true_ms)
    if answered:
        state["fails"] = 0
        left = state.pop("hurry", 0) - 1
        if left > 0:
            state["hurry"] = left
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
