# SPDX-License-Identifier: MIT
"""A simulated TI ADS1115 with the shunt of a 4-20 mA loop on A0, and the loop's switched supply.

Source: TI SBAS444: pointer, conversion and configuration registers, OS bit, gain and rate tables;
a conversion takes one period of the rate, whose clock may be 10 % off.
"""

import math

from micropython import const

from chip import clock
from chip.world import world

ADDRESS = const(0x48)  # SBAS444, table 4: ADDR to ground
SHUNT_OHM = const(150)
_RESET_CONFIG = const(0x8583)  # SBAS444, configuration register, default
_OS = const(0x8000)
_SINGLE_SHOT = const(0x0100)
_FULL_SCALE_V = (6.144, 4.096, 2.048, 1.024, 0.512, 0.256, 0.256, 0.256)  # SBAS444, PGA bits
_RATE = (8, 16, 32, 64, 128, 250, 475, 860)  # SBAS444, DR bits, samples per second
_SUPPLY_V = 3.3
_SETTLE_US = 120_000  # ours: time constant of the transmitter after switch-on
_SLOW_CLOCK = 1.1  # SBAS444: data rate variation, worst case


class Ads1115:
    def __init__(self):
        self._loop_on_us = None
        self._ma = None
        self.power_up()

    def power_up(self):
        """Registers after the chip's supply returned."""
        self._pointer = 0
        self._config = _RESET_CONFIG
        self._value = 0
        self._due_us = None
        self._limits = [0x8000, 0x7FFF]
        self.loop_power(None)

    def wake(self):
        """The chip slept, with the loop off: a running conversion ended at nothing long ago."""
        self.loop_power(None)
        if self._due_us is not None:
            self._due_us = 0
            self._finish()

    def answers(self):
        return True

    def loop_power(self, level):
        """The supply of the transmitter, not of the converter."""
        if not level:
            self._loop_on_us = None
            self._ma = None
        elif self._loop_on_us is None:
            self._loop_on_us = clock.peek_us()

    def write(self, data):
        if not data:
            return
        self._pointer = data[0] & 3
        if len(data) < 3:
            return
        word = data[1] << 8 | data[2]
        if self._pointer == 1:
            self._finish()
            self._config = word & ~_OS
            if not word & _SINGLE_SHOT or (word & _OS and self._due_us is None):
                self._begin()
        elif self._pointer > 1:
            self._limits[self._pointer - 2] = word

    def read(self, count):
        self._finish()
        if self._pointer == 0:
            word = self._value & 0xFFFF
        elif self._pointer == 1:
            word = self._config | (_OS if self._due_us is None else 0)
        else:
            word = self._limits[self._pointer - 2]
        return (bytes((word >> 8, word & 0xFF)) * (count // 2 + 1))[:count]

    def _begin(self):
        rate = _RATE[self._config >> 5 & 7]
        self._due_us = clock.peek_us() + int(1_000_000 / rate * _SLOW_CLOCK) - 200

    def _finish(self):
        """Latch the conversion when its time has come; before that the old value stays."""
        if self._due_us is None or clock.peek_us() < self._due_us:
            return
        self._value = counts(self._volts(self._due_us), self._config)
        self._due_us = None
        if not self._config & _SINGLE_SHOT:
            self._begin()

    def _volts(self, at_us):
        mux = self._config >> 12 & 7
        if mux not in (0, 1, 4):  # A0-A1, A0-A3, A0-ground: A1 and A3 are tied to ground here
            return 0.0
        if self._loop_on_us is None:
            return 0.0
        if self._ma is None:
            self._ma = world.sense("loop")["ma"]
        settled = 1.0 - math.exp((self._loop_on_us - at_us) / _SETTLE_US)
        return min(self._ma * settled / 1000 * SHUNT_OHM, _SUPPLY_V)


def counts(volts, config):
    """Register value of an input under the gain of a configuration word."""
    scaled = round(volts * 32768 / _FULL_SCALE_V[config >> 9 & 7])
    return min(max(scaled, -32768), 32767)
