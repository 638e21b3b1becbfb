# SPDX-License-Identifier: MIT
"""The real program on the simulated board: it measures, writes down, uploads and sleeps."""

import json
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import pytest

from kahriz_sim.flash_journal import owed_rows
from kahriz_sim.services import start_broker
from kahriz_tools.image import build_image

ROOT = Path(__file__).parents[2]
NODES = ROOT / "firmware" / "kahriz_sim" / "sites" / "banovshalar-gozlu" / "nodes"
Bench = Any


@pytest.fixture(scope="session")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("image")
    build_image(folder)
    return folder


class Gateway:
    """Answers hello and up as a gateway would, and keeps the rows."""

    def __init__(self, port: int, world: Any) -> None:
        self.world = world
        self.rows: dict[int, dict[str, Any]] = {}
        self.hellos: list[dict[str, Any]] = []
        self.silent = False
        self.client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
        self.client.on_message = self._on_message
        heard = threading.Event()
        self.client.on_subscribe = lambda *_: heard.set()
        self.client.connect("127.0.0.1", port)
        self.client.subscribe("kahriz/v1/#", qos=1)
        self.client.loop_start()
        assert heard.wait(60), "the broker takes no subscription"

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()

    def _on_message(self, _client: Any, _data: Any, message: mqtt.MQTTMessage) -> None:
        base, kind = "/".join(message.topic.split("/")[:4]), message.topic.split("/")[4]
        if message.retain or self.silent or kind not in ("hello", "up"):
            return
        body = json.loads(message.payload)
        if kind == "hello":
            self.hellos.append(body)
        else:
            self.rows.update({row["n"]: row for row in body})
        hello = self.hellos[-1]
        lacking = [n for n in range(hello["first"], hello["next"]) if n not in self.rows]
        receipt = {
            "s": hello["s"],
            "journal": hello["journal"],
            "store": "c41d0001",
            "upto": hello["next"] - 1,
            "missing": [[lacking[0], lacking[-1]]] if lacking else [],
            "now": self.world.t_ms,
        }
        self.client.publish(base + "/receipt", json.dumps(receipt))


