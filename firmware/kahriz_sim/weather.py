# SPDX-License-Identifier: MIT
"""The sky over the Karabakh plain: air temperature, sun and rain at any moment."""

from math import cos, exp, log1p, pi, sin

from kahriz_sim.chance import gauss, key_of, uniform

DAY_MS = 86_400_000
HOUR_MS = 3_600_000
LOCAL_MS = 4 * HOUR_MS  # UTC+4, no summer time since 2016
YEAR_DAYS = 365.25
JULY_C = 26.5  # July mean of the Kur-Araz lowland
JANUARY_C = 2.0  # January mean of Aghdam-Fuzuli
DAY_SWING_C = 5.5  # assumed half of the daily range
ANOMALY_C = 2.5  # assumed spread of one day against the season
SOLAR_NOON_H = 12.9  # 47 degrees east at UTC+4
RAINY_DAY = 0.09  # about 33 rainy days a year ...
RAIN_MM = 12.0  # ... of 12 mm in the mean: 400 mm a year (370-453 mm on the plain)


def day_of(t_ms: int) -> int:
    """Days since 1970 by the village clock."""
    return (t_ms + LOCAL_MS) // DAY_MS


def hour_of(t_ms: int) -> float:
    """Hour of the day by the village clock, 0 to 24."""
    return ((t_ms + LOCAL_MS) % DAY_MS) / HOUR_MS


class Weather:
    def __init__(self, seed: int) -> None:
        self._anomaly = key_of(seed, "weather", "anomaly")
        self._cloud = key_of(seed, "weather", "cloud")
        self._rain = key_of(seed, "weather", "rain")
        self._anomalies: dict[int, float] = {}

    def air_c(self, t_ms: int) -> float:
        """Shaded air at two metres."""
        days = (t_ms + LOCAL_MS) / DAY_MS
        day = int(days)
        part = days - day
        season = (JULY_C + JANUARY_C) / 2 - (JULY_C - JANUARY_C) / 2 * cos(
            2 * pi * (days - 20.0) / YEAR_DAYS
        )
        anomaly = self._anomaly_c(day) * (1.0 - part) + self._anomaly_c(day + 1) * part
        return season + anomaly - DAY_SWING_C * cos(2 * pi * (part - 3.0 / 24.0))

    def _anomaly_c(self, day: int) -> float:
        c = self._anomalies.get(day)
        if c is None:
            if len(self._anomalies) > 1000:
                self._anomalies.clear()
            c = self._anomalies[day] = ANOMALY_C * gauss(self._anomaly, day)
        return c

    def sun(self, t_ms: int) -> float:
        """Share of full sun on a box, 0 to 1: height of the sun times a clear or cloudy day."""
        days = (t_ms + LOCAL_MS) / DAY_MS
        day = int(days)
        season = sin(2 * pi * (days - 81.0) / YEAR_DAYS)  # -1 in December, +1 in June
        height = 0.58 + 0.24 * season  # sine of the noon height at 40 degrees north
        half_day_h = 6.0 + 1.5 * season
        off_noon_h = abs((days - day) * 24.0 - SOLAR_NOON_H)
        if off_noon_h >= half_day_h:
            return 0.0
        clear = 0.25 + 0.75 * uniform(self._cloud, day)
        return height * clear * cos(pi / 2 * off_noon_h / half_day_h)

    def rain_mm(self, day: int) -> float:
        """Rain that falls in the night and morning of this day."""
        chance = uniform(self._rain, day)
        if chance > RAINY_DAY:
            return 0.0
        return min(60.0, -RAIN_MM * log1p(-min(0.999, chance / RAINY_DAY)))

    def wetness(self, t_ms: int) -> float:
        """What recent rain still pushes through the ground: 1 after 10 mm, fading over two days."""
        day = day_of(t_ms)
        total = 0.0
        for back in range(8):
            rain = self.rain_mm(day - back)
            if rain:
                hours = (t_ms - ((day - back) * DAY_MS - LOCAL_MS)) / HOUR_MS - 6.0
                if hours > 0.0:
                    total += rain / 10.0 * (exp(-hours / 48.0) - exp(-hours / 6.0))
        return total
