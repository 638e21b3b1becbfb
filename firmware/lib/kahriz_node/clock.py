# SPDX-License-Identifier: MIT
"""What time it is: synced, estimated or unknown, from an RTC that drifts and forgets.

A sync (clock_sync.py) stores the RTC's reading beside the gateway's time; drift is measured between
syncs and survives deep sleep in RTC memory. The reading handed in never leaps: where the node has
lifted the chip's RTC (mbedTLS dates certificates by it), it subtracts the lift. Every error is
bounded, not guessed: the round trip, the measured drift, how far it wandered from one measurement
to the next.
All whole numbers: floats of the chip are single precision.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kahriz_node.shapes import State

SECONDS_1970_TO_2000 = 946684800
RAW_PPM = 60000  # how wrong an RTC may be whose drift was never measured: 5 % slow is 5.3 % to add
SYNCED_MS = 1490  # a row's ts is whole seconds, which may add 500; the promise is 2,000 in all
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
        from kahriz_node import clock_sync

        said = self.read(rtc)
        clock_sync.sync(self.state, said[0] if said else None, true, rtc, error_ms)

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
