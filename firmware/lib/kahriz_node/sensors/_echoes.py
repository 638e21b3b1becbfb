# SPDX-License-Identifier: MIT
"""What all ultrasonic drivers do with their echoes: median, gate, mean, spread as the quality.

Distances are whole tenths of a millimetre, as the field `distance_m` is kept.
"""

from kahriz_node.sensors import SensorError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kahriz_node.shapes import Sequence

KEYS = ("distance_m", "spread_m", "echoes")
ECHOES = 15  # ours: 3 wild ones of 15 move the result under 1 mm
FEWEST = 5  # ours: below this there is no saying which are wild
GATE_LEAST = 60  # ours: a good echo is +-3 mm off, and so may be the median beside wild ones
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
