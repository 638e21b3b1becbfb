# SPDX-License-Identifier: MIT
"""A simulated DFRobot A02YYUW (SEN0311): frames at 9600 baud while its supply is on.

Source: DFRobot wiki SEN0311: FF hi lo sum, distance in mm, sum is the low byte of the other three;
RX low: raw value each 100 ms; RX high or open: processed value each 100-300 ms (200 here).
"""

from micropython import const

from chip import clock
from chip.world import world

_START_US = const(180_000)  # ours: from supply to the first frame
_RAW_US = const(100_000)  # SEN0311 wiki, response time with RX low
_PROCESSED_US = const(200_000)  # SEN0311 wiki, 100-300 ms with RX high
_BYTE_US = const(1042)  # ten bits at 9600 baud
_FIRST_COUNT = 20  # echoes asked of the world at a time: a driver takes 15 and leaves out some
_GARBAGE = b"\x00\xff\x07"  # the switch-on glitch: a false header right before the first frame


class A02yyuw:
    baud = 9600

    def __init__(self):
        self.power(None)
        self._select = None

    def power(self, level):
        """The supply switch: None (floating) and 0 are off."""
        if not level:
            self._on_us = None
        elif self._on_us is None:
            self._on_us = clock.peek_us()
            self._echoes = []
            self._pending_us = self._on_us + _START_US - len(_GARBAGE) * _BYTE_US
            self._pending = _GARBAGE
            self._frame_us = self._on_us + _START_US

    def select(self, level):
        """The sensor's RX line: 0 raw, 1 or None (floating) processed."""
        self._select = level

    def next_byte(self, after_us):
        """(arrival, byte) of the first byte that ends after `after_us`, None without supply."""
        if self._on_us is None:
            return None
        skip = self._find(after_us)
        return self._pending_us + (skip + 1) * _BYTE_US, self._pending[skip]

    def arrived(self, after_us, until_us):
        """All bytes that end after `after_us` and by `until_us`."""
        if self._on_us is None:
            return b""
        data = b""
        while True:
            skip = self._find(after_us)
            ended = (until_us - self._pending_us) // _BYTE_US
            if ended <= skip:
                return data
            data += self._pending[skip:ended]
            after_us = self._pending_us + min(ended, len(self._pending)) * _BYTE_US

    def _find(self, after_us):
        """Make the frame pending that holds the next byte; returns the byte's place in it."""
        while True:
            skip = max((after_us - self._pending_us) // _BYTE_US, 0)
            if skip < len(self._pending):
                return skip
            self._pending_us = self._frame_us
            period_us = _RAW_US if self._select == 0 else _PROCESSED_US
            if after_us - self._frame_us > 2 * period_us:  # nobody listened: skip those frames
                lost = (after_us - self._frame_us) // period_us - 1
                self._frame_us += lost * period_us
                self._pending_us = self._frame_us
            self._frame_us += period_us
            self._pending = self._frame()

    def _frame(self):
        if not self._echoes:
            self._echoes = world.sense("ultrasonic", count=_FIRST_COUNT)["echo_mm"]
            if not self._echoes:
                raise ValueError("the world gave no echoes")
        return frame(self._echoes.pop(0))


def frame(distance_mm):
    """The four bytes of a distance; without an echo the sensor says 0."""
    mm = min(max(int(distance_mm or 0), 0), 0xFFFF)
    high, low = mm >> 8, mm & 0xFF
    return bytes((0xFF, high, low, 0xFF + high + low & 0xFF))
