# SPDX-License-Identifier: MIT
"""`onewire`, the module frozen into the official firmware: a bus on one pin."""

import _onewire


class OneWireError(Exception):
    pass


class OneWire:
    SEARCH_ROM = 0xF0
    MATCH_ROM = 0x55
    SKIP_ROM = 0xCC

    def __init__(self, pin):
        self.pin = pin
        self.pin.init(pin.OPEN_DRAIN, pin.PULL_UP)

    def reset(self, required=False):
        present = _onewire.reset(self.pin)
        if required and not present:
            raise OneWireError
        return present

    def readbit(self):
        return _onewire.readbit(self.pin)

    def readbyte(self):
        return _onewire.readbyte(self.pin)

    def readinto(self, buf):
        for at in range(len(buf)):
            buf[at] = _onewire.readbyte(self.pin)

    def writebit(self, value):
        _onewire.writebit(self.pin, value)

    def writebyte(self, value):
        _onewire.writebyte(self.pin, value)

    def write(self, buf):
        for byte in buf:
            _onewire.writebyte(self.pin, byte)

    def select_rom(self, rom):
        self.reset()
        self.writebyte(self.MATCH_ROM)
        self.write(rom)

    def crc8(self, data):
        return _onewire.crc8(data)

    def scan(self):
        """ROM codes on the wire; always the 1 branch first, then back to the last fork."""
        found = []
        fork = 64
        rom = bytearray(8)
        while fork >= 0 and self.reset():
            self.writebyte(self.SEARCH_ROM)
            last = fork
            fork = -1
            for at in range(64):
                bit, other = self.readbit(), self.readbit()
                if bit and other:
                    return found
                if not bit and not other:
                    before = rom[at >> 3] >> (at & 7) & 1
                    bit = 0 if at == last else 1 if at > last or last == 64 else before
                    if bit:
                        fork = at
                self.writebit(bit)
                rom[at >> 3] = rom[at >> 3] & ~(1 << (at & 7)) | bit << (at & 7)
            found.append(bytearray(rom))
        return found
