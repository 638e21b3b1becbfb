# SPDX-License-Identifier: MIT
# ruff: noqa: E402 - the simulated board must be there before anything is imported by its chip name
"""The whole simulated ESP32 with a REPL: its radio, sensors and clock, littlefs from the flash.

Started as `micropython -i bench_chip.py BOARD FLASH BLOCKS HOST:PORT run|raw`. Where the chip would
sleep it says "sleeps" and is deaf until it is reset.
"""

import sys

argv = list(sys.argv)
sys.path[:] = [argv[1], argv[1] + "/fakes", ".frozen"]
import run as machine_room
import uos
import utime
import vfs
from run import FIRMWARE, clock, imports, soc, wiring, world

BLOCK = 4096
HARD_RESET = 3  # as bench_board.py, which hears it when this program ends


class Flash:
    """A block device on a file; every write reaches the file at once."""

    def __init__(self, path, blocks):
        self.blocks = blocks
        self.file = open(path, "r+b")  # noqa: SIM115  (open as long as the chip lives)

    def readblocks(self, block, buf, offset=0):
        self.file.seek(block * BLOCK + offset)
        self.file.readinto(buf)

    def writeblocks(self, block, buf, offset=0):
        self.file.seek(block * BLOCK + offset)
        self.file.write(buf)
        self.file.flush()

    def ioctl(self, op, arg):
        return {4: self.blocks, 5: BLOCK}.get(op, 0)


class Implementation:
    name = "micropython"
    version = (1, 29, 0)
    _mpy = 6
    _machine = "Generic ESP32 module with ESP32"


class Chip:
    """What `import sys` gives on the chip."""

    platform = "esp32"
    implementation = Implementation
    path = sys.path
    modules = sys.modules
    print_exception = sys.print_exception
    exit = sys.exit


def start(name):
    try:
        with open(name) as file:
            source = file.read()
    except OSError:
        return
    try:
        exec(compile(source, name, "exec"), {"__name__": "__main__"})
    except (clock.DeepSleep, clock.ChipReset):
        pass
    except Exception as error:  # noqa: BLE001  (the chip prints it and goes on)
        sys.print_exception(error)
    if clock.now.over is not None:
        print("sleeps")


host, port = argv[4].rsplit(":", 1)
world.open(host, int(port))
hello = world.ask("attach", node="outlet", pid=None)
wiring.fit(hello.get("fitted", ()))
world.ssid = hello.get("wifi", {}).get("ssid")
soc.set_unique_id(b"\x24\x0a\xc4\x00\x00\x01")
wiring.connect()
FIRMWARE["sys"] = Chip
imports.guard(FIRMWARE)
machine_room.LIFE["node"] = "outlet"
machine_room.power_up(world.ask("boot"), clock.SOFT_RESET, 0)
flash = Flash(argv[2], int(argv[3]))
vfs.umount("/")
try:
    vfs.mount(vfs.VfsLfs2(flash), "/")
except OSError:
    vfs.VfsLfs2.mkfs(flash)
    vfs.mount(vfs.VfsLfs2(flash), "/")
uos.chdir("/")
sys.path[:] = ["", ".frozen", "/lib"]
for name in list(sys.modules):
    if name not in machine_room.KEEP:
        del sys.modules[name]
start("/boot.py")
if argv[5] == "run":
    start("/main.py")


def restart():
    """At the prompt a reset is a fresh start: see _reset of the board."""
    raise SystemExit(HARD_RESET)


def nap(ms):
    """So is the end of a deep sleep."""
    utime.sleep_ms(ms)
    restart()


FIRMWARE["machine"].reset = restart
FIRMWARE["machine"].deepsleep = nap
