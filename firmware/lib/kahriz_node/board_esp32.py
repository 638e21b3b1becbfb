# SPDX-License-Identifier: MIT
"""The ESP32 itself: pins, buses, radio, RTC memory, sleep. The only importer of its modules."""

import gc
import socket
import time

import esp32
import machine
import network

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kahriz_node.shapes import Any, Ping, State

# Pins of the node board (hardware/outlet). GPIO 34 is input only; 33 can wake from deep sleep.
BUTTON_PIN = 33  # to ground when pressed, external pull-up
BATTERY_PIN = 34  # ADC1, behind the divider
LED_GREEN_PIN = 18
LED_RED_PIN = 19
BATTERY_DIVIDER = 2  # 1 Mohm over 1 Mohm

WATCHDOG_MS = 90000  # a wake takes 2-20 s; the dog does not run in deep sleep
BLINK_MS = 150
RTC_MEMORY_BYTES = 2048  # CONFIG_ESP32_RTC_MEM of the official firmware
POLL_MS = 20
TRIGGER_US = 20  # twice what an ultrasonic sensor asks for


class Meter:
    """A hardware counter and the instant it was last asked."""

    def __init__(self, unit: int, pin: int) -> None:
        source = machine.Pin(pin, machine.Pin.IN)
        self._counter: Any = machine.Counter(unit, source, filter_ns=12787)  # 1023 x 12.5 ns
        self._since: Any = None

    def take(self) -> "tuple[int, int | None]":
        """Pulses and milliseconds since the last time; None for the time of the first."""
        pulses = int(self._counter.value(0))
        now: Any = time.ticks_ms()
        ms = None if self._since is None else time.ticks_diff(now, self._since)
        self._since = now
        return pulses, ms


