# SPDX-License-Identifier: MIT
"""machine.UART of the ESP32 port: a receive ring of 256 bytes, deaf in light sleep, no UART 0.

A device on the line offers `baud`, `next_byte(after_us)` -> (arrival_us, byte) or None, and
`arrived(after_us, until_us)` -> bytes; one that listens has `hear(data, start_us, byte_us)`. Bytes
arrive in the chip's time; a receiver set to another format hears garbage.
"""

import io

from chip import clock
from chip.pin import number_of

_DEFAULT_PINS = {1: (10, 9), 2: (17, 16)}  # (tx, rx), ports/esp32/machine_uart.c
_POLL, _POLL_RD, _POLL_WR = 3, 1, 4  # stream ioctl numbers of MicroPython
_TX_ROOM = 256 + 128  # transmit buffer and FIFO; what is more waits in write()
_lines = {}  # rx pin -> (tx pin, device)
_open = {}  # uart number -> the UART that owns the hardware


def attach(rx_pin, tx_pin, device):
    _lines[rx_pin] = tx_pin, device


def power_up():
    _open.clear()


class UART(io.IOBase):
    INV_TX = 32
    INV_RX = 4
    INV_RTS = 64
    INV_CTS = 8
    RTS = 1
    CTS = 2
    IRQ_RX = 4096
    IRQ_RXIDLE = 4096
    IRQ_BREAK = 2048

    def __init__(self, number, baudrate=115200, bits=8, parity=None, stop=1, **more):
        clock.elapsed_us()
        if not 0 <= number <= 2:
            raise ValueError(f"UART({number}) does not exist")
        if number == 0:
            raise ValueError("UART(0) is disabled (dedicated to REPL)")
        self._number = number
        self._tx, self._rx = _DEFAULT_PINS[number]
        self._rxbuf = 256
        self._timeout_ms = self._timeout_char_ms = 0
        self.init(baudrate, bits, parity, stop, **more)

    def init(
        self, baudrate=0, bits=0, parity=-1, stop=0, *, tx=None, rx=None, rts=None, cts=None,
        txbuf=None, rxbuf=None, timeout=0, timeout_char=0, invert=0, flow=0,
    ):  # fmt: skip
        if bits not in (0, 5, 6, 7, 8):
            raise ValueError("invalid data bits")
        if stop not in (0, 1, 2):
            raise ValueError("invalid stop bits")
        if invert & ~0x6C:
            raise ValueError("invalid inversion mask")
        self._baud = baudrate or 115200
        self._format = (bits or 8, None if parity == -1 else parity, stop or 1)
        if tx is not None:
            self._tx = number_of(tx)
        if rx is not None:
            self._rx = number_of(rx)
        if rxbuf is not None:
            self._rxbuf = max(rxbuf, 129)  # the IDF refuses less than its FIFO of 128 + 1
        self._timeout_ms = timeout
        self._timeout_char_ms = max(timeout_char, 13000 // self._baud + 1)
        self._inverted = invert
        self._ring = bytearray()
        wired_tx, self._device = _lines.get(self._rx, (None, None))
        self._garbled = self._device is not None and self._is_garbled()
        self._heard_us = clock.elapsed_us()
        self._sent_us = 0  # when the last bit written has left
        self._speaks = self._device is not None and self._tx == wired_tx
        _open[self._number] = self
        if self._speaks:
            self._device.select(0 if invert & self.INV_TX else 1)  # an idle line is high

    def deinit(self):
        if _open.get(self._number) is self:
            del _open[self._number]
        if self._device is not None:
            self._device.select(None)

    def any(self):
        self._listen(clock.elapsed_us())
        return len(self._ring)

    def read(self, *count):
        if len(count) > 1:
            raise TypeError("function expected at most 2 arguments")
        wanted = count[0] if count and count[0] is not None and count[0] >= 0 else self._rxbuf
        self._wait(wanted)
        data = bytes(self._ring[:wanted])
        self._ring = self._ring[wanted:]
        return data or None

    def readinto(self, buf, *count):
        data = self.read(min(len(buf), count[0]) if count else len(buf))
        if data is None:
            return None
        buf[: len(data)] = data
        return len(data)

    def readline(self):
        line = b""
        while not line.endswith(b"\n"):
            byte = self.read(1)
            if byte is None:
                break
            line += byte
        return line or None

    def write(self, data):
        """Into the buffer, and back at once: the bits leave by themselves."""
        start_us = max(clock.elapsed_us(), self._sent_us)
        byte_us = 10_000_000 // self._baud  # 8N1: 10 bits
        self._sent_us = start_us + len(data) * byte_us
        if self._speaks and not self._garbled and hasattr(self._device, "hear"):
            self._device.hear(bytes(data), start_us, byte_us)
        clock.charge_us(self._sent_us - start_us - _TX_ROOM * byte_us)
        return len(data)

    def flush(self):
        clock.charge_us(self._sent_us - clock.elapsed_us())

    def txdone(self):
        return clock.elapsed_us() >= self._sent_us

    def sendbreak(self):
        clock.charge_us(13_000_000 // self._baud)

    def ioctl(self, request, arg):
        if request != _POLL:
            return -22
        return (_POLL_RD if arg & _POLL_RD and self.any() else 0) | arg & _POLL_WR

    def _wait(self, wanted):
        """Block as the port does: `timeout` for the first byte, `timeout_char` between bytes."""
        if _open.get(self._number) is not self:
            raise OSError(22)
        now = clock.elapsed_us()
        self._listen(now)
        while len(self._ring) < wanted:
            limit_ms = self._timeout_char_ms if self._ring else self._timeout_ms
            if not limit_ms:
                return
            coming = self._device and self._device.next_byte(self._heard_us)
            if not coming or coming[0] > now + limit_ms * 1000:
                clock.charge_us(limit_ms * 1000)
                return
            clock.charge_us(coming[0] - now)
            now = clock.elapsed_us()
            self._listen(now)

    def _listen(self, now):
        """Move what has arrived by now into the ring."""
        device = self._device
        if device is None:
            return
        since = self._heard_us
        self._heard_us = now
        if not clock.now.deaf:
            heard = device.arrived(since, now)
        else:
            heard = self._between_sleeps(since, now)
        if not heard:
            return
        if self._garbled:
            heard = bytes([byte * 109 + 0x5A + now & 0xFF for byte in heard])
        self._ring += heard[: max(self._rxbuf - len(self._ring), 0)]

    def _between_sleeps(self, since, now):
        heard = b""
        for start, stop in clock.now.deaf:
            if start >= since:
                heard += self._device.arrived(since, start)
            since = max(since, stop)
        return heard + self._device.arrived(since, max(since, now))

    def _is_garbled(self):
        wrong = self._baud * 50 // self._device.baud not in (
            49,
            50,
            51,
        )  # within 2 % it still locks
        return wrong or self._format != (8, None, 1) or self._inverted & self.INV_RX
