# SPDX-License-Identifier: MIT
"""`esp32`: what a sleeping node needs of it, which is waking by a button."""

from chip import clock
from chip.pin import RTC_PINS, number_of

WAKEUP_ALL_LOW = False
WAKEUP_ANY_HIGH = True


def wake_on_ext0(pin=None, level=None):
    """Arm or, without a pin, disarm the EXT0 wake-up; only RTC pins can do it."""
    clock.elapsed_us()
    clock.now.ext0 = None
    if pin is not None:
        number = number_of(pin)
        if number not in RTC_PINS:
            raise ValueError("invalid pin")
        clock.now.ext0 = (number, bool(level))


def raw_temperature():
    clock.elapsed_us()
    return 86  # Fahrenheit of the die, as the classic ESP32 gives it
