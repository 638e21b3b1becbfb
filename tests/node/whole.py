# SPDX-License-Identifier: MIT
"""The node's program on the simulated board, against the gateway's own judgement and store."""

import json
import subprocess
import threading
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt

from kahriz_gateway.intake.accept import Accept
from kahriz_gateway.intake.store import open_store
from kahriz_gateway.orders import node_config
from kahriz_sim.services import Broker, start_broker
from kahriz_tools.image import build_image
from tests.board.conftest import SAY, SLEEP, Bench, MiniWorld

SITE = "banovshalar-gozlu"
NODES = Path(__file__).parents[2] / "firmware" / "kahriz_sim" / "sites" / SITE / "nodes"
# main.py tells what the lights do, and goes on as ever
LIGHTS = """
from chip import pin as _pin
_pin.watch(18, lambda level: level and print("green"))
_pin.watch(19, lambda level: level and print("red"))
"""


class Village:
    """Broker, store and receipts; the clock is the world's."""

    def __init__(self, folder: Path, broker: Broker) -> None:
        self.conn = open_store(folder / "readings.db", SITE)
        self.accept = Accept(self.conn, SITE, lambda node: True, self, 0)
        self.world: MiniWorld | None = None
        self.silent = False
        self.pieces_most = 10**6  # of a program, until the line breaks
        self.pieces: list[str] = []
        self._lock = threading.Lock()
        self._client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
        self._client.on_message = self._heard
        heard = threading.Semaphore(0)
        self._client.on_subscribe = lambda *_: heard.release()
        self._client.connect("127.0.0.1", broker.port)
        kinds = ("hello", "up/+", "ack", "birth")
        for kind in kinds:
            self._client.subscribe(f"kahriz/v1/{SITE}/+/{kind}", qos=1)
        self._client.loop_start()
        assert all(heard.acquire(timeout=60) for _ in kinds), "the broker takes no subscription"

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()
        self.conn.close()

    def now_ms(self) -> int:
        assert self.world is not None
        return self.world.t_ms

    def trusted(self) -> bool:
        return True

    def not_before(self, ms: int) -> None:
        """The world's clock needs no telling."""

    def hellos(self) -> list[dict[str, Any]]:
        """All sessions, in order."""
        with self._lock:
            rows = self.conn.execute("SELECT body FROM hello ORDER BY rev").fetchall()
        return [json.loads(body) for (body,) in rows]

    def numbers(self) -> list[int]:
        """Numbers of the rows stored."""
        with self._lock:
            return [n for (n,) in self.conn.execute("SELECT n FROM reading ORDER BY n")]

    def runs(self) -> node_config.Runs:
        with self._lock:
            return node_config.runs(self.conn, "outlet")

    def _heard(self, client: Any, _data: Any, message: mqtt.MQTTMessage) -> None:
        with self._lock:
            self.conn.execute("BEGIN IMMEDIATE")
            key = self.accept.message(message.topic, message.payload, message.retain)
            self.accept.books.save(self.now_ms())
            self.conn.execute("COMMIT")
            answer = None if key is None or self.silent else self.accept.receipt(key)
            for topic, payload, retain in self.accept.errands.outbox():
                if "/ota/" in topic:
                    if len(self.pieces) >= self.pieces_most:
                        continue
                    self.pieces.append(topic.rsplit("/", 1)[1])
                client.publish(topic, payload, qos=1, retain=retain)
            if answer is not None:
                client.publish(*answer)


class Place:
    """A board at its village; `live` lets it live some wakes."""

    def __init__(self, folder: Path) -> None:
        self.bench = Bench(folder)
        build_image(self.bench.image)
        self.main = (self.bench.image / "main.py").read_text()
        self.broker = start_broker(folder / "broker")
        self.village = Village(folder, self.broker)
        self.config = json.loads((NODES / "outlet.json").read_text())
        self.config["broker"]["port"] = self.broker.port
        self.t_ms: int | None = None

    def close(self) -> None:
        self.village.close()
        self.broker.stop()
        self.bench.close()

    def live(self, causes: list[str], **senses: Any) -> list[str]:
        """Live these wakes after a cold boot; returns what the lights said, wake by wake."""
        world = self.bench.world(causes=causes, **senses)
        world.ssid = self.config["wifi"]["ssid"]
        if self.t_ms is not None:
            world.t_ms = self.t_ms + 60_000
        self.village.world = world
        (self.bench.image / "main.py").write_text(LIGHTS + "print('wake')\n" + self.main)
        cable = self.bench.folder / "config.json"
        cable.write_text(json.dumps(self.config))
        self.bench.more = ["--config", str(cable)]
        done = subprocess.run(
            self.bench.command(world), capture_output=True, text=True, timeout=120, check=False
        )
        assert (done.returncode, done.stderr) == (0, ""), done
        self.t_ms = world.t_ms
        wakes = done.stdout.split("wake\n")[1:]
        return [" ".join(wake.split()) for wake in wakes]

    def on_board(self, lines: str) -> list[Any]:
        """Run a few lines on the board's flash; what they `say`."""
        (self.bench.image / "main.py").write_text(SAY + lines + SLEEP)
        world = self.bench.world()
        done = subprocess.run(
            self.bench.command(world), capture_output=True, text=True, timeout=60, check=False
        )
        assert (done.returncode, done.stderr) == (0, ""), done
        return [json.loads(line) for line in done.stdout.splitlines()]

    def put(self, path: str, data: bytes) -> None:
        """A file onto the board, as by cable."""
        self.on_board(f"with open({path!r}, 'wb') as file:\n    file.write({data!r})\n")