@pytest.fixture
def node(bench: Bench, image: Path, tmp_path: Path) -> Iterator[Any]:
    """A function that lets a node of the demo site live some wakes; returns its gateway."""
    broker = start_broker(tmp_path / "broker")
    bench.image = image
    gateways: list[Gateway] = []

    def live(name: str, world: Any, silent: bool = False) -> Gateway:
        config = json.loads((NODES / f"{name}.json").read_text())
        config["broker"]["port"] = broker.port
        config["deadline_ms"] = 2000 if silent else 30_000  # what is answered has its time
        world.ssid = config["wifi"]["ssid"]
        (tmp_path / "config.json").write_text(json.dumps(config))
        bench.more = ["--config", str(tmp_path / "config.json")]
        for earlier in gateways:  # two of them would answer across each other
            earlier.close()
        gateways[:] = [gateway := Gateway(broker.port, world)]
        gateway.silent = silent
        done = subprocess.run(
            bench.command(world), capture_output=True, text=True, timeout=120, check=False
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        return gateway

    yield live
    for gateway in gateways:
        gateway.close()
    broker.stop()


def pending(bench: Bench) -> list[dict[str, Any]]:
    """The un-receipted rows on the flash."""
    return [row.body for row in owed_rows(bench.flash)]


def test_an_ultrasonic_node_delivers_what_it_measured(bench: Bench, node: Any) -> None:
    world = bench.world(causes=["deepsleep"] * 25)
    gateway = node("outlet", world)
    measured = [request for request in world.ops("sense") if request["device"] == "ultrasonic"]
    assert len(measured) == 26
    # half an hour of uploads after power-on, then one for each batch of twelve
    assert len(gateway.hellos) >= 8
    assert sorted(gateway.rows) == list(range(1, max(gateway.rows) + 1))
    row = gateway.rows[20]
    assert row["weir_distance_m"] == pytest.approx(0.651, abs=0.0006)
    assert row["air_c"] == pytest.approx(21.44, abs=0.005)
    assert [row["n"] for row in pending(bench)] == list(range(max(gateway.rows) + 1, 27))


def test_stamps_of_a_drifting_clock_stay_true(bench: Bench, node: Any) -> None:
    world = bench.world(causes=["deepsleep"] * 40, rtc_ppm=-8000)
    gateway = node("outlet", world)
    stamps = [row["ts"] for row in gateway.rows.values() if "ts" in row]
    assert stamps == sorted(stamps)
    late_ms = [
        min(abs(ts - begin) for begin in world.begins) for ts in stamps if ts > world.begins[20]
    ]
    assert late_ms
    assert max(late_ms) < 10_000


def test_a_current_loop_node_delivers_what_it_measured(bench: Bench, node: Any) -> None:
    gateway = node("pool", bench.world(causes=["deepsleep"] * 3, loop=14.2131))
    assert gateway.rows[1]["loop_current_ma"] == pytest.approx(14.213, abs=0.002)


def test_without_a_gateway_it_goes_on_measuring_and_owes_every_row(bench: Bench, node: Any) -> None:
    node("outlet", bench.world(causes=["deepsleep"] * 15), silent=True)
    assert [row["n"] for row in pending(bench)] == list(range(1, 17))


def test_without_an_access_point_it_goes_on_measuring(bench: Bench, node: Any) -> None:
    away = {"up": False, "rssi": None, "assoc_ms": 8000}
    world = bench.world(causes=["deepsleep"] * 30, radio=away)
    node("outlet", world)
    assert len(pending(bench)) == 31
    assert len(world.ops("radio")) <= 4


def test_a_backlog_is_delivered_when_the_gateway_is_back(bench: Bench, node: Any) -> None:
    node("outlet", bench.world(causes=["deepsleep"] * 30), silent=True)
    gateway = node("outlet", bench.world(causes=["deepsleep"] * 3))
    assert sorted(gateway.rows) == list(range(1, 36))
    assert pending(bench) == []


def test_the_button_uploads_the_last_row(bench: Bench, node: Any) -> None:
    gateway = node("outlet", bench.world(causes=[*["deepsleep"] * 16, "button"]))
    assert sorted(gateway.rows) == list(range(1, 19))
    assert gateway.hellos[-1]["reset"] == "button"
    assert pending(bench) == []


def test_hello_counts_wakes_failures_and_causes_since_power_on(bench: Bench, node: Any) -> None:
    world = bench.world(
        causes=["deepsleep", "deepsleep", "button"],
        radio=lambda: {"up": len(world.ops("sleep")) == 3, "rssi": -67, "assoc_ms": 900},
    )
    gateway = node("outlet", world)
    [hello] = gateway.hellos
    assert hello["counts"] == {"wakes": 4, "fails": 1, "power_on": 1, "button": 1}
    assert hello["error"] == "no access point"


def test_dead_sensors_are_faults_by_name_and_cost_no_wake(bench: Bench, node: Any) -> None:
    world = bench.world(causes=["deepsleep"] * 2, ultrasonic=[None], air=None)
    gateway = node("outlet", world)
    assert gateway.rows[2]["weir_fault"] == "no_echo"
    assert gateway.rows[2]["air_fault"] == "no_presence"
    assert gateway.rows[2]["q"] == 9


def test_power_cuts_at_any_moment_cost_no_row_that_was_written(bench: Bench, node: Any) -> None:
    node("outlet", bench.world())
    slept = 1
    for cut in range(6):
        world = bench.world(causes=["deepsleep"] * 10_000)
        world.ssid = "somewhere else"
        world.t_ms = bench.worlds[-2].t_ms + 60_000
        board = subprocess.Popen(bench.command(world))
        deadline = time.monotonic() + 120
        while len(world.ops("sleep")) < 5 and time.monotonic() < deadline:
            time.sleep(0.001)
        time.sleep(0.0017 * cut)
        board.kill()
        board.wait()
        world.close()
        slept += len(world.ops("sleep"))
    last = bench.world(causes=["button", "button"])
    last.t_ms = bench.worlds[-2].t_ms + 60_000
    gateway = node("outlet", last)
    assert sorted(gateway.rows) == list(range(1, max(gateway.rows) + 1))
    assert slept + 3 <= len(gateway.rows) <= slept + 3 + 6
    assert pending(bench) == []
