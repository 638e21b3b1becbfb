# SPDX-License-Identifier: MIT
"""machine.Counter of the ESP32 port (since 1.26): a PCNT unit that counts while the chip is awake.

Source: MicroPython, docs/library/machine.Counter.rst and ports/esp32/modules/machine.py: one object
a unit; with further arguments it begins anew, without them it is the one that counts already. The
unit stands still in light sleep and is gone after deep sleep (ESP-IDF, sleep modes).
"""

from micropython import const

from chip import clock
from chip.pin import number_of

_UNITS = const(8)  # ESP32 data sheet, PCNT
_units = {}  # id -> Counter
_sources = {}  # pin -> function() -> pulses a second since it was last asked


def source(pin, hertz):
    _sources[pin] = hertz


def power_up():
    _units.clear()


class Counter:
    RISING = 1
    FALLING = 2
    UP = 1
    DOWN = 2

    def __new__(cls, unit_id, *_args, **_kwargs):
        self = _units.get(unit_id)
        if self is None:
            if not isinstance(unit_id, int) or not 0 <= unit_id < _UNITS:
                raise ValueError("invalid id")
            self = object.__new__(cls)
            self._counts = False
            _units[unit_id] = self
        return self

    def __init__(self, unit_id, *args, filter_ns=0, **kwargs):
        clock.elapsed_us()
        self._unit_id = unit_id
        if self._counts and not (args or kwargs):
            return
        self._configure(*args, **kwargs)
        self._filter = min(max(0, filter_ns * 80 // 1000), 1023)
        self._pulses = 0.0
        self._since_us = clock.elapsed_us()
        self._counts = True

    def init(self, *args, **kwargs):
        self.__init__(self._unit_id, *args, **kwargs)

    def deinit(self):
        self._counts = False

    def value(self, value=None):
        if not self._counts:
            raise RuntimeError("not initialised")
        now_us = clock.elapsed_us()
        awake_us = now_us - self._since_us
        for start_us, stop_us in clock.now.deaf:
            awake_us -= max(0, min(stop_us, now_us) - max(start_us, self._since_us))
        self._since_us = now_us
        if self._pin in _sources:
            edges = 2 if self._edge == 3 else 1
            sign = 1 if self._direction == Counter.UP else -1
            self._pulses += sign * edges * _sources[self._pin]() * awake_us / 1e6
        result = int(self._pulses)
        if value is not None:
            self._pulses += value - result
        return result

    def _configure(self, src, edge=1, direction=1):
        self._pin = number_of(src)
        self._edge = edge
        self._direction = direction
