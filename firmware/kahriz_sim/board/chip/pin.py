# SPDX-License-Identifier: MIT
"""machine.Pin and Signal of the classic ESP32; devices listen to levels through `watch`."""

from micropython import const

from chip import clock

_PINS = (
    0, 1, 2, 3, 4, 5, 9, 10, 12, 13, 14, 15, 16, 17, 18, 19,
    21, 22, 23, 25, 26, 27, 32, 33, 34, 35, 36, 37, 38, 39,
)  # fmt: skip
RTC_PINS = (
    0,
    2,
    4,
    12,
    13,
    14,
    15,
    25,
    26,
    27,
    32,
    33,
    34,
    35,
    36,
    37,
    38,
    39,
)  # EXT0 can use these
_FIRST_INPUT_ONLY = const(34)  # ports/esp32/machine_pin.c, GPIO_FIRST_NON_OUTPUT

_latch = {}  # pin -> output latch
_mode = {}  # pin -> mode
_pull = {}  # pin -> pull
_watch = {}  # pin -> function(level), a device's power or select line
_drive = {}  # pin -> function() -> level, what a device puts on an input


def power_up():
    _latch.clear()
    _mode.clear()
    _pull.clear()


def watch(pin, function):
    _watch[pin] = function


def drive(pin, function):
    _drive[pin] = function


def number_of(pin):
    """GPIO number of a Pin or an int, as the port's machine_pin_get_id()."""
    number = pin.number if isinstance(pin, Pin) else pin
    if not isinstance(number, int) or number not in _PINS:
        raise ValueError("invalid pin")
    return number


def output_level(number):
    """What the pin drives outwards, None when it is an input."""
    if _mode.get(number, Pin.IN) == Pin.IN:
        return None
    return _latch.get(number, 0)


class Pin:
    IN = 1
    OUT = 3
    OPEN_DRAIN = 7
    PULL_DOWN = 1
    PULL_UP = 2
    IRQ_RISING = 1
    IRQ_FALLING = 2
    WAKE_LOW = 4
    WAKE_HIGH = 5
    DRIVE_0 = 0
    DRIVE_1 = 1
    DRIVE_2 = 2
    DRIVE_3 = 3

    def __init__(self, *number, **more):
        if not number:
            raise TypeError("function missing required positional argument #1")
        clock.elapsed_us()
        self.number = number_of(number[0])
        if len(number) > 1 or more:
            self.init(*number[1:], **more)

    def __repr__(self):
        return f"Pin({self.number})"

    def init(self, mode=None, pull=-1, *, value=None, drive=None, hold=None):
        clock.elapsed_us()
        number = self.number
        if value is not None:
            _latch[number] = 1 if value else 0
        if mode is not None:
            if number >= _FIRST_INPUT_ONLY and mode & 2:
                raise ValueError("pin can only be input")
            _mode[number] = mode
        if pull != -1:
            _pull[number] = pull or 0
        self._tell()

    def value(self, *level):
        if len(level) > 1:
            raise TypeError("function expected at most 2 arguments")
        clock.elapsed_us()
        if not level:
            return self._read()
        _latch[self.number] = 1 if level[0] else 0
        self._tell()

    __call__ = value

    def on(self):
        self.value(1)

    def off(self):
        self.value(0)

    def toggle(self):
        self.value(1 - _latch.get(self.number, 0))

    def irq(self, handler=None, trigger=3, wake=None):
        """Accepted; no edge is simulated while the chip is awake."""
        clock.elapsed_us()
        if wake is not None and self.number not in RTC_PINS:
            raise ValueError("invalid pin for wake")
        return self

    def _read(self):
        number = self.number
        if _mode.get(number, Pin.IN) == Pin.OUT:
            return _latch.get(number, 0)
        if number in _drive:
            return _drive[number]()
        pulled_up = number < _FIRST_INPUT_ONLY and _pull.get(number, 0) & Pin.PULL_UP
        return 1 if pulled_up else 0  # 34-39 have no pull resistors: floating reads low here

    def _tell(self):
        listener = _watch.get(self.number)
        if listener is not None:
            listener(output_level(self.number))


class Signal:
    """machine.Signal: a pin with an optional inversion."""

    def __init__(self, pin, invert=False):
        self._pin = pin
        self._invert = 1 if invert else 0

    def value(self, *level):
        if not level:
            return self._pin.value() ^ self._invert
        self._pin.value((1 if level[0] else 0) ^ self._invert)

    __call__ = value

    def on(self):
        self.value(1)

    def off(self):
        self.value(0)
