# SPDX-License-Identifier: MIT
# ruff: noqa: E402 - the fakes go on the path before anything is imported by its chip name
"""One simulated ESP32 node as one process.

    micropython -X heapsize=384k run.py --world HOST:PORT --node ID --flash FILE --image DIR

Each wake mounts the flash file as `/`, imports the program afresh and runs boot.py and main.py;
the world says when and why the next wake begins. `--config FILE` fills config.json of a new flash
file; `--energy FILE` appends what each wake spends its
time on. Nothing survives a wake but RTC memory, the RTC
and the flash; kill -9 is a power cut. Of the heap the board itself holds about 110 kB; what is more
than 128 kB beside that is taken away: the program has what `-X heapsize=128k` would give it alone.

Exit codes: 0 the world ended, 1 main.py ended at the REPL, 2 wrong arguments, 3 no world,
130 Ctrl-C.
"""

import gc
import sys

import uos
import vfs

# MicroPython's table of names doubles in one piece of 13 kB when the board's and the program's pass
# 1,280 together. The chip holds the program's alone, so let it be done here, in an empty heap.
for number in range(650):
    hasattr(sys, f"name_{number}")
    if number % 50 == 0:
        gc.collect()  # else what stays is scattered over the whole heap

HERE = __file__.rsplit("/", 1)[0] if "/" in __file__ else "."
sys.path[:] = [HERE + "/fakes", HERE, ".frozen"]

import binascii
import hashlib
import io
import json
import os
import random
import select
import socket
import struct
import time

import _onewire
import esp32
import machine
import mbedtls
import micropython
import network
import onewire
from chip import clock, flash, imports, inner_line, pin, soc, uart, wiring
from chip.world import WorldGone, world

FIRMWARE = {
    "_onewire": _onewire, "binascii": binascii, "esp32": esp32, "gc": gc, "hashlib": hashlib,
    "io": io, "json": json, "machine": machine, "micropython": micropython, "network": network,
    "onewire": onewire, "os": os, "random": random, "select": select, "socket": socket,
    "ssl": mbedtls, "struct": struct, "sys": sys, "time": time, "tls": mbedtls,
}  # fmt: skip
KEEP = frozenset(sys.modules)  # what the chip's firmware has; the rest is the program's
LIB = "/lib"  # the program's folder, read from the host; all the rest of / is the flash file
PURE = "kahriz_wire"  # functions and tables without state: kept loaded, a tenth of a wake's time
PROGRAM_HEAP = 128 * 1024  # for the program; at 64 bits it needs about twice the chip's
KEPT_HEAP = 128 * 1024  # for all modules at once, when they are kept over wakes
LEDGER_HEAP = 16 * 1024  # for the energy ledger's lines
SMALLEST_PIECE = 1024  # holes below this stay the program's
RESTART_MS = 300  # ROM boot loader after a reset


def arguments(argv):
    values = {"--config": None, "--energy": None}
    names = iter(argv)
    for name in names:
        if name not in ("--world", "--node", "--flash", "--image", "--config", "--energy"):
            raise ValueError(f"unknown argument {name}")
        values[name] = next(names, None)
    for name in ("--world", "--node", "--flash", "--image"):
        if not values.get(name):
            raise ValueError(f"{name} is missing")
    return values


def prepare(values):
    """Open the flash file, format it when new, and put the image where the program is found."""
    image, new = flash.open_image(values["--flash"])
    config = None
    if new and values["--config"]:
        with open(values["--config"], "rb") as file:
            config = file.read()
    starters = []
    for name in ("boot.py", "main.py"):
        with open(values["--image"] + "/" + name) as file:
            starters.append((name, compile(file.read(), name, "exec")))
    root = values["--image"] + "/lib"
    vfs.umount("/")
    vfs.mount(vfs.VfsPosix(root if root.startswith("/") else uos.getcwd() + "/" + root), LIB)
    chip = flash.FlashChip(image)
    if new:
        vfs.VfsLfs2.mkfs(chip, readsize=32, progsize=32, lookahead=32)
    if config is not None:
        vfs.mount(vfs.VfsLfs2(chip, mtime=False), "/")
        with open("/config.json", "wb") as file:
            file.write(config)
        vfs.umount("/")
    return image, starters


def leave_the_program(size):
    """Take what is beyond `size` out of the heap; the rest is one piece, as a chip's heap is."""
    gc.collect()
    place = bytearray(size)
    ballast = []
    piece = 64 * 1024
    while piece >= SMALLEST_PIECE:
        try:
            ballast.append(bytearray(piece))
        except MemoryError:
            piece //= 2
    del place
    gc.collect()
    return ballast


def wake(image, starters):
    """Run the program until the chip sleeps or resets; returns what ended it."""
    chip = flash.FlashChip(image)
    clock.now.at_end = lambda: setattr(chip, "dead", True)
    chip.cut = LIFE["cut"]
    vfs.mount(vfs.VfsLfs2(chip, mtime=False), "/")
    uos.chdir("/")
    sys.path[:] = ["", ".frozen", LIB]  # as the firmware sets it before boot.py
    scope = {"__name__": "__main__"}
    how = None
    keep_modules()
    try:
        for _, code in starters:
            exec(code, scope)
    except (clock.DeepSleep, clock.ChipReset) as end:
        how = end
    except (WorldGone, KeyboardInterrupt):
        raise
    except BaseException as error:  # noqa: BLE001 - whatever ends main.py is told, and ends a wake
        if clock.now.over is None:
            say("uncaught", error)
    if clock.now.over is not None:
        how = clock.now.over  # also when the program swallowed it
    chip.dead = True
    if how is None and clock.now.wdt_us:
        how = clock.ChipReset(clock.WDT_RESET)  # at the REPL nobody feeds the dog
        clock.now.charged_us += clock.now.wdt_us
    network.asleep()
    socket.drop_all()
    vfs.umount("/")
    imports.forget_others()
    cable = sys.path[0] == LIB and not isinstance(how, clock.ChipReset)  # not a slot's program
    for name in list(sys.modules):
        if name not in KEEP and not (cable and name.startswith(PURE)):
            del sys.modules[name]
    return how


