# SPDX-License-Identifier: MIT
"""What a sensor in water cannot read: error values of loggers, probes hanging in the air.

Wide on purpose. A reading outside says something about the instrument and nothing about water.
"""

from __future__ import annotations

LIMITS = {
    "flow_lps": (-50.0, 5000.0),
    "discharge_lps": (-50.0, 5000.0),
    "level_m": (-5.0, 50.0),
    "stage_m": (-5.0, 50.0),
    "pressure_bar": (-1.1, 100.0),
    "temperature_c": (-2.0, 60.0),  # a river freezes at 0; a thermometer in the air may tell less
    "conductivity_us_cm": (5.0, 100_000.0),  # rain has 10; less is air
}
EVERYTHING = (-9000.0, 1e9)  # -9999 is nobody's reading


def limits_of(quantity: str) -> tuple[float, float]:
    """The lowest and highest reading that can be meant.

    Examples
    --------
    >>> limits_of("temperature_c")
    (-2.0, 60.0)
    """
    return LIMITS.get(quantity, EVERYTHING)
