# SPDX-License-Identifier: MIT
"""What time it is: synced, estimated or unknown, from an RTC that drifts and forgets.

A sync stores the RTC's reading beside the gateway's time; drift is measured between syncs and
survives deep sleep in RTC memory. The reading handed in never leaps: where the node has lifted the
chip's RTC (mbedTLS dates certificates by it), it subtracts the lift. Every error is bounded, not
guessed: the round trip, the measured drift, how far it wandered from one measurement to the next.
All whole numbers: floats of the chip are single precision.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kahriz_node.shapes import State

SECONDS_1970_TO_2000 = 946684800
DRIFT_MOST_PPM = 80000  # 0.6-5 % is normal for the 150 kHz RC; beyond it somebody set a clock
DRIFT_LEAST_MS = 600000  # a drift measured over less is mostly round trip
RAW_PPM = 60000  # how wrong an RTC may be whose drift was never measured: 5 % slow is 5.3 % to add
WANDER_PPM = (
    200  # the RC follows the temperature; assumed, and raised when a measurement shows more
)
AGEING_PPM = 50  # what a measured drift loses in trust when the next measurement is worse
SYNCED_MS = 1490  # a row's ts is whole seconds, which may add 500; the promise is 2,000 in all
STRETCHES_MOST = 4
LONGEST_GAP_MS = 400 * 86400000  # an RTC that leapt further is not the one we left


def rtc_ms(time_ns: int, epoch_year: int) -> int:
    """The RTC in milliseconds since 1970. The one place that knows the port's epoch."""
    return time_ns // 1000000 + (SECONDS_1970_TO_2000 * 1000 if epoch_year == 2000 else 0)


class Clock:
    """Time by an RTC reading handed in; `state` is a dict of whole numbers kept in RTC memory.

    state: start (RTC at power-on), seen (latest RTC reading), sync [true, rtc, error], anchor (the
    sync at which the running drift measurement began), drift [ppm, doubt in ppm, wander in ppm],
    stretches [[from, said, true, doubt in ms], ...] between two syncs.
    """

    def __init__(self, state: "State", rtc: int) -> None:
        self.state = state
        seen = state.get("seen", rtc)
        if "start" not in state:
            state["start"] = rtc
        elif not 0 <= rtc - seen <= LONGEST_GAP_MS:  # set by somebody, or begun again
            state["start"] = rtc
            for key in ("sync", "anchor", "drift"):
                state.pop(key, None)
        state["seen"] = rtc

    def up_s(self, rtc: int) -> int:
        """Seconds since power-on, asleep ones included."""
        start: int = self.state["start"]
        return (rtc - start) // 1000

    def read(self, rtc: int) -> "tuple[int, str | None] | None":
        """(milliseconds since 1970, None or "est"); None when the time is unknown."""
        sync = self.state.get("sync")
        if sync is None:
            return None
        true, then, _ = sync
        age = rtc - then
        ppm: int = self.state.get("drift", (0,))[0]
        ms = true + age + age * ppm // 1000000
        return ms, None if self._doubt_ms(rtc) <= SYNCED_MS else "est"

    def _doubt_ms(self, rtc: int) -> int:
        """How far off the reading may be at most."""
        _, then, error_ms = self.state["sync"]
        _, doubt_ppm, wander_ppm = self.state.get("drift", (0, RAW_PPM, 0))
        return int(error_ms + (rtc - then) * (doubt_ppm + wander_ppm) // 1000000 + 2)

    def sync(self, true: int, rtc: int, error_ms: int) -> None:
        """The gateway says it is `true` at this RTC reading, give or take half the round trip."""
        state = self.state
        said = self.read(rtc)
        if said is not None:
            self._stretch(said[0], true, rtc, error_ms)
        state["sync"] = [true, rtc, error_ms]
        anchor = state.get("anchor")
        if anchor is None or rtc < anchor[1] or true < anchor[0]:
            state["anchor"] = state["sync"]
        elif rtc - anchor[1] >= DRIFT_LEAST_MS:
            span = rtc - anchor[1]
            ppm = (true - anchor[0] - span) * 1000000 // span
            doubt_ppm = (error_ms + anchor[2]) * 1000000 // span + 1
            if -DRIFT_MOST_PPM <= ppm <= DRIFT_MOST_PPM:
                self._learn(ppm, doubt_ppm)
            state["anchor"] = state["sync"]

    def _stretch(self, said: int, true: int, rtc: int, error_ms: int) -> None:
        """Note what lies between two syncs, and how far a line between them may be off."""
        begin, then, begin_error_ms = self.state["sync"]
        span = rtc - then
        if abs(true - begin - span) > span * DRIFT_MOST_PPM // 1000000 + error_ms + begin_error_ms:
            return  # no RC does this: somebody set the gateway's clock in between
        wander_ppm = self.state.get("drift", (0, 0, WANDER_PPM))[2]
        doubt_ms = max(error_ms, begin_error_ms) + span * wander_ppm // 2000000
        stretches = self.state.setdefault("stretches", [])
        stretches.append([begin, said, true, doubt_ms])
        self.state["stretches"] = stretches[-STRETCHES_MOST:]

    def _learn(self, ppm: int, doubt_ppm: int) -> None:
        known = self.state.get("drift")
        wander_ppm = WANDER_PPM
        if known is not None:
            off = abs(ppm - known[0])
            if off <= doubt_ppm + known[1] and doubt_ppm > known[1] + AGEING_PPM:
                known[1] += AGEING_PPM  # a poor measurement that agrees teaches nothing
                return
            wander_ppm = max(WANDER_PPM, off - doubt_ppm - known[1], known[2] * 7 // 8)
        self.state["drift"] = [ppm, doubt_ppm, wander_ppm]

    def correct(self, ts: int, tq: "str | None") -> "tuple[int, str | None]":
        """An estimated stamp, interpolated between the syncs on both sides if they are known."""
        if tq == "est":
            for begin, said, true, doubt_ms in self.state.get("stretches", []):
                if begin < ts <= said:
                    ts = begin + (ts - begin) * (true - begin) // (said - begin)
                    return ts, None if doubt_ms <= SYNCED_MS else "est"
        return ts, tq

    def forget_stretches(self) -> None:
        """Nothing unsent is left to be corrected."""
        self.state.pop("stretches", None)

    def rtc_span(self, true_ms: int) -> int:
        """How long the RTC takes for a span of true time."""
        ppm: int = self.state.get("drift", (0,))[0]
        return true_ms * 1000000 // (1000000 + ppm)
