# SPDX-License-Identifier: MIT
"""The quantities a row may carry: unit, decimals, plausible range. One table for all folders."""

# A line is: quantity unit decimals low high. A row key is <channel>_<quantity>.
# low and high bound what can be true in a kahriz; outside is a flag, never a clamp.
# Texts, because a chip holds them in a tenth of the memory of a table.
NODES = """
distance_m m 4 0.02 6.5
spread_m m 4 0 1
echoes 1 0 0 255
level_m m 4 -0.5 60
current_ma mA 3 3.6 21
c degC 2 -45 80
flow_lps L/s 3 0 500
pulses 1 0 0 4294967295
pressure_bar bar 4 -1 25
us_cm uS/cm 1 0 20000
v V 3 0 30
rssi_dbm dBm 0 -120 0
"""
# Derived by the gateway, or measured by a logger that is not ours.
DERIVED = """
stage_m m 4 -0.2 3
discharge_lps L/s 3 0 500
discharge_lt_lps L/s 3 0 500
discharge_gt_lps L/s 3 0 500
discharge_u_lps L/s 3 0 500
volume_m3 m3 2 0 100000
"""


def read(line: str) -> "tuple[str, int, float, float]":
    """(unit, decimals, low, high) of a line."""
    _, unit, decimals, low, high = line.split()
    return unit, int(decimals), float(low), float(high)


def measured(quantity: str) -> "tuple[str, int, float, float]":
    """The same of a quantity that a node measures, without a table in memory."""
    at = NODES.find("\n" + quantity + " ")
    if at < 0:
        raise KeyError(quantity)
    return read(NODES[at + 1 : NODES.find("\n", at + 1)])


FIELDS = {line.split()[0]: read(line) for line in (NODES + DERIVED).split("\n") if line}

# Why a channel has no value. The order is for ever: journals on flash store the position in half a
# byte, so that these 15 are all there will be. A text for the chip's sake, as above.
FAULT_WORDS = """
fault timeout bus crc checksum no_presence power_on_value disconnected open_loop over_range no_echo
scatter out_of_range driver not_ready
"""
FAULTS = tuple(FAULT_WORDS.split())

QARTOD = (1, 2, 3, 4, 9)  # pass, not evaluated, suspect, fail, missing


def split(key: str) -> tuple[str, str] | None:
    """('weir', 'distance_m') of 'weir_distance_m'; None when the quantity is not in the table."""
    at = key.find("_")
    while at > 0:  # the first cut that leaves a known quantity is the longest one
        if key[at + 1 :] in FIELDS:
            return key[:at], key[at + 1 :]
        at = key.find("_", at + 1)
    return None


def text(quantity: str, scaled: int) -> str:
    """Decimal text of a scaled integer: text('distance_m', 6510) is '0.6510'."""
    return point(scaled, FIELDS[quantity][1])


def point(scaled: int, decimals: int) -> str:
    """The same by the number of decimals; no float is touched."""
    if not decimals:
        return str(scaled)
    unit = 10**decimals
    size = abs(scaled)
    return "%s%d.%0*d" % ("-" if scaled < 0 else "", size // unit, decimals, size % unit)  # noqa: UP031


def plausible(quantity: str, value: float) -> bool:
    """Whether a value can be true at all; an unknown quantity cannot be judged and passes."""
    if quantity not in FIELDS:
        return True
    _, _, low, high = FIELDS[quantity]
    return low <= value <= high
