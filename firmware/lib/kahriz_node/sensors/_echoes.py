# SPDX-License-Identifier: MIT
"""What all ultrasonic drivers do with their echoes: median, gate, mean, spread as the quality.

`listen` is what those share that send their distances by themselves, at their own pace.

Distances are whole tenths of a millimetre, as the field `distance_m` is kept.
"""

from kahriz_node.sensors import SensorError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kahriz_node.shapes import Callable, Pin, Sequence, Sleep, Uart

KEYS = ("distance_m", "spread_m", "echoes")
ECHOES = 15  # ours: 3 wild ones of 15 move the result under 1 mm
FEWEST = 5  # ours: below this there is no saying which are wild
GATE_LEAST = 60  # ours: a good echo is +-3 mm off, and so may be the median beside wild ones
POLL_MS = 1
LEAD_MS = (
    10  # ours: awake so long before the end of a frame, which takes 4-6 ms; 2 polls, the rest spare
)
SCATTER = 500  # ours: when half of the echoes are further from the median, nobody knows the water


def median2(values: "Sequence[int]") -> int:
    """Twice the median, so that it is whole."""
    ordered = sorted(values)
    return ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]


def summary(echoes: "Sequence[int]") -> "dict[str, int]":
    """Median, gate of 3 robust standard deviations around it, mean and spread of what is inside."""
    middle2 = median2(echoes)
    mad4 = median2([abs(2 * one - middle2) for one in echoes])
    gate2 = max(2 * GATE_LEAST, mad4 * 22 // 10)  # 3 x 1.4826 x MAD, doubled
    if mad4 > 4 * SCATTER:
        raise SensorError("scatter")
    base = middle2 // 2  # small numbers, so that nothing below outgrows 31 bits
    kept = [one - base for one in echoes if abs(2 * one - middle2) <= gate2]
    total = sum(kept)
    count = len(kept)
    squares = sum([one * one for one in kept]) * count - total * total
    return {
        "distance_m": base + (2 * total + count) // (2 * count),
        "spread_m": int(squares**0.5) // count,
        "echoes": count,
    }


def judged(echoes: "Sequence[int]", silent: bool, broken: int) -> "dict[str, int]":
    """The summary, or the fault of a sensor that gave too little."""
    if len(echoes) < FEWEST:
        if silent:
            raise SensorError("timeout")
        raise SensorError("checksum" if broken > len(echoes) else "no_echo")
    return summary(echoes[:ECHOES])


def listen(
    uart: "Uart",
    power: "Pin | None",
    sleep_ms: "Sleep",
    doze_ms: "Sleep",
    split: "Callable[[bytes], tuple[list[int], int, bytes]]",
    good: "Callable[[int], bool]",
    warm_up_ms: int,
    least_ms: int,
    limit_ms: int,
) -> "dict[str, int]":
    """The echoes of a sensor that speaks by itself, in light sleep until just before each frame.

    A UART is deaf in light sleep. `least_ms` is shorter than any pause between two frames; from how
    long it then had to wait, the driver learns how long it may sleep. A frame that it sleeps
    through makes it begin anew, with a longer lead.
    """
    if power is not None:
        power.value(1)
    try:
        doze_ms(warm_up_ms)
        uart.read()  # what the power-on left in the buffer
        heard = b""
        echoes: list[int] = []
        silent = True
        broken = waited = awake = nap = 0
        lead = LEAD_MS
        while waited < limit_ms:
            more = uart.read()
            found: list[int] = []
            if more:
                silent = False
                found, bad, heard = split(heard + more)
                broken += bad
                echoes += [10 * mm for mm in found if good(mm)]
                if len(echoes) >= ECHOES:
                    break
            if found:
                if nap and awake <= least_ms:
                    nap = max(nap + awake - lead, least_ms)
                else:
                    if nap:
                        lead += LEAD_MS
                    nap = least_ms
                doze_ms(nap)
                waited += nap
                awake = 0
            else:
                sleep_ms(POLL_MS)
                waited += POLL_MS
                awake += POLL_MS
        return judged(echoes, silent, broken)
    finally:
        if power is not None:
            power.value(0)
