# SPDX-License-Identifier: MIT
"""A day of the real node program on the simulated board, for its energy ledger."""

import json
import tempfile
from pathlib import Path
from typing import Any

from kahriz_sim.energy import read
from kahriz_sim.lone_broker import LoneBroker
from kahriz_sim.lone_world import live
from kahriz_wire import messages, ranges

NODES = Path(__file__).parent / "sites" / "banovshalar-gozlu" / "nodes"
BEGIN_MS = 1_790_000_100_000
ASSOCIATION_MS = 674  # glenn20: 734 ms from radio off to a kept address, less 60 ms of its start


class Gateway:
    """Receipts for what it has heard."""

    def __init__(self) -> None:
        self.now_ms = 0
        self._held: list[int] = []
        self._hello: messages.Hello | None = None
        self._topic = ""
        self._due = False

    def said(self, topic: str, payload: bytes) -> None:
        kind = topic.split("/")[4]
        if kind == "hello":
            self._hello = messages.decode_hello(payload)
            self._topic = topic.removesuffix("hello") + "receipt"
        elif kind == "up":
            self._held += [row.n for row in messages.decode_rows(payload)[0]]
        self._due = self._due or kind in ("hello", "up")

    def answers(self) -> list[tuple[str, bytes]]:
        if not self._due or self._hello is None:
            return []
        self._due = False
        hello = self._hello
        missing = ranges.minus([[hello.first, hello.next - 1]], ranges.of(self._held))
        receipt = messages.Receipt(hello.s, hello.journal, "c41d0001", hello.next - 1, missing)
        receipt.now = self.now_ms
        return [(self._topic, messages.encode_receipt(receipt))]


class Day:
    """Nothing happens but time; the access point is there, or not."""

    ssid = "kahriz"
    rtc_ppm = 8000  # the official firmware's RC oscillator, an ordinary one

    def __init__(self, gateway: Gateway, hours: float, access_point: bool) -> None:
        self._gateway = gateway
        self._t_ms = BEGIN_MS
        self._end_ms = BEGIN_MS + round(hours * 3_600_000)
        self._up = access_point

    def boot(self) -> dict[str, Any]:
        return {"t": self._t_ms, "cause": "power_on"}

    def sleep(self, asked: dict[str, Any]) -> dict[str, Any]:
        self._t_ms += round(asked["ms"] / (1 + self.rtc_ppm * 1e-6))
        cause = "deepsleep" if self._t_ms < self._end_ms else "end"
        return {"t": self._t_ms, "cause": cause}

    def sense(self, device: str, asked: dict[str, Any]) -> dict[str, Any]:
        if device == "ultrasonic":
            return {"echo_mm": [651] * asked["count"]}
        return {"air": {"c": 21.4375}, "loop": {"ma": 12.0}, "battery": {"v": 3.31}}[device]

    def radio(self, asked: dict[str, Any]) -> dict[str, Any]:
        self._gateway.now_ms = self._t_ms + asked["at"] + ASSOCIATION_MS
        if self._up:
            return {"up": True, "rssi": -67, "assoc_ms": ASSOCIATION_MS}
        return {"up": False, "rssi": None, "assoc_ms": 8000}


def day(
    image: Path, kind: str, dt_s: int, batch: int, hours: float = 26, access_point: bool = True
) -> list[dict[str, Any]]:
    """The ledger of a node built as `kind` of the demo site, from power-on."""
    gateway = Gateway()
    broker = LoneBroker(gateway.said, gateway.answers)
    try:
        with tempfile.TemporaryDirectory(prefix="kahriz-energy-") as given:
            folder = Path(given)
            config = json.loads((NODES / f"{kind}.json").read_text())
            config |= {"dt_s": dt_s, "batch": batch}
            config["broker"]["port"] = broker.port
            (folder / "config.json").write_text(json.dumps(config))
            life = Day(gateway, hours, access_point)
            more = ["--energy", str(folder / "ledger.jsonl")]
            live(life, kind, folder / "node.lfs", image, folder / "config.json", more)
            return read(folder / "ledger.jsonl")
    finally:
        broker.close()
