# SPDX-License-Identifier: MIT
"""Which USB port the board is on: the only one, or the only one that fits what was said."""

from collections.abc import Sequence
from typing import Any

from serial.tools import list_ports

from kahriz_tools.board import PORT
from kahriz_tools.errors import BenchError


def find_port(only: Sequence[str] = ()) -> str:
    """The only USB serial port of this machine that all the filters fit."""
    found = sorted(one for one in list_ports.comports() if one.vid is not None)
    ports = [one.device for one in found if all(_fits(one, rule) for rule in only)]
    if len(ports) == 1:
        return str(ports[0])
    if found and not ports:
        raise BenchError(
            f"no port fits {' '.join(only)}",
            "here: " + ", ".join(map(_in_words, found)),
            PORT,
        )
    if not ports:
        raise BenchError(
            "no board on any USB port",
            "use a cable with data wires, and the driver of its CH340 or CP210x chip",
            PORT,
        )
    several = [one for one in found if one.device in ports]
    raise BenchError(
        "several boards: " + ", ".join(map(_in_words, several)),
        "name one with --port, or say --port-filter serial=…",
        PORT,
    )


def _fits(port: Any, rule: str) -> bool:
    """Whether a port fits vid=10c4, pid=ea60, name=CP2102 or serial=0001."""
    key, _, wanted = rule.partition("=")
    shown = {
        "vid": f"{port.vid:04x}",
        "pid": f"{port.pid or 0:04x}",
        "name": f"{port.device} {port.product or ''} {port.description or ''}",
        "serial": port.serial_number or "",
    }
    if key not in shown or not wanted:
        raise BenchError(f"--port-filter {rule}", "say vid=, pid=, name= or serial=", PORT)
    return wanted.lower().removeprefix("0x") in shown[key].lower()


def _in_words(port: Any) -> str:
    return f"{port.device} ({port.product or port.description}, serial {port.serial_number or '-'})"
