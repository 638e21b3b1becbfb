# SPDX-License-Identifier: MIT
"""A simulated Maxim DS18B20 with its own supply, alone on its wire or among others.

Source: Maxim 19-7487: ROM and function commands, scratchpad, conversion times, CRC-8 (X8+X5+X4+1).
"""

from micropython import const

from chip import clock
from chip.world import world

_POWER_ON = b"\x50\x05\x4b\x46\x7f\xff\x0c\x10"  # 85 °C, alarm bytes, 12 bits (19-7487, scratchpad)
_CONVERSION_US = const(750_000)  # at 12 bits, halved by each bit less
_SAME_READING_US = const(
    2_000_000
)  # ours: one question to the world for a conversion and its reading


class Ds18b20:
    def __init__(self, serial=b"\x4b\x52\x48\x5a\x00\x01", device="air"):
        self._device = device  # its name in the world
        self.rom = _with_crc(b"\x28" + serial)
        self._sensed_us = None
        self._fresh = None
        self.power_up()

    def power_up(self):
        self._scratchpad = bytearray(_POWER_ON)
        self._done_us = None
        self._reset_state()

    def wake(self):
        """The chip slept: a running conversion ended long ago, and the world has moved on."""
        self._sensed_us = None
        if self._done_us is not None:
            self._done_us = 0
            self._finish()

    def reset(self):
        """A reset pulse: True when the sensor answers with its presence pulse."""
        self._reset_state()
        now_us = clock.peek_us()
        if self._sensed_us is None or now_us - self._sensed_us > _SAME_READING_US:
            self._sensed_us = now_us
            self._fresh = world.sense(self._device)["c"]
        self._here = self._fresh is not None
        return self._here

    def write_bit(self, bit):
        if not self._here:
            return
        if self._search is not None:
            self._search_step(bit)
            return
        self._in |= bit << self._in_bits
        self._in_bits += 1
        if self._in_bits == 8:
            byte, self._in, self._in_bits = self._in, 0, 0
            self._byte(byte)

    def read_bit(self):
        if not self._here:
            return 1  # the pull-up
        if self._search is not None:
            return self._search_bit()
        if self._out_at < len(self._out) * 8:
            bit = self._out[self._out_at >> 3] >> (self._out_at & 7) & 1
            self._out_at += 1
            return bit
        if self._done_us is not None:
            return 1 if self._finish() else 0  # a converting sensor holds the line low
        return 1

    def read_byte(self):
        if self._here and self._search is None and self._out_at + 8 <= len(self._out) * 8:
            self._out_at += 8
            return self._out[(self._out_at >> 3) - 1]
        byte = 0
        for at in range(8):
            byte |= self.read_bit() << at
        return byte

    def write_byte(self, byte):
        if self._here and self._search is None and not self._in_bits:
            self._byte(byte)
            return
        for at in range(8):
            self.write_bit(byte >> at & 1)

    def _reset_state(self):
        self._here = False
        self._selected = False
        self._rom_left = None  # bytes of a MATCH ROM still to come
        self._writing = None  # bytes of a WRITE SCRATCHPAD
        self._search = None
        self._in = self._in_bits = 0
        self._out = b""
        self._out_at = 0

    def _byte(self, byte):
        if self._rom_left is not None:
            self._rom_left.append(byte)
            if len(self._rom_left) == 8:
                self._here = bytes(self._rom_left) == self.rom
                self._selected, self._rom_left = self._here, None
        elif self._writing is not None:
            self._writing.append(byte)
            if len(self._writing) == 3:
                self._scratchpad[2:5] = bytes(self._writing[:2]) + bytes(
                    (self._writing[2] & 0x60 | 0x1F,)
                )
                self._writing = None
        elif not self._selected:
            self._rom_command(byte)
        else:
            self._function(byte)

    def _rom_command(self, byte):
        if byte == 0xCC:
            self._selected = True
        elif byte == 0x55:
            self._rom_left = bytearray()
        elif byte == 0x33:
            self._say(self.rom)
        elif byte == 0xF0:
            self._search = 0

    def _function(self, byte):
        self._finish()
        if byte == 0x44:
            bits = 9 + (self._scratchpad[4] >> 5 & 3)
            self._next_c = self._fresh
            self._done_us = clock.peek_us() + (_CONVERSION_US >> (12 - bits))
        elif byte == 0xBE:
            self._say(_with_crc(self._scratchpad))
        elif byte == 0x4E:
            self._writing = bytearray()
        elif byte == 0xB4:
            self._say(b"\xff")

    def _say(self, data):
        self._out = data
        self._out_at = 0

    def _finish(self):
        """Put a finished conversion into the scratchpad; True when none is running."""
        if self._done_us is None:
            return True
        if clock.peek_us() < self._done_us:
            return False
        self._done_us = None
        low_bits = 3 - (self._scratchpad[4] >> 5 & 3)
        raw = round(self._next_c * 16) >> low_bits << low_bits & 0xFFFF
        self._scratchpad[0:2] = bytes((raw & 0xFF, raw >> 8))
        return True

    def _search_bit(self):
        at, part = self._search // 3, self._search % 3
        self._search += 1
        bit = self.rom[at >> 3] >> (at & 7) & 1
        return bit if part == 0 else 1 - bit

    def _search_step(self, bit):
        at = self._search // 3
        self._search += 1
        if bit != self.rom[at >> 3] >> (at & 7) & 1:
            self._here = False
        elif at == 63:
            self._search, self._selected = None, True


def crc8(data):
    """Dallas CRC-8, low bit first."""
    crc = 0
    for byte in data:
        for _ in range(8):
            crc = crc >> 1 ^ (0x8C if (crc ^ byte) & 1 else 0)
            byte >>= 1
    return crc


def _with_crc(data):
    return bytes(data) + bytes((crc8(data),))
