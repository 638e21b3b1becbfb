# SPDX-License-Identifier: MIT
"""machine.I2C and SoftI2C: transactions with the devices wired to a pair of pins.

A device offers `write(bytes)` and `read(count) -> bytes`; an address nobody holds is a NACK.
"""

from chip import clock
from chip.pin import number_of

_ENODEV = 19  # what ports/esp32/machine_i2c.c raises for a NACK
_DEFAULT_PINS = {0: (18, 19), 1: (25, 26)}  # (scl, sda)
_wired = {}  # (scl, sda) -> {address: device}


def attach(scl, sda, address, device):
    _wired.setdefault((scl, sda), {})[address] = device


class SoftI2C:
    def __init__(self, scl, sda, *, freq=400000, timeout=50000):
        clock.elapsed_us()
        self._set(number_of(scl), number_of(sda), freq)

    def _set(self, scl, sda, freq):
        if freq <= 0:
            raise ValueError("invalid frequency")
        self._devices = _wired.get((scl, sda), {})
        self._byte_ns = 9_000_000_000 // freq

    def scan(self):
        clock.charge_us(112 * self._byte_ns // 1000)
        return [address for address in sorted(self._devices) if self._devices[address].answers()]

    def writeto(self, addr, buf, stop=True):
        self._at(addr, len(buf)).write(bytes(buf))
        return len(buf) + 1 if isinstance(self, I2C) else len(buf)

    def writevto(self, addr, vector, stop=True):
        return self.writeto(addr, b"".join(bytes(part) for part in vector), stop)

    def readfrom(self, addr, nbytes, stop=True):
        return self._at(addr, nbytes).read(nbytes)

    def readfrom_into(self, addr, buf, stop=True):
        buf[:] = self._at(addr, len(buf)).read(len(buf))

    def readfrom_mem(self, addr, memaddr, nbytes, *, addrsize=8):
        device = self._at(addr, nbytes + 2)
        device.write(_memory_address(memaddr, addrsize))
        return device.read(nbytes)

    def readfrom_mem_into(self, addr, memaddr, buf, *, addrsize=8):
        buf[:] = self.readfrom_mem(addr, memaddr, len(buf), addrsize=addrsize)

    def writeto_mem(self, addr, memaddr, buf, *, addrsize=8):
        self._at(addr, len(buf) + 1).write(_memory_address(memaddr, addrsize) + bytes(buf))

    def _at(self, addr, count):
        clock.charge_us((count + 1) * self._byte_ns // 1000)
        device = self._devices.get(addr)
        if device is None or not device.answers():
            raise OSError(_ENODEV)
        return device


class I2C(SoftI2C):
    def __init__(self, *number, scl=None, sda=None, freq=400000, timeout=50000):
        if len(number) > 1:
            raise TypeError("extra positional arguments given")
        clock.elapsed_us()
        port = number[0] if number else 0
        if port not in _DEFAULT_PINS:
            raise ValueError(f"I2C({port}) doesn't exist")
        default_scl, default_sda = _DEFAULT_PINS[port]
        self._set(
            default_scl if scl is None else number_of(scl),
            default_sda if sda is None else number_of(sda),
            freq,
        )


def _memory_address(memaddr, addrsize):
    if addrsize % 8 or not 8 <= addrsize <= 32:
        raise ValueError("invalid addrsize")
    return memaddr.to_bytes(addrsize // 8, "big")
