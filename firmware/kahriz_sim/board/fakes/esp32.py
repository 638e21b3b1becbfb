# SPDX-License-Identifier: MIT
"""`esp32`: what a sleeping node needs of it, which is waking by a button."""

from chip import clock as _clock
from chip.pin import RTC_PINS as _RTC_PINS
from chip.pin import number_of as _number_of

WAKEUP_ALL_LOW = False
WAKEUP_ANY_HIGH = True


def wake_on_ext0(pin=None, level=None):
    """Arm or, without a pin, disarm the EXT0 wake-up; only RTC pins can do it."""
    _clock.elapsed_us()
    _clock.now.ext0 = None
    if pin is not None:
        number = _number_of(pin)
        if number not in _RTC_PINS:
            raise ValueError("invalid pin")
        _clock.now.ext0 = (number, bool(level))


def raw_temperature():
    _clock.elapsed_us()
    return 86  # Fahrenheit of the die, as the classic ESP32 gives it
