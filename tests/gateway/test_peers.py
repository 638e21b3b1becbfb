# SPDX-License-Identifier: MIT
"""What others make of our messages: Telegraf's `json` parser and ThingsBoard's gateway.

Telegraf's parser is read here by its documented rules (docs.influxdata.com/telegraf/v1,
data_formats/input/json). ThingsBoard's converter is the real one, from PyPI, in a folder of
its own.
"""

from __future__ import annotations

import fnmatch
import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from kahriz_wire import topics
from kahriz_wire.messages import Row, encode_rows

ROOT = Path(__file__).parents[2]
TOPIC = topics.of("banovshalar-gozlu", "outlet", "up/9f3a01c2")
TS = 1_764_000_000_123
ROWS = [
    Row(n, 1, {"weir_distance_m": 0.651 + n / 1000, "air_c": 21.4}, TS + n * 300_000)
    for n in range(1, 13)
]
UP = encode_rows(ROWS)

TB = ROOT / "build" / "thingsboard-gateway-3.8.5"
CONVERT = """
import json, logging, sys
from thingsboard_gateway.connectors.mqtt.json_mqtt_uplink_converter import JsonMqttUplinkConverter
config = {"converter": {"type": "json",
    "deviceInfo": {"deviceNameExpressionSource": "topic",
                   "deviceNameExpression": "kahriz/v1/[^/]+/([^/]+)/up/[^/]+",
                   "deviceProfileExpressionSource": "constant",
                   "deviceProfileExpression": "kahriz"},
    "attributes": [], "timeseries": [
        {"type": "double", "key": "weir_distance_m", "value": "${weir_distance_m}"},
        {"type": "double", "key": "air_c", "value": "${air_c}"}]}}
converter = JsonMqttUplinkConverter(config, logging.getLogger("t"))
devices = converter.convert(sys.argv[1], json.load(sys.stdin))
print(json.dumps([[d.device_name, [[e.ts, {k.key: v for k, v in e.values.items()}]
                                   for e in d.telemetry]] for d in devices]))
"""


def telegraf(topic: str, payload: bytes) -> list[tuple[str, dict[str, str], dict[str, Any], int]]:
    """(measurement, tags, fields, time in ms) of each metric, by the rules of the parser."""
    conf = tomllib.loads((ROOT / "gateway" / "deploy" / "telegraf.conf").read_text())
    (consumer,) = conf["inputs"]["mqtt_consumer"]
    assert consumer["data_format"] == "json"
    assert consumer["json_time_format"] == "unix_ms"
    assert any(_matches(pattern, topic) for pattern in consumer["topics"])
    (parsing,) = consumer["topic_parsing"]
    assert _matches(parsing["topic"], topic)
    names = zip(parsing["tags"].split("/"), topic.split("/"), strict=True)
    tags = {name: part for name, part in names if name != "_"}
    metrics = []
    for item in json.loads(payload):
        if consumer["json_time_key"] not in item:
            if consumer["json_strict"]:
                raise ValueError("JSON time key could not be found: the whole message is dropped")
            continue
        fields: dict[str, Any] = {}
        for key, value in item.items():
            assert not isinstance(value, dict | list), "nested keys would be flattened and renamed"
            if key == consumer["json_time_key"]:
                continue
            if isinstance(value, int | float):
                fields[key] = float(value)
            elif any(fnmatch.fnmatch(key, each) for each in consumer["json_string_fields"]):
                fields[key] = value
        metrics.append((consumer["name_override"], tags, fields, item[consumer["json_time_key"]]))
    return metrics


def _matches(pattern: str, topic: str) -> bool:
    parts = list(zip(pattern.split("/"), topic.split("/"), strict=False))
    same = pattern.count("/") == topic.count("/")
    return same and all(a in ("+", b) for a, b in parts)


def test_telegraf_reads_every_row_at_its_own_time() -> None:
    metrics = telegraf(TOPIC, UP)
    assert [time for *_, time in metrics] == [row.ts for row in ROWS]
    name, tags, fields, _ = metrics[0]
    assert (name, tags) == ("raw", {"site": "banovshalar-gozlu", "node": "outlet"})
    assert fields == {"n": 1.0, "q": 1.0, "weir_distance_m": 0.652, "air_c": 21.4}


def test_telegraf_leaves_out_what_has_no_time_yet_and_keeps_the_rest() -> None:
    undated = encode_rows([Row(1, 1, {"air_c": 20.0}, None, "unk", 40, 7)])
    assert telegraf(TOPIC, undated) == []
    faulty = encode_rows([Row(2, 9, {"weir_fault": "timeout"}, TS)])
    assert telegraf(TOPIC, faulty)[0][2] == {"n": 2.0, "q": 9.0, "weir_fault": "timeout"}


def test_no_text_but_a_fault_can_become_a_field_of_two_types() -> None:
    guess = encode_rows([Row(3, 1, {"air_c": 20.0}, TS, "est")])
    assert telegraf(TOPIC, guess)[0][2] == {"n": 3.0, "q": 1.0, "air_c": 20.0}


@pytest.fixture(scope="module")
def thingsboard() -> Path:
    """The real package, installed once into build/."""
    if not (TB / "thingsboard_gateway").is_dir():
        uv = ROOT / ".tools" / "bin" / "uv"
        argv = [
            str(uv) if uv.exists() else "uv", "pip", "install", "--quiet", "--python",
            sys.executable, "--target", str(TB), "thingsboard-gateway==3.8.5",
        ]  # fmt: skip
        for again in (True, False):  # a network may fail once
            try:
                done = subprocess.run(
                    argv, capture_output=True, text=True, timeout=240, check=False
                )
            except (OSError, subprocess.TimeoutExpired) as error:
                pytest.skip(f"thingsboard-gateway cannot be installed here ({error})")
            if not done.returncode:
                break
            if not again:
                pytest.skip(f"thingsboard-gateway cannot be installed here: {done.stderr[-200:]}")
    return TB


@pytest.mark.timeout(600)  # its package may have to be fetched
def test_thingsboards_gateway_reads_every_row_at_its_own_time(
    thingsboard: Path, tmp_path: Path
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", CONVERT, TOPIC], input=UP, capture_output=True, check=False,
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(thingsboard)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()[-800:]
    ((device, telemetry),) = json.loads(done.stdout.splitlines()[-1])
    assert device == "outlet"
    found: dict[int, dict[str, float]] = {}
    for ts, values in telemetry:
        found.setdefault(ts, {}).update(values)
    assert found == {row.ts: row.values for row in ROWS}
