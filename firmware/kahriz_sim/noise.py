# SPDX-License-Identifier: MIT
"""The one table of noise: every figure by which a simulated instrument departs from the truth.

A figure without a source is our assumption and says so. Tests may replace single figures.
"""

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Noise:
    """All standard deviations are one sigma."""

    # Stage over the weir: ripples and slow sloshing, the same for all echoes of a wake.
    stage_mm: float = 1.0  # assumed: a stilling well of 150 mm leaves about 1 mm
    stage_phi: float = 0.7  # lag-1 autocorrelation of balance residuals; textbook CUSUM fails on it
    stage_step_s: int = 300  # the step at which phi holds: one reading

    # A02YYUW-class ultrasonic sensor.
    echo_mm: float = 3.0  # +-3 mm a single echo; the median of 15 is then within about 1 mm
    echo_resolution_mm: float = 1.0  # A02YYUW data sheet: 1 mm
    fixed_speed_m_s: float = 343.4  # its electronics assume the speed of sound at 20 degC
    echo_lost: float = 0.01  # assumed share of single echoes that never come back
    echo_outlier: float = 0.01  # assumed share of false echoes (wall, spider, drop)
    outlier_low_mm: int = 30  # A02YYUW data sheet: 3 cm ...
    outlier_high_mm: int = 4500  # ... to 450 cm
    wake_lost: float = 0.0003  # assumed share of wakes in which the sensor stays dumb
    zero_drift_mm: float = 0.6  # assumed amplitude of bracket and face over the months
    zero_drift_days: float = 240.0  # assumed period of it, phase different in each node

    # DS18B20 in the sound path.
    air_c: float = 0.08  # assumed scatter
    air_offset_c: float = 0.2  # within the data sheet's +-0.5 degC
    air_resolution_c: float = 0.0625  # data sheet, 12 bit
    air_lost: float = 0.0004  # assumed share of wakes without presence pulse
    air_power_up: float = 0.0002  # assumed share of 85.0: the register's power-up value

    # 4-20 mA hydrostatic transducer, 0.25 % class.
    loop_offset_share: float = 0.001  # of full scale, fixed for each device, inside its class
    loop_level_mm: float = 2.0  # assumed: wind waves on open water
    loop_ma: float = 0.002  # assumed electrical noise at the shunt

    # Battery (LiFePO4, two cells' worth of days without sun).
    battery_v: float = 0.005  # assumed scatter of the divider

    # Clock and radio.
    rtc_ppm: float = 3000.0  # spread round the node's own drift; 0.6-5 % is usual for the RC clock
    rssi_db: float = 3.0  # assumed fading between wakes
    radio_lost: float = 0.002  # assumed share of associations that fail on a good day
    assoc_ms: float = 250.0  # spread of the association time
    assoc_usual_ms: float = 900.0  # 0.7-1.5 s when the last session was left properly
    assoc_failed_ms: int = 8000  # the driver gives up


USUAL = Noise()

# For tests of the water itself: instruments that tell the truth, to the millimetre of the sensor.
SILENT = replace(
    USUAL,
    stage_mm=0.0,
    echo_mm=0.0,
    echo_lost=0.0,
    echo_outlier=0.0,
    wake_lost=0.0,
    zero_drift_mm=0.0,
    air_c=0.0,
    air_offset_c=0.0,
    air_lost=0.0,
    air_power_up=0.0,
    loop_offset_share=0.0,
    loop_level_mm=0.0,
    loop_ma=0.0,
    battery_v=0.0,
    rtc_ppm=0.0,
    rssi_db=0.0,
    radio_lost=0.0,
    assoc_ms=0.0,
)
