# SPDX-License-Identifier: MIT
"""A simulated conductivity probe: Modbus RTU slave 1 behind an RS-485 transceiver with a DE pin.

Source: Modbus over serial line V1.02 (silence of 3.5 characters ends a frame, CRC), application
protocol V1.1b3 (function 3, exceptions), registers of Seeed 101990667. A byte reaches the probe
only when DE is high all its time, and the chip hears one only when DE is low all its time.
"""

from micropython import const

from chip import clock
from chip.world import world

_ADDRESS = const(1)
_BYTE_US = const(1042)  # ten bits at 9600 baud
_SILENCE_US = const(3650)  # 3.5 characters
_LATENCY_US = const(20_000)  # ours: the probe thinks
_START_US = const(500_000)  # ours: from supply to the first answer
_REGISTERS = const(6)


class ModbusProbe:
    baud = 9600

    def __init__(self):
        self._de = []
        self.wake()

    def wake(self):
        """The chip slept: supply and driver were off."""
        self._on_us = None
        self._de = [(0, 0)]  # (since, level)
        self._question = []  # bytes on their way: (start, end, byte)
        self._answer = []

    def power(self, level):
        """The supply switch: None (floating) and 0 are off."""
        if not level:
            self._on_us = None
        elif self._on_us is None:
            self._on_us = clock.peek_us()

    def drive(self, level):
        """The DE and /RE pins of the transceiver."""
        self._de = self._de[-8:] + [(clock.peek_us(), 1 if level else 0)]  # noqa: RUF005

    def select(self, level):
        """The idle level of the line says nothing to a transceiver."""

    def hear(self, data, start_us, byte_us):
        """Bytes that leave the chip's TX from `start_us` on."""
        for at, byte in enumerate(data):
            begin_us = start_us + at * byte_us
            self._question.append((begin_us, begin_us + byte_us, byte))

    def next_byte(self, after_us):
        """(arrival, byte) of the first byte the chip hears after `after_us`, None for silence."""
        self._work(after_us + 1_000_000)
        for start_us, end_us, byte in self._answer:
            if end_us > after_us and self._level(start_us, end_us) == 0:
                return end_us, byte
        return None

    def arrived(self, after_us, until_us):
        """All bytes the chip hears that end after `after_us` and by `until_us`."""
        self._work(until_us)
        heard = bytearray()
        for start_us, end_us, byte in self._answer:
            if after_us < end_us <= until_us and self._level(start_us, end_us) == 0:
                heard.append(byte)
        return bytes(heard)

    def _level(self, start_us, end_us):
        """Level of DE from start to end, None when it changes in between."""
        level = 0
        for since_us, value in self._de:
            if since_us <= start_us:
                level = value
            elif since_us < end_us and value != level:
                return None
        return level

    def _work(self, until_us):
        """Answer the question whose silence has passed by now."""
        if not self._question or self._question[-1][1] + _SILENCE_US > until_us:
            return
        end_us = self._question[-1][1]
        frame = bytes([b for start, end, b in self._question if self._level(start, end) == 1])
        asked_us = self._question[0][0]
        self._question = []
        if self._on_us is None or asked_us < self._on_us + _START_US:
            return
        if len(frame) != 8 or crc16(frame) or frame[0] != _ADDRESS:
            return
        at_us = end_us + _SILENCE_US + _LATENCY_US
        answer = reply(frame, world.sense("probe"))
        self._answer = [
            (at_us + at * _BYTE_US, at_us + (at + 1) * _BYTE_US, byte)
            for at, byte in enumerate(answer)
        ]


def reply(frame, truth):
    """The answer to a question; `truth` holds us_cm and c, and may hold exception and garble."""
    first, count = frame[2] << 8 | frame[3], frame[4] << 8 | frame[5]
    code = truth.get("exception")
    if frame[1] != 3:
        code = 1  # illegal function
    elif not 1 <= count <= 125:
        code = 3  # illegal data value
    elif first + count > _REGISTERS:
        code = 2  # illegal data address
    if code:
        body = bytes((_ADDRESS, frame[1] | 0x80, code))
    else:
        words = [int(truth["c"] * 100) & 0xFFFF, 0, int(truth["us_cm"]), 0, 0, 0]
        body = bytes((_ADDRESS, 3, 2 * count))
        for word in words[first : first + count]:
            body += bytes((word >> 8, word & 0xFF))
    check = crc16(body) ^ (1 if truth.get("garble") else 0)
    return body + bytes((check & 0xFF, check >> 8))


def crc16(data):
    """CRC of Modbus; over a frame with its own CRC it is 0."""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0xA001 if crc & 1 else 0)
    return crc
