# SPDX-License-Identifier: MIT
"""A configuration by receipt: fetched, checked, tried, kept; else the last good one again."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kahriz_gateway import node_config

from .whole import SITE, Place


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    place = Place(tmp_path)
    yield place
    place.close()


def wish(place: Place, network: bool = False, **changes: Any) -> int:
    """Record a wish for the node's configuration; returns its revision."""
    body = {**json.loads(json.dumps(place.config)), **changes}
    parsed = node_config.parse(json.dumps(body), SITE, "outlet", network)
    return node_config.put(place.village.conn, "outlet", parsed, None)


def test_a_named_configuration_is_fetched_tried_and_kept(place: Place) -> None:
    place.live([])
    assert wish(place, dt_s=600) == 2
    place.live(["deepsleep"] * 3)
    assert [hello["cfg"] for hello in place.village.hellos()] == [1, 1, 2, 2, 2]
    place.live([])  # after a power cut it is still the one
    assert place.village.runs().cfg == 2
    assert place.bench.worlds[-2].ops("sleep")[-1]["ms"] > 500_000
    assert place.on_board(
        "import os\nsay(sorted(n for n in os.listdir('/') if 'config' in n))"
    ) == [["config.json", "config.run"]]


def test_wifi_and_broker_stay_the_nodes_own(place: Place) -> None:
    place.live([])
    wish(place, dt_s=600, wifi={"ssid": "elsewhere", "password": "of no use"})
    place.live(["deepsleep"])
    assert place.village.runs().cfg == 2


def test_a_wrong_configuration_is_refused_by_its_place_and_changes_nothing(place: Place) -> None:
    place.live([])
    wish(place, dt_s=5)
    place.live(["deepsleep"] * 3)
    told = [hello.get("error") for hello in place.village.hellos()]
    assert [hello["cfg"] for hello in place.village.hellos()] == [1] * 5
    assert told[2].endswith("config.dt_s")
    assert told[3:] == [None, None]  # said once, and not fetched again


def test_a_configuration_for_another_board_is_refused(place: Place) -> None:
    place.live([])
    body = json.dumps({**place.config, "node": "middle"})
    parsed = node_config.parse(body, SITE, "middle")
    node_config.put(place.village.conn, "outlet", parsed, None)
    place.live(["deepsleep"])
    assert "this board is banovshalar-gozlu/outlet" in place.village.hellos()[-1]["error"]


def test_after_three_uploads_without_a_gateway_the_last_good_one_is_back(place: Place) -> None:
    place.live([])
    wish(place, network=True, broker={"host": "127.0.0.1", "port": 9})
    place.live(["deepsleep"] * 40)
    told = [hello["cfg"] for hello in place.village.hellos()]
    assert set(told) == {1}
    assert len(told) > 2
    assert "config 2: no gateway, gone back" in [
        hello.get("error") for hello in place.village.hellos()
    ]
    numbers = place.village.numbers()
    assert numbers == list(range(1, len(numbers) + 1))


def test_a_new_configuration_by_cable_ends_the_one_by_receipt(place: Place) -> None:
    place.live([])
    wish(place, dt_s=600)
    place.live(["deepsleep"])
    assert place.village.runs().cfg == 2
    place.village.conn.execute("DELETE FROM node_config")
    place.config["rev"] = 7
    place.put("/config.json", json.dumps(place.config).encode())
    place.live([])
    assert place.village.runs().cfg == 7
