# SPDX-License-Identifier: MIT
"""The machine under the gateway: word size, plan, room on the disk, clock."""

from __future__ import annotations

import os
import platform
import shutil
import struct
from pathlib import Path

from kahriz_gateway.checks import About, Finding, bad, good
from kahriz_gateway.clock import EARLIEST_MS, ClockError, open_clock
from kahriz_water.strict import ConfigError

FREE_MB = 200  # below this a night of InfluxDB or logs can fill the card
_MB = 1_000_000


def bits(about: About) -> Finding:
    """InfluxDB 2 and 3 do not exist for 32 bits, and a 32-bit database file ends at 2 GB."""
    return judge_bits(struct.calcsize("P") * 8, platform.machine())


def judge_bits(width: int, machine: str) -> Finding:
    if width == 64:
        return good(f"64 bit ({machine})")
    return bad(f"{width} bit ({machine})", "install the 64-bit Raspberry Pi OS on a new card")


def plan(about: About) -> Finding:
    try:
        found = about.plan_or_error()
    except ConfigError as error:
        return bad(str(error), f"change it in {about.options.config}")
    return good(f"{found.id}: {len(found.points)} points, {len(found.nodes)} nodes")


def folder(about: About) -> Finding:
    data = about.options.data
    place = data if data.exists() else data.absolute().parent
    if not place.is_dir() or not os.access(place, os.W_OK | os.X_OK):
        return bad(f"{data} cannot be written", "choose another --data, or give its owner back")
    return judge_room(shutil.disk_usage(place).free // _MB, data)


def judge_room(free_mb: int, data: Path) -> Finding:
    says = f"{free_mb} MB free in {data}"
    if free_mb < FREE_MB:
        return bad(says, f"free at least {FREE_MB} MB: logs first, readings never")
    return good(says)


def clock(about: About) -> Finding:
    try:
        found = open_clock(about.options.clock_file)
    except ClockError as error:
        return bad(str(error), "start the simulator, or leave --clock-file out")
    if found.trusted():
        return good("can be trusted")
    behind = " (before this program was written)" if found.now_ms() < EARLIEST_MS else ""
    return bad(f"not set{behind}", "connect the Internet once, or fit a clock chip (DS3231)")
