# SPDX-License-Identifier: MIT
"""A simulated MaxBotix HRXL-MaxSonar-WR (MB7389, TTL): a message every 148 ms while supplied.

Source: MaxBotix PD11500: power-up message, 9600 baud, `R`, four digits in mm, carriage return; pin
4 low stops the ranging, high or open goes on; 9999 (10 m models) or 5000 (5 m) without a target.
"""

from micropython import const

from chip import clock
from chip.world import world

_START_US = const(160_000)  # ours: from supply to the power-up message
_PERIOD_US = const(148_000)  # PD11500, MB7369 and MB7389, free run
_BYTE_US = const(1042)  # ten bits at 9600 baud
_NO_TARGET_MM = const(5000)
_FIRST_COUNT = 20
_HELLO = b"\rHRXL-MaxSonar-WR\rPN:MB7389\rRoHS 1.8b090  0713\rTempI\r"


class Hrxl:
    baud = 9600

    def __init__(self):
        self._ranging = None
        self.wake()

    def wake(self):
        """The chip slept: the switch of the supply was off."""
        self.power(None)
        self.select(None)

    def power(self, level):
        """The supply switch: None (floating) and 0 are off."""
        if not level:
            self._next_us = None
            self._sent = []
        elif self._next_us is None:
            start_us = clock.peek_us() + _START_US
            self._echoes = []
            self._sent = [(start_us, _HELLO)]
            self._next_us = start_us + _PERIOD_US

    def select(self, level):
        """Pin 4: 0 stops the ranging; 1 and None (pulled up inside) go on."""
        self._ranging = level != 0

    def next_byte(self, after_us):
        """(arrival, byte) of the first byte that ends after `after_us`, None when it is silent."""
        if self._next_us is None:
            return None
        while True:
            for start_us, data in self._sent:
                for at, byte in enumerate(data):
                    end_us = start_us + (at + 1) * _BYTE_US
                    if end_us > after_us:
                        return end_us, byte
            if not self._ranging:
                return None
            self._range(after_us)

    def arrived(self, after_us, until_us):
        """All bytes that end after `after_us` and by `until_us`."""
        if self._next_us is None:
            return b""
        while self._ranging and self._next_us < until_us:
            self._range(after_us)
        heard = bytearray()
        for start_us, data in self._sent:
            for at, byte in enumerate(data):
                if after_us < start_us + (at + 1) * _BYTE_US <= until_us:
                    heard.append(byte)
        return bytes(heard)

    def _range(self, after_us):
        """Send the next message; those nobody listened to are not kept."""
        missed = (after_us - self._next_us) // _PERIOD_US - 1
        if missed > 0:
            self._next_us += missed * _PERIOD_US
        self._sent = [one for one in self._sent if one[0] + len(one[1]) * _BYTE_US > after_us]
        if not self._echoes:
            self._echoes = world.sense("hrxl", count=_FIRST_COUNT)["echo_mm"]
        self._sent.append((self._next_us, message(self._echoes.pop(0))))
        self._next_us += _PERIOD_US


def message(distance_mm):
    """The six bytes of a distance; None is a water that is not found."""
    mm = _NO_TARGET_MM if distance_mm is None else min(max(int(distance_mm), 0), 9999)
    return b"R%04d\r" % mm