class Board:
    """All that the node program asks of the chip."""

    hardware = "esp32-outlet-1"

    def __init__(self) -> None:
        self._watchdog = machine.WDT(timeout=WATCHDOG_MS)
        self._button = machine.Pin(BUTTON_PIN, machine.Pin.IN, machine.Pin.PULL_UP)
        self._joined = False
        self._meters: dict[int, Meter] = {}
        self._stayed = ""

    def cause(self) -> str:
        """Why the chip runs: timer, button, power_on, hard, watchdog or soft."""
        if self._stayed:
            return self._stayed
        reset = machine.reset_cause()
        if reset == machine.DEEPSLEEP_RESET:
            return "button" if machine.wake_reason() == machine.EXT0_WAKE else "timer"
        if reset == machine.PWRON_RESET:
            return "power_on"
        if reset == machine.HARD_RESET:
            return "hard"
        return "watchdog" if reset == machine.WDT_RESET else "soft"

    def feed(self) -> None:
        """Tell the watchdog that the wake goes on."""
        self._watchdog.feed()

    def ticks_ms(self) -> int:
        """Milliseconds that wrap at 2**30."""
        ticks: Any = time.ticks_ms()
        return int(ticks)

    def ticks_diff(self, later: int, earlier: int) -> int:
        """Milliseconds between two ticks."""
        return time.ticks_diff(later, earlier)

    def sleep_ms(self, ms: int) -> None:
        """Wait, awake."""
        time.sleep_ms(ms)

    def doze_ms(self, ms: int) -> None:
        """Wait in light sleep; awake where a counter runs, which would stand still in it."""
        if self._meters:
            time.sleep_ms(ms)
        elif ms > 0:  # lightsleep(0) sleeps for ever
            machine.lightsleep(ms)

    def time_ns(self) -> int:
        """The RTC, since the port's own epoch; lives through deep sleep, not through power loss."""
        return time.time_ns()

    def epoch_year(self) -> int:
        """The year the port counts from."""
        return time.gmtime(0)[0]

    def set_rtc(self, ms: int) -> None:
        """Set the RTC, in milliseconds since the port's own epoch."""
        y, mo, d, h, mi, s, wd, _ = time.gmtime(ms // 1000)
        machine.RTC().datetime((y, mo, d, wd, h, mi, s, 0))

    def recall(self) -> bytes:
        """RTC memory, empty after power loss."""
        return machine.RTC().memory()

    def remember(self, data: bytes) -> None:
        """Write RTC memory."""
        machine.RTC().memory(data[:RTC_MEMORY_BYTES])

    def random_hex8(self) -> str:
        """An id drawn from the chip's noise."""
        import binascii
        import os

        return binascii.hexlify(os.urandom(4)).decode()

    def heap_free(self) -> int:
        """Free bytes after a collection."""
        gc.collect()
        return gc.mem_free()

    def battery_mv(self) -> int:
        """Battery voltage."""
        return self.adc(BATTERY_PIN).read_uv() * BATTERY_DIVIDER // 1000

    def blink(self, green: bool, times: int) -> None:
        """Say something to the technician at the box."""
        led = machine.Pin(LED_GREEN_PIN if green else LED_RED_PIN, machine.Pin.OUT, value=0)
        for _ in range(times):
            led.value(1)
            time.sleep_ms(BLINK_MS)
            led.value(0)
            time.sleep_ms(BLINK_MS)

    def output(self, pin: int) -> machine.Pin:
        """A pin that switches something; off to begin with."""
        return machine.Pin(pin, machine.Pin.OUT, value=0)

    def uart(
        self,
        number: int,
        baud: int,
        tx: int,
        rx: int,
        tx_idles_low: bool,
        rx_inverted: bool = False,
    ) -> machine.UART:
        """A serial port with 8 data bits and no parity; reads never block."""
        invert = machine.UART.INV_TX if tx_idles_low else 0
        if rx_inverted:
            invert |= machine.UART.INV_RX
        return machine.UART(
            number, baudrate=baud, tx=tx, rx=rx, timeout=0, rxbuf=256, invert=invert
        )

    def i2c(self, number: int, sda: int, scl: int) -> machine.I2C:
        """An I2C bus."""
        return machine.I2C(number, sda=machine.Pin(sda), scl=machine.Pin(scl), freq=100000)

    def onewire(self, pin: int) -> "object":
        """A one-wire bus (the official firmware has the module frozen in)."""
        import onewire

        return onewire.OneWire(machine.Pin(pin))

    def pinger(self, trigger: int, echo: int) -> "Ping":
        """A function that triggers and times the echo pulse; negative without one."""
        out = machine.Pin(trigger, machine.Pin.OUT, value=0)
        line = machine.Pin(echo, machine.Pin.IN)

        def ping(limit_us: int) -> int:
            out.value(1)
            time.sleep_us(TRIGGER_US)
            out.value(0)
            return machine.time_pulse_us(line, 1, limit_us)

        return ping

    def meter(self, unit: int, pin: int) -> "Meter":
        """The pulse counter of a unit; started once, it counts until the power goes."""
        if unit not in self._meters:
            self._meters[unit] = Meter(unit, pin)
        return self._meters[unit]

    def adc(self, pin: int) -> machine.ADC:
        """A converter for up to 2.45 V."""
        return machine.ADC(machine.Pin(pin), atten=machine.ADC.ATTN_11DB)

    def join(self, ssid: str, password: str, limit_ms: int, known: "State") -> bool:
        """Associate within the limit by what is known of last time, which is then renewed."""
        from kahriz_node import wifi

        self._joined = True
        station = network.WLAN(network.STA_IF)
        return wifi.join(station, time, ssid, password, limit_ms, known)

    def rssi_dbm(self) -> int:
        """Signal strength of the access point."""
        return int(network.WLAN(network.STA_IF).status("rssi"))

    def leave(self) -> None:
        """Leave before sleep: an association left open makes the next one take 6-15 s."""
        if self._joined:
            station = network.WLAN(network.STA_IF)
            station.disconnect()
            station.active(False)
            self._joined = False

    def resolve(self, host: str, port: int) -> "object":
        """Address of a host."""
        return socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM)[0][-1]

    def socket(self) -> "socket.socket":
        """A fresh TCP socket."""
        return socket.socket(socket.AF_INET, socket.SOCK_STREAM)

    def stay_awake(self, ms: int) -> None:
        """A powered node waits for the time or the button with its counters running."""
        self._stayed = "timer"
        released = False
        start = time.ticks_ms()
        while time.ticks_diff(time.ticks_ms(), start) < ms:
            if self._button.value():
                released = True
            elif released:
                self._stayed = "button"
                return
            self.feed()
            time.sleep_ms(POLL_MS)

    def deep_sleep(self, ms: int) -> None:
        """Sleep until the time or the button; does not return."""
        if self._button.value():  # a magnet left at the box must not keep the node awake
            esp32.wake_on_ext0(self._button, esp32.WAKEUP_ALL_LOW)
        machine.deepsleep(ms)

    def reset(self) -> None:
        """Start again from boot.py; RTC memory stays. Does not return."""
        machine.reset()
