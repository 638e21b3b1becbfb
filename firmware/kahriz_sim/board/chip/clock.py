# SPDX-License-Identifier: MIT
"""Time on the simulated chip: ticks since the wake, drifting RTC, watchdog, the end of a wake.

Real time (program, sockets) and charged time (sleeps, warm-ups, association) add up. A charge costs
no wall time, except while a socket is open: then the other end lives in real time and so do we.
While none is open, what this machine did meanwhile for others is not the chip's time: a board that
is `alone` counts what it has worked itself.
"""

import utime
from micropython import const

BOOT_US = const(
    635_000
)  # deep sleep to main.py, before MicroPython 1.21 (energy_profiles.toml): the longer, to be safe
AWAY_US = const(1000)  # from here on we may not have worked but waited for the machine
TICKS_MASK = const(0x3FFFFFFF)  # MICROPY_PY_TIME_TICKS_PERIOD = 2**30 on a 32-bit port

PWRON_RESET = const(1)
HARD_RESET = const(2)
WDT_RESET = const(3)
DEEPSLEEP_RESET = const(4)
SOFT_RESET = const(5)


class DeepSleep(BaseException):
    """machine.deepsleep(): the wake is over; `ms` is None when no timer wakes the chip."""

    def __init__(self, ms):
        self.ms = ms


class ChipReset(BaseException):
    """machine.reset(), soft_reset() or the watchdog: the next wake begins at once."""

    def __init__(self, cause):
        self.cause = cause


class PowerCut(BaseException):
    """The power went in the middle of a wake; the world says when it comes back."""


class State:
    """What changes during a wake."""

    def __init__(self):
        self.alone = False  # nobody types here: set once, before the first wake
        self.real_us = 0  # of this wake
        self.seen_us = 0  # the machine's ticks when we looked last
        self.unsure_us = 0  # counted since we asked for our own work, which is then this
        self.worked_s = 0.0
        self.charged_us = 0
        self.rtc0_us = 0  # RTC at the beginning of this wake, µs since 2000; lives over deep sleep
        self.cause = PWRON_RESET
        self.button = False
        self.over = None  # the exception that ended this wake
        self.wdt_us = 0
        self.wdt_fed_us = 0
        self.open_sockets = 0
        self.deaf = []  # light sleeps as (from_us, to_us): a UART hears nothing then
        self.at_end = None  # called once when the wake ends: the flash goes dead


now = State()


def power_up(cause, button, rtc0_us):
    now.real_us = now.unsure_us = 0
    now.seen_us = utime.ticks_us()
    now.worked_s = utime.clock()
    now.charged_us = BOOT_US
    now.rtc0_us = rtc0_us
    now.cause = cause
    now.button = button
    now.over = None
    now.wdt_us = 0
    now.open_sockets = 0
    now.deaf.clear()


def elapsed_us():
    """Microseconds since this wake began; the watchdog may bite here."""
    if now.over is not None:
        raise now.over
    us = _real_us() + now.charged_us
    if now.wdt_us and us - now.wdt_fed_us > now.wdt_us:
        end(ChipReset(WDT_RESET))
    return us


def peek_us():
    """The same without any consequence, for the board itself."""
    return _real_us() + now.charged_us


def _real_us():
    """What has passed of this wake; our own work alone where nothing else can be waited for."""
    seen_us = utime.ticks_us()
    us = seen_us - now.seen_us
    now.seen_us = seen_us
    if now.alone and (us > AWAY_US or now.open_sockets):
        worked_s = utime.clock()  # in whole milliseconds: short work counts by its ticks alone
        most_us = int((worked_s - now.worked_s) * 1_000_000 + 0.5)
        if not now.open_sockets:
            us = max(min(us, most_us - now.unsure_us), 0)
        now.worked_s = worked_s
        now.unsure_us = 0
    else:
        now.unsure_us += us
    now.real_us += us
    return now.real_us


def charge_us(us):
    """Let chip time pass: a sleep, a bus transfer, a conversion."""
    if us > 0:
        if now.wdt_us:
            left = now.wdt_us - (elapsed_us() - now.wdt_fed_us) + 1
            if left < us:
                us = left
        if now.open_sockets:
            utime.sleep_us(us)
        else:
            now.charged_us += us
    elapsed_us()


def light_sleep_us(us):
    start = elapsed_us()
    now.charged_us += us
    now.deaf.append((start, start + us))
    elapsed_us()


def wdt_left_ms(limit_ms):
    """How long a real wait may last before the watchdog bites."""
    if not now.wdt_us:
        return limit_ms
    left = (now.wdt_us - (elapsed_us() - now.wdt_fed_us)) // 1000 + 1
    return min(left, limit_ms)


def rtc_us():
    return now.rtc0_us + elapsed_us()


def set_rtc_us(us):
    now.rtc0_us = us - elapsed_us()


def end(how):
    """End the wake; whatever the program still tries raises the same again."""
    if now.over is None:
        now.over = how
        if now.at_end is not None:
            now.at_end()
    raise now.over
