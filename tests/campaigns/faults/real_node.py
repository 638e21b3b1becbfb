# SPDX-License-Identifier: MIT
"""A real node in the real chain: its own program in MicroPython, killed and started on its flash.

It wakes as if somebody held a magnet to its box, again and again, speaks with mosquitto over
sockets, and each wake's number is coded into what its sensor reads.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

from kahriz_sim.errors import ConfigError
from kahriz_sim.lone_world import live

from ..cable import new_flash
from ..judge import _code as code_of
from ..life import CODES, LEAST_MA, STEP_MA

NODE = "real"
DRIVERS = ["loop_ads1115"]
POOL = Path(__file__).parents[3] / "firmware/kahriz_sim/sites/banovshalar-gozlu/nodes/pool.json"
SLEEP_S = 0.5
LAST_WAKES = 3  # after the faults: what is still on the flash is said
POINT = f"""
[[point]]
id = "{NODE}"
name = {{ az = "b", ru = "b", en = "b" }}
kind = "weir"
dt_s = 300
structure = {{ kind = "v_notch", angle_deg = 90 }}
"""


class RealNode:
    """Implements kahriz_sim.lone_world.Life in our own time; `written` are wakes that went on."""

    ssid = "kahriz"
    rtc_ppm = 0

    def __init__(self, folder: Path, image: Path, site: str, port: int) -> None:
        self.number = 0
        self.kills = 0
        self.measured: set[int] = set()
        self.written: set[int] = set()
        self.failure = ""
        self.away: set[str] = set()  # what of the network is not there: wifi_away, dns_away
        self._flash, self._image = folder / "node.lfs", image
        self._calm: int | None = None
        config = json.loads(POOL.read_text(encoding="utf-8"))
        config |= {"site": site, "node": NODE, "broker": {"host": "localhost", "port": port}}
        new_flash(self._flash, config, {})
        self._config = folder / "no-config.json"
        self._config.write_text("")
        self._thread = threading.Thread(target=self._live, name="node", daemon=True)
        self._thread.start()

    def _live(self) -> None:
        while self._calm is None or self._calm > 0:
            killed = self.kills
            try:
                live(self, NODE, self._flash, self._image, self._config)
            except ConfigError as error:
                if self.kills == killed:
                    self.failure = str(error)
                    return

    def kill(self) -> None:
        """kill -9: its power is gone; a new process goes on with its flash."""
        for given in Path("/proc").glob("[0-9]*/cmdline"):
            with contextlib.suppress(OSError):
                if str(self._flash).encode() in given.read_bytes().split(b"\0"):
                    self.kills += 1
                    os.kill(int(given.parts[2]), signal.SIGKILL)

    def end(self) -> None:
        """Some calm wakes, and no more."""
        self._calm = LAST_WAKES
        self._thread.join(120)
        if self._thread.is_alive():
            self.failure = "the node does not come to its end"

    def judged(self, rows: list[dict[str, float]]) -> tuple[int, int]:
        """(lost, doubled) of what the store has of it."""
        return lost_and_doubled(self.measured, self.written, rows)

    # -- the board's questions

    def boot(self) -> dict[str, Any]:
        return self._begin("power_on")

    def sleep(self, asked: dict[str, Any]) -> dict[str, Any]:
        time.sleep(SLEEP_S)
        if self._calm is not None:
            self._calm -= 1
            if self._calm < 0:
                return {"t": _now_ms(), "cause": "end"}
        return self._begin("button")

    def sense(self, device: str, asked: dict[str, Any]) -> dict[str, Any]:
        if device == "battery":
            if self.number in self.measured:
                self.written.add(self.number)
            return {"v": 3.31}
        self.measured.add(self.number)
        return {"ma": LEAST_MA + self.number % CODES * STEP_MA}

    def radio(self, asked: dict[str, Any]) -> dict[str, Any]:
        if "wifi_away" in self.away:
            return {"up": False, "rssi": None, "assoc_ms": 300}
        return {"up": True, "rssi": -67, "assoc_ms": 300, "dns": "dns_away" not in self.away}

    def _begin(self, cause: str) -> dict[str, Any]:
        self.number += 1
        return {"t": _now_ms(), "cause": cause}


def _now_ms() -> int:
    return round(time.time() * 1000)


def lost_and_doubled(
    measured: set[int], written: set[int], rows: list[dict[str, float]]
) -> tuple[int, int]:
    """Every wake that wrote down has its row, once; what was cut before that may have one."""
    codes = [code_of(row) for row in rows]
    strange = set(codes) - {number % CODES for number in measured}
    lost = {number % CODES for number in written} - set(codes)
    return len(lost), len(codes) - len(set(codes)) + len(strange)
