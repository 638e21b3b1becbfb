# SPDX-License-Identifier: MIT
"""`machine` of the ESP32 port, as far as a node may use it; what is not here fails as unknown."""

from chip.counter import Counter
from chip.i2c import I2C, SoftI2C
from chip.pin import Pin, Signal
from chip.soc import (
    ADC,
    RTC,
    WDT,
    bitstream,
    deepsleep,
    disable_irq,
    enable_irq,
    freq,
    idle,
    lightsleep,
    reset,
    reset_cause,
    soft_reset,
    time_pulse_us,
    unique_id,
    wake_reason,
)
from chip.uart import UART

PWRON_RESET = 1
HARD_RESET = 2
WDT_RESET = 3
DEEPSLEEP_RESET = 4
SOFT_RESET = 5
SLEEP = 2
DEEPSLEEP = 4
PIN_WAKE = 2
EXT0_WAKE = 2
EXT1_WAKE = 3
TIMER_WAKE = 4
TOUCHPAD_WAKE = 5
ULP_WAKE = 6

__all__ = [  # what is imported for the program; the constants stand above
    "ADC",
    "I2C",
    "RTC",
    "UART",
    "WDT",
    "Counter",
    "Pin",
    "Signal",
    "SoftI2C",
    "bitstream",
    "deepsleep",
    "disable_irq",
    "enable_irq",
    "freq",
    "idle",
    "lightsleep",
    "reset",
    "reset_cause",
    "soft_reset",
    "time_pulse_us",
    "unique_id",
    "wake_reason",
]
