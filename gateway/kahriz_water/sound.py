# SPDX-License-Identifier: MIT
"""The speed of sound: undo what an ultrasonic sensor assumed, apply the air that was there.

c = 331.3 + 0.606 T m/s, T in degrees Celsius: the usual line through the speed in dry air, within
0.1 % from -20 to +40. Ten degrees uncorrected over half a metre are 8.6 mm, 14 % of 12 L/s.
"""

from __future__ import annotations

FIXED_MPS = 343.4  # DFRobot A02YYUW has no thermometer; 20 degrees is assumed in its electronics
ASSUMED_AIR_C = 15.0  # when no thermometer answers: the year's mean on the Karabakh plain
U_ASSUMED_AIR_K = 8.0  # standard: between a January night and a July noon in the shade
U_AIR_K = 1.0  # standard: DS18B20 0.5 K (Maxim data sheet) and a shield that is not perfect


def speed_mps(air_c: float) -> float:
    """
    >>> round(speed_mps(20.0), 2)
    343.42
    """
    return 331.3 + 0.606 * air_c


def true_distance_m(read_m: float, sound_speed: str, air_c: float | None) -> float:
    """Distance after the correction the driver's declaration asks for.

    `fixed`: the sensor's constant speed is in the number. `raw`: the same, the node having made
    metres of a time of flight with that constant. `compensated`: the sensor did it itself.
    """
    if sound_speed == "compensated":
        return read_m
    air = ASSUMED_AIR_C if air_c is None else air_c
    return read_m * speed_mps(air) / FIXED_MPS


def u_temperature_m(distance_m: float, sound_speed: str, air_c: float | None) -> float:
    """Standard uncertainty of the distance for not knowing the air along the path exactly."""
    if sound_speed == "compensated":
        return 0.0
    air = ASSUMED_AIR_C if air_c is None else air_c
    u_air_k = U_ASSUMED_AIR_K if air_c is None else U_AIR_K
    return distance_m * 0.606 * u_air_k / speed_mps(air)