class LazyGc:
    """`gc` of a board whose modules are kept: the heap is collected when it is full."""

    mem_free = gc.mem_free
    mem_alloc = gc.mem_alloc

    @staticmethod
    def collect():
        pass

    @staticmethod
    def threshold(size):
        pass


def keep_modules():
    """Of so many wakes as the world says, one loads its modules anew."""
    LIFE["wakes"] += 1
    imports.keep(LIFE["keep_wakes"] and LIFE["wakes"] % LIFE["keep_wakes"] != 0)


def say(what, error=None):
    stamp = clock.peek_us() // 1000
    print(f"[{LIFE['name']} +{stamp} ms] {what}", file=sys.stderr)
    if error is not None:
        sys.print_exception(error, sys.stderr)


LIFE = {"name": "board", "t": 0, "ppm": 0, "cut": None, "wakes": 0, "keep_wakes": 0}


def power_up(reply, cause, rtc_us):
    lost = cause == clock.PWRON_RESET
    if lost:
        rtc_us = 0
        soc.lose_power()
    clock.power_up(cause, reply["cause"] == "button", rtc_us)
    pin.power_up()
    uart.power_up()
    wiring.power_up(lost)
    network.power_up(lost)
    LIFE["t"] = reply["t"]
    LIFE["cut"] = reply.get("cut")
    LIFE["name"] = f"{LIFE['node']} t={reply['t']}"
    gc.threshold(-1)  # a chip begins anew
    if not LIFE["keep_wakes"]:
        gc.collect()


def next_wake(how):
    """Sleep in the world; returns (reply, reset cause, RTC at the wake)."""
    rtc_us = clock.now.rtc0_us + clock.peek_us()
    awake_ms = clock.peek_us() // 1000
    if isinstance(how, clock.PowerCut):
        return world.ask("sleep", ms=awake_ms, awake_ms=awake_ms, cut=True), clock.PWRON_RESET, 0
    if isinstance(how, clock.ChipReset):
        reply = world.ask("sleep", ms=awake_ms + RESTART_MS, awake_ms=awake_ms)
        return reply, how.cause, rtc_us + RESTART_MS * 1000
    if how.ms is None:
        raise WorldGone("deep sleep without a timer: only a hand could wake this node")
    reply = world.ask("sleep", ms=awake_ms + how.ms, awake_ms=awake_ms)
    if reply["cause"] == "deepsleep":
        slept_us = how.ms * 1000
    else:  # woken early: the world's time, as a drifting RTC counts it
        slept_us = (reply["t"] - LIFE["t"]) * (1_000_000 + LIFE["ppm"]) // 1000 - awake_ms * 1000
    return reply, clock.DEEPSLEEP_RESET, rtc_us + max(slept_us, 0)


def main():
    values = arguments(sys.argv[1:])
    LIFE["node"] = LIFE["name"] = values["--node"]
    host, port = values["--world"].rsplit(":", 1)
    world.open(host, int(port))
    hello = world.ask("attach", node=values["--node"], pid=_pid())
    wiring.fit(hello.get("fitted", ()))  # before the host's files go out of sight
    ledger = None
    if values["--energy"]:
        from chip.energy import Ledger

        ledger = Ledger(values["--energy"])
    image, starters = prepare(values)
    world.ssid = hello.get("wifi", {}).get("ssid")
    LIFE["ppm"] = hello.get("rtc_ppm", 0)
    soc.set_unique_id(b"\x24\x0a\xc4" + values["--node"].encode()[:3])
    wiring.connect()
    if ledger is not None:
        ledger.watch()
    if hello.get("line"):
        inner_line.used = True
        FIRMWARE["select"] = inner_line
    LIFE["keep_wakes"] = hello.get("keep_wakes", 0)
    if LIFE["keep_wakes"]:
        FIRMWARE["gc"] = LazyGc
    imports.guard(FIRMWARE)
    more_heap = (LEDGER_HEAP if ledger is not None else 0) + KEPT_HEAP * bool(LIFE["keep_wakes"])
    ballast = leave_the_program(PROGRAM_HEAP + more_heap)
    clock.now.alone = True
    reply = world.ask("boot")
    cause, rtc_us = clock.PWRON_RESET, 0
    while reply["cause"] != "end":
        power_up(reply, clock.PWRON_RESET if reply["cause"] == "power_on" else cause, rtc_us)
        how = wake(image, starters)
        if how is None:
            say("main.py ended: the chip stands at its REPL")
            return 1
        if ledger is not None:
            ledger.close(getattr(how, "ms", 0) or 0)
        reply, cause, rtc_us = next_wake(how)
    return 0 * len(ballast)


def _pid():
    try:
        with open("/proc/self/stat") as file:
            return int(file.read().split(" ", 1)[0])
    except OSError:  # macOS has no /proc; the world knows its children anyway
        return None


if __name__ == "__main__":
    try:
        sys.exit(main())
    except ValueError as error:
        print(f"board: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
    except WorldGone as gone:
        print(f"board: {gone}", file=sys.stderr)
        sys.exit(3)
    except OSError as error:
        print(f"board: {error}", file=sys.stderr)
        sys.exit(3)
