# SPDX-License-Identifier: MIT
"""What the clock learns when the gateway tells the time: where it stands, and how it drifts."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kahriz_node.shapes import State

DRIFT_MOST_PPM = 80000  # 0.6-5 % is normal for the 150 kHz RC; beyond it somebody set a clock
DRIFT_LEAST_MS = 600000  # a drift measured over less is mostly round trip
WANDER_PPM = (
    200  # the RC follows the temperature; assumed, and raised when a measurement shows more
)
AGEING_PPM = 50  # what a measured drift loses in trust when the next measurement is worse
STRETCHES_MOST = 4


def sync(state: "State", said: "int | None", true: int, rtc: int, error_ms: int) -> None:
    """It is `true` at this RTC reading, give or take error_ms; the clock `said` something else."""
    if said is not None:
        stretch(state, said, true, rtc, error_ms)
    state["sync"] = [true, rtc, error_ms]
    anchor = state.get("anchor")
    if anchor is None or rtc < anchor[1] or true < anchor[0]:
        state["anchor"] = state["sync"]
    elif rtc - anchor[1] >= DRIFT_LEAST_MS:
        span = rtc - anchor[1]
        ppm = (true - anchor[0] - span) * 1000000 // span
        doubt_ppm = (error_ms + anchor[2]) * 1000000 // span + 1
        if -DRIFT_MOST_PPM <= ppm <= DRIFT_MOST_PPM:
            learn(state, ppm, doubt_ppm)
        state["anchor"] = state["sync"]


def stretch(state: "State", said: int, true: int, rtc: int, error_ms: int) -> None:
    """Note what lies between two syncs, and how far a line between them may be off."""
    begin, then, begin_error_ms = state["sync"]
    span = rtc - then
    if abs(true - begin - span) > span * DRIFT_MOST_PPM // 1000000 + error_ms + begin_error_ms:
        return  # no RC does this: somebody set the gateway's clock in between
    wander_ppm = state.get("drift", (0, 0, WANDER_PPM))[2]
    doubt_ms = max(error_ms, begin_error_ms) + span * wander_ppm // 2000000
    stretches = state.setdefault("stretches", [])
    stretches.append([begin, said, true, doubt_ms])
    state["stretches"] = stretches[-STRETCHES_MOST:]


def learn(state: "State", ppm: int, doubt_ppm: int) -> None:
    """A measured drift, and how much it wanders from one measurement to the next."""
    known = state.get("drift")
    wander_ppm = WANDER_PPM
    if known is not None:
        off = abs(ppm - known[0])
        if off <= doubt_ppm + known[1] and doubt_ppm > known[1] + AGEING_PPM:
            known[1] += AGEING_PPM  # a poor measurement that agrees teaches nothing
            return
        wander_ppm = max(WANDER_PPM, off - doubt_ppm - known[1], known[2] * 7 // 8)
    state["drift"] = [ppm, doubt_ppm, wander_ppm]
