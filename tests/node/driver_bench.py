# SPDX-License-Identifier: MIT
"""A bench for every driver on both interpreters: boards of dead and of mad devices."""

import json
import os
import random

from kahriz_node import sensors

FOLDER = sensors.__file__.rsplit("/", 1)[0]


BARE = {
    "v": 1,
    "rev": 1,
    "site": "site",
    "node": "node",
    "dt_s": 300,
    "batch": 12,
    "powered": True,
    "wifi": {"ssid": "kahriz", "password": "secret-enough"},
    "broker": {"host": "192.168.4.1"},
}


def with_channels(**channels):
    body = dict(BARE)
    body["channels"] = channels
    return json.dumps(body).encode()


def drivers_on_disk():
    """Names of the driver files."""
    return sorted(
        name[:-3] for name in os.listdir(FOLDER) if name.endswith(".py") and name[0] != "_"
    )


def source(name):
    with open(FOLDER + "/" + name + ".py") as file:
        return file.read()


def example(name):
    """The channel that the driver's docstring shows."""
    text = source(name)
    at = text.index("config.json: ") + len("config.json: ")
    return json.loads(text[at : text.index("}", at) + 1])


class Switch:
    """A pin that remembers what it was told."""

    def __init__(self):
        self.told = []

    def value(self, level):
        self.told.append(level)


class Board:
    """All buses of a board; what hangs on them is dead, or says anything when `mad`."""

    def __init__(self, mad=None):
        self.random = None
        if mad is not None:
            random.seed(mad)
            self.random = random
        self.awake_ms = 0
        self.dozed_ms = 0
        self.us = 0
        self.switches = {}

    def spent_ms(self):
        return self.awake_ms + self.dozed_ms + self.us // 1000

    def noise(self, count):
        return bytes([self.random.getrandbits(8) for _ in range(count)])

    def sleep_ms(self, ms):
        assert ms >= 0
        self.awake_ms += ms

    def doze_ms(self, ms):
        assert ms >= 0
        self.dozed_ms += ms

    def output(self, pin):
        return self.switches.setdefault(pin, Switch())

    def uart(self, number, baud, tx, rx, tx_idles_low, rx_inverted=False):
        return Uart(self)

    def i2c(self, number, sda, scl):
        return I2c(self)

    def onewire(self, pin):
        return OneWire(self)

    def pinger(self, trigger, echo):
        def ping(limit_us):
            us = -2 if self.random is None else self.random.randint(-2, limit_us)
            self.us += us if us > 0 else limit_us
            return us

        return ping

    def meter(self, unit, pin):
        return Meter(self)

    def adc(self, pin):
        return Adc(self)


class Part:
    def __init__(self, board):
        self.board = board


class Uart(Part):
    def read(self):
        return None if self.board.random is None else self.board.noise(20) or None

    def write(self, data):
        return len(data)

    def flush(self):
        self.board.us += 10000


class I2c(Part):
    def writeto_mem(self, addr, register, data):
        if self.board.random is None:
            raise OSError(19)

    def readfrom_mem(self, addr, register, count):
        if self.board.random is None:
            raise OSError(19)
        return self.board.noise(count)


class OneWire(Part):
    def reset(self):
        return self.board.random is not None

    def writebyte(self, byte):
        self.board.us += 520

    def readinto(self, buffer):
        buffer[:] = self.board.noise(len(buffer))

    def crc8(self, data):
        return self.board.random.getrandbits(1)


class Meter(Part):
    def take(self):
        if self.board.random is None:
            return 0, None
        return self.board.random.getrandbits(20), self.board.random.getrandbits(10)


class Adc(Part):
    def read_uv(self):
        self.board.us += 30
        return 0 if self.board.random is None else self.board.random.getrandbits(21)
