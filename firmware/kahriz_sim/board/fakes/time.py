# SPDX-License-Identifier: MIT
"""`time` of the ESP32 port: epoch 2000, ticks that wrap at 2**30, sleeps that cost no wall time."""

import utime as _utime
from chip import clock as _clock

_EPOCH_2000_S = 946_684_800
_MASK = _clock.TICKS_MASK
_HALF = (_MASK + 1) >> 1


def ticks_us():
    return _clock.elapsed_us() & _MASK


def ticks_ms():
    return _clock.elapsed_us() // 1000 & _MASK


def ticks_cpu():
    return _clock.elapsed_us() * 160 & _MASK


def ticks_add(ticks, delta):
    if not -_HALF < delta < _HALF:
        raise OverflowError("ticks interval overflow")
    return (ticks + delta) & _MASK


def ticks_diff(end, start):
    return ((end - start + _HALF) & _MASK) - _HALF


def sleep_us(us):
    _clock.charge_us(int(us))


def sleep_ms(ms):
    _clock.charge_us(int(ms) * 1000)


def sleep(seconds):
    _clock.charge_us(int(seconds * 1_000_000))


def time():
    return _clock.rtc_us() // 1_000_000


def time_ns():
    return _clock.rtc_us() * 1000


def gmtime(*seconds):
    _one(seconds)
    at = seconds[0] if seconds and seconds[0] is not None else time()
    return _utime.gmtime(int(at) + _EPOCH_2000_S)[:8]


localtime = gmtime  # the port has no time zones


def mktime(when):
    if len(when) not in (8, 9):
        raise TypeError("mktime needs a tuple of length 8 or 9")
    return int(_utime.mktime(tuple(when[:8]) + (-1,))) - _EPOCH_2000_S  # noqa: RUF005 - MicroPython has no * in a tuple


def _one(args):
    if len(args) > 1:
        raise TypeError("function expected at most 1 arguments")
