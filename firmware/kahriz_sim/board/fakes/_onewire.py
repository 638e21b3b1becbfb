# SPDX-License-Identifier: MIT
"""`_onewire` of the official firmware: the bit timing on a pin."""

from chip import clock as _clock
from chip.ds18b20 import crc8 as _crc8

_wires = {}  # pin number -> the device on the wire


def reset(pin):
    _clock.charge_us(960)  # 480 µs low, 480 µs for the presence pulse
    device = _wires.get(pin.number)
    return device is not None and device.reset()


def readbit(pin):
    _clock.charge_us(65)
    device = _wires.get(pin.number)
    return 1 if device is None else device.read_bit()


def writebit(pin, value):
    _clock.charge_us(65)
    device = _wires.get(pin.number)
    if device is not None:
        device.write_bit(1 if value else 0)


def readbyte(pin):
    _clock.charge_us(8 * 65)
    device = _wires.get(pin.number)
    return 0xFF if device is None else device.read_byte()


def writebyte(pin, value):
    _clock.charge_us(8 * 65)
    device = _wires.get(pin.number)
    if device is not None:
        device.write_byte(value & 0xFF)


def crc8(data):
    return _crc8(data)
