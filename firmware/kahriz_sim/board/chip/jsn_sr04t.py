# SPDX-License-Identifier: MIT
"""A simulated JSN-SR04T in pulse mode: a trigger of 10 us, an echo pulse as long as the flight.

Source: JSN-SR04T data sheet: burst of eight periods of 40 kHz after the trigger, echo line high
until the echo comes, at most 60 ms. Widths are charged time: a slow host shortens no pulse.
"""

from micropython import const

from chip import clock
from chip.world import world

_TRIGGER_US = const(10)  # data sheet, least width of the trigger
_BURST_US = const(450)  # ours: burst and rise of the echo line
_LONGEST_US = const(60_000)  # data sheet, without an echo
_SETTLE_US = const(50_000)  # data sheet, least time between two triggers
_START_US = const(100_000)  # ours: from supply to the first answer
_FIRST_COUNT = 20


class JsnSr04t:
    def __init__(self):
        self.wake()

    def wake(self):
        """The chip slept; without a switch in its supply the sensor is always ready."""
        self._on_us = -_START_US
        self._high_us = None
        self._pulse = None
        self._echoes = []
        self._ready_us = 0

    def power(self, level):
        """The supply switch, where there is one."""
        self._on_us = clock.now.charged_us if level else None

    def trigger(self, level):
        """The trigger line; its fall begins a measurement."""
        now_us = clock.now.charged_us
        if level:
            self._high_us = now_us
            return
        wide = self._high_us is not None and now_us - self._high_us >= _TRIGGER_US
        self._high_us = None
        if not wide or self._on_us is None or now_us < self._on_us + _START_US:
            return
        if not self._echoes:
            self._echoes = world.sense("jsn", count=_FIRST_COUNT)["echo_us"] or [-1]
        flight_us = self._echoes.pop(0)
        if flight_us is None or now_us < self._ready_us:  # no echo, or it still hears the last one
            flight_us = _LONGEST_US
        if flight_us < 0:  # dead: the line never rises
            return
        rise_us = now_us + _BURST_US
        self._pulse = (rise_us, rise_us + int(flight_us))
        self._ready_us = now_us + _SETTLE_US

    def pulse(self):
        """(rise, fall) of the echo line in charged time, None while it stays low."""
        return self._pulse
