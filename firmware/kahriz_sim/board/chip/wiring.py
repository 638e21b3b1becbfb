# SPDX-License-Identifier: MIT
"""What is wired to the simulated board: the pins of hardware/outlet, one of each device.

A configuration that names other pins finds nothing there, as on a wrongly wired board.
"""

import _onewire

from chip import a02yyuw, ads1115, counter, ds18b20, i2c, pin, soc, uart
from chip.clock import now
from chip.world import world

ULTRASONIC_RX = 16  # the chip's rx, the sensor's TX
ULTRASONIC_TX = 17  # the chip's tx, the sensor's RX
ULTRASONIC_POWER = 25
AIR = 4
LOOP_SDA = 21
LOOP_SCL = 22
LOOP_POWER = 26
BUTTON = 33  # to ground when pressed, external pull-up
BATTERY = 34
BATTERY_DIVIDER = 2  # 1 MΩ over 1 MΩ

_ultrasonic = a02yyuw.A02yyuw()
_air = ds18b20.Ds18b20()
_loop = ads1115.Ads1115()
_more = []  # what wakes the devices that this world fits


def fit(names):
    """Load and wire the further devices of this world, among the names of chip/fitted.py."""
    if names:
        from chip import fitted

        fitted.connect(names, _air, AIR)
        _more.append(fitted.wake)


def connect():
    uart.attach(ULTRASONIC_RX, ULTRASONIC_TX, _ultrasonic)
    pin.watch(ULTRASONIC_POWER, _ultrasonic.power)
    _onewire._wires.setdefault(AIR, _air)
    i2c.attach(LOOP_SCL, LOOP_SDA, ads1115.ADDRESS, _loop)
    pin.watch(LOOP_POWER, _loop.loop_power)
    pin.drive(BUTTON, _button)
    soc.measure(BATTERY, _battery)


def power_up(power_lost):
    """The switched supplies are off while the chip boots; the others never went off."""
    _ultrasonic.power(None)
    _ultrasonic.select(None)
    _loop.wake()
    _air.wake()
    counter.power_up()
    if power_lost:
        _air.power_up()
        _loop.power_up()
    for wake in _more:
        wake(power_lost)


def _button():
    return 0 if now.button else 1


def _battery():
    return world.sense("battery")["v"] / BATTERY_DIVIDER
