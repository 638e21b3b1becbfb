# SPDX-License-Identifier: MIT
"""machine.RTC, WDT, ADC and the functions of `machine` about sleep, reset and identity."""

import utime
from micropython import const

from chip import clock
from chip.pin import number_of

RTC_MEMORY_MAX = const(2048)  # MICROPY_HW_RTC_USER_MEM_MAX, ports/esp32/machine_rtc.c
_EPOCH_2000_S = const(946_684_800)
_ADC1_PINS = (32, 33, 34, 35, 36, 37, 38, 39)
_ADC2_PINS = (0, 2, 4, 12, 13, 14, 15, 25, 26, 27)
_FULL_SCALE_UV = (
    950_000,
    1_250_000,
    1_750_000,
    2_450_000,
)  # ESP32 data sheet, ranges by attenuation
_EXT0, _TIMER = 2, 4  # ESP_SLEEP_WAKEUP_EXT0 and _TIMER

memory = bytearray()  # RTC slow memory: lives over deep sleep and resets, not over power loss
_volts = {}  # pin -> function() -> volts at the pin
_pulses = {}  # pin -> function() -> (rise, fall) or None
_unique = [b"\x24\x0a\xc4\x00\x00\x01"]


def lose_power():
    memory[:] = b""


def measure(pin, volts):
    _volts[pin] = volts


def set_unique_id(mac):
    _unique[0] = mac


class RTC:
    def __init__(self, *ignored):
        if ignored:
            raise TypeError("function takes 0 positional arguments")
        clock.elapsed_us()

    def datetime(self, *when):
        if len(when) > 1:
            raise TypeError("function expected at most 2 arguments")
        if not when:
            us = clock.rtc_us()
            y, mo, d, h, mi, s, wd, _ = utime.gmtime(us // 1_000_000 + _EPOCH_2000_S)[:8]
            return (y, mo, d, wd, h, mi, s, us % 1_000_000)
        if len(when[0]) != 8:
            raise ValueError(f"requested length 8 but object has length {len(when[0])}")
        y, mo, d, _, h, mi, s, us = when[0]
        seconds = int(utime.mktime((y, mo, d, h, mi, s, 0, 0, -1))) - _EPOCH_2000_S
        clock.set_rtc_us(seconds * 1_000_000 + us)

    def init(self, *when):
        self.datetime(*when)

    def memory(self, *data):
        if len(data) > 1:
            raise TypeError("function expected at most 2 arguments")
        clock.elapsed_us()
        if not data:
            return bytes(memory)
        content = bytes(memoryview(data[0]))
        if len(content) > RTC_MEMORY_MAX:
            raise ValueError("buffer too long")
        memory[:] = content


class WDT:
    """The task watchdog: cannot be stopped before the wake ends, and bites in chip time."""

    def __init__(self, id=0, timeout=5000):
        if id != 0:
            raise ValueError(f"WDT({id}) doesn't exist")
        if timeout <= 0:
            raise ValueError("WDT timeout too short")
        clock.now.wdt_us = timeout * 1000
        clock.now.wdt_fed_us = clock.peek_us()
        clock.elapsed_us()

    def feed(self):
        clock.elapsed_us()
        clock.now.wdt_fed_us = clock.peek_us()


class ADC:
    ATTN_0DB = 0
    ATTN_2_5DB = 1
    ATTN_6DB = 2
    ATTN_11DB = 3
    WIDTH_9BIT = 9
    WIDTH_10BIT = 10
    WIDTH_11BIT = 11
    WIDTH_12BIT = 12

    def __init__(self, *pin, atten=0):
        if len(pin) != 1:
            raise TypeError("function takes 1 positional arguments")
        self._pin = number_of(pin[0])
        if self._pin not in _ADC1_PINS and self._pin not in _ADC2_PINS:
            raise ValueError("invalid pin")
        self.init(atten=atten)

    def init(self, *, atten=0):
        clock.elapsed_us()
        if not 0 <= atten <= 3:
            raise ValueError("invalid atten")
        self._atten = atten

    def atten(self, atten):
        self.init(atten=atten)

    def read_uv(self):
        from network import radio_is_on

        if self._pin in _ADC2_PINS and radio_is_on():
            raise OSError(116)  # ESP32: ADC2 belongs to the radio while it is on (ETIMEDOUT)
        clock.charge_us(30)
        volts = _volts[self._pin]() if self._pin in _volts else 0.0
        full = _FULL_SCALE_UV[self._atten]
        return min(max(int(volts * 1e6), 0), full) // 1000 * 1000  # calibrated to whole millivolts

    def read_u16(self):
        return self.read_uv() * 65535 // _FULL_SCALE_UV[self._atten]

    def read(self):
        return self.read_u16() >> 4


def freq(*hertz):
    clock.elapsed_us()
    if not hertz:
        return 160_000_000
    if hertz[0] // 1_000_000 not in (20, 40, 80, 160, 240):
        raise ValueError("frequency must be 20MHz, 40MHz, 80Mhz, 160MHz or 240MHz")


def deepsleep(*ms):
    clock.elapsed_us()
    clock.end(clock.DeepSleep(_sleep_ms(ms)))


def lightsleep(*ms):
    wait_ms = _sleep_ms(ms)
    if wait_ms is None:
        raise NotImplementedError("a light sleep without a timer would never end here")
    clock.light_sleep_us(wait_ms * 1000)


def _sleep_ms(args):
    if len(args) > 1:
        raise TypeError("extra positional arguments given")
    return int(args[0]) if args and args[0] else None


def reset():
    clock.elapsed_us()
    clock.end(clock.ChipReset(clock.HARD_RESET))


def soft_reset():
    clock.elapsed_us()
    clock.end(clock.ChipReset(clock.SOFT_RESET))


def reset_cause():
    return clock.now.cause


def wake_reason():
    if clock.now.cause != clock.DEEPSLEEP_RESET:
        return 0
    return _EXT0 if clock.now.button else _TIMER


def unique_id():
    return _unique[0]


def idle():
    clock.charge_us(1000)  # returns at the next interrupt; FreeRTOS ticks every millisecond


def disable_irq():
    return 0


def enable_irq(state):
    clock.elapsed_us()


def pulse(pin, when):
    """`when()` -> (rise, fall) of the next pulse in charged time, or None."""
    _pulses[pin] = when


def time_pulse_us(*args):
    """-2 when the level does not come in time, -1 when it does not go; a late caller sees less."""
    if not 2 <= len(args) <= 3:
        raise TypeError("function expected 2 to 3 arguments")
    number = number_of(args[0])
    timeout_us = args[2] if len(args) > 2 else 1_000_000
    clock.elapsed_us()
    now_us = clock.now.charged_us
    when = _pulses[number]() if number in _pulses else None
    if when is None or when[1] <= now_us:
        when = (now_us + 2 * timeout_us,) * 2  # the line stays low
    if not args[1]:  # the gap before the pulse, or after it
        when = (when[1], when[1] + 2 * timeout_us) if now_us >= when[0] else (now_us, when[0])
    start_us = max(when[0], now_us)
    if start_us - now_us >= timeout_us:
        clock.charge_us(timeout_us)
        return -2
    width_us = min(when[1] - start_us, timeout_us)
    clock.charge_us(start_us - now_us + width_us)
    return -1 if width_us == timeout_us else width_us


def bitstream(pin, encoding, timing, buf):
    if encoding != 0:
        raise ValueError("encoding")
    clock.charge_us(len(buf) * 8 * 2)
