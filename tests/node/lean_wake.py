# SPDX-License-Identifier: MIT
"""Whole wakes on a heap of their own size: lean_wake.main(LIB, FOLDER, ROWS, CAUSE), plain VM.

FOLDER holds config.json, tls/, the journal and what RTC memory would hold between two processes: a
chip that wakes has an empty heap. The board is as small as can be, so that the heap is the
program's. Prints {"answered", "error", "open"} of the last wake.
"""

import binascii
import gc
import json
import os
import socket
import sys
import time


class Uart:
    """Frames of 651 mm."""

    def read(self):
        return b"\xff\x02\x8b\x8c"


class Pin:
    def value(self, level):
        pass


class NoSensor:
    """A one-wire bus with nothing on it."""

    def reset(self):
        return False


class Board:
    hardware = "lean"
    memory = b""

    def __init__(self, why):
        self._why = why

    def cause(self):
        return self._why

    def time_ns(self):
        return time.time_ns()

    def epoch_year(self):
        return 1970

    def recall(self):
        return Board.memory

    def remember(self, data):
        Board.memory = data

    def random_hex8(self):
        return binascii.hexlify(os.urandom(4)).decode()

    def heap_free(self):
        gc.collect()
        return gc.mem_free()

    def nothing(self, *ignored):
        return 0

    def battery_mv(self):
        return 2900  # only the button switches the radio on

    def uart(self, *ignored):
        return Uart()

    def onewire(self, pin):
        return NoSensor()

    def output(self, pin):
        return Pin()

    def join(self, ssid, password, limit_ms, known):
        return True

    def rssi_dbm(self):
        return -60

    def resolve(self, host, port):
        return socket.getaddrinfo(host, port)[0][-1]

    def socket(self):
        return socket.socket(socket.AF_INET, socket.SOCK_STREAM)

    def ticks_ms(self):
        return time.ticks_ms()

    def ticks_diff(self, later, earlier):
        return time.ticks_diff(later, earlier)

    feed = sleep_ms = doze_ms = blink = leave = set_rtc = nothing


def wake(folder, why):
    from kahriz_node import node

    one = node.Node(Board(why), folder)
    try:
        one.wake()
    finally:
        one.remember()
    for name in list(sys.modules):
        if name.startswith("kahriz_"):
            del sys.modules[name]
    return one


def main(lib, folder, rows, why):
    sys.path[:] = [lib]
    rtc = folder + "/rtc"
    try:
        with open(rtc, "rb") as file:
            Board.memory = file.read()
    except OSError:
        pass
    for _ in range(rows):
        last = wake(folder, why)
        gc.collect()
    with open(rtc, "wb") as file:
        file.write(Board.memory)
    said = {"answered": last.answered, "error": last.state.get("error")}
    said["open"] = last.journal.open_ranges()
    print(json.dumps(said))
