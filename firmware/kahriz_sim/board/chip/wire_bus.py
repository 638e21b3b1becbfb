# SPDX-License-Identifier: MIT
"""Several one-wire devices on one pin: the line is low when any of them pulls it low."""


class WireBus:
    def __init__(self, devices):
        self._devices = devices

    def reset(self):
        here = [device.reset() for device in self._devices]
        return any(here)

    def write_bit(self, bit):
        for device in self._devices:
            device.write_bit(bit)

    def write_byte(self, byte):
        for device in self._devices:
            device.write_byte(byte)

    def read_bit(self):
        line = 1
        for device in self._devices:
            line &= device.read_bit()
        return line

    def read_byte(self):
        line = 0xFF
        for device in self._devices:
            line &= device.read_byte()
        return line
