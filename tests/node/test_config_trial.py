# SPDX-License-Identifier: MIT
"""A configuration by receipt: fetched, checked, tried, kept; else the last good one again."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kahriz_gateway.orders import node_config
from kahriz_tools.image import build_image

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


def test_a_refused_configuration_is_not_fetched_again_after_a_power_cut(place: Place) -> None:
    place.live([])
    wish(place, dt_s=5)
    place.live(["deepsleep"] * 2)
    place.live(["deepsleep"] * 2)
    place.live([])
    told = [hello.get("error") for hello in place.village.hellos()]
    assert [error for error in told if error] == ["config 2: WireError config.dt_s"]


def test_a_driver_that_the_image_lacks_is_refused_by_name_and_the_node_runs_on(
    place: Place,
) -> None:
    build_image(place.bench.image, ["a02yyuw", "ds18b20"])
    place.live([])
    lacking = {"driver": "pulse_meter", "pin": 32, "ul_per_pulse": 1_000_000}
    wish(place, powered=True, channels={**place.config["channels"], "meter": lacking})
    place.live(["deepsleep"] * 3)
    hellos = place.village.hellos()
    assert {hello["cfg"] for hello in hellos} == {1}
    assert [hello["error"] for hello in hellos if hello.get("error")] == [
        "config 2: WireError config.channels.meter.driver"
    ]
    numbers = place.village.numbers()
    assert numbers == list(range(1, len(hellos) + 1))


def test_another_configuration_by_cable_forgets_what_was_refused(place: Place) -> None:
    place.live([])
    refused = wish(place, dt_s=5)
    place.live(["deepsleep"] * 2)
    body = {**place.config, "rev": refused, "dt_s": 600}
    place.village.conn.execute("UPDATE node_config SET body=?", (json.dumps(body),))
    place.live(["deepsleep"])
    assert place.village.runs().cfg == 1, "the node does not ask for it again"
    place.put("/config.json", json.dumps({**place.config, "batch": 6}).encode())
    place.live(["deepsleep"])
    assert place.village.runs().cfg == refused


def test_the_tries_of_a_configuration_outlive_power_cuts(place: Place) -> None:
    place.live([])
    wish(place, network=True, broker={"host": "127.0.0.1", "port": 9})
    place.live([])  # fetched, and on trial from the next wake on
    for _ in range(4):
        place.live([])
    assert place.on_board("import os\nsay('config.try' in os.listdir('/'))") == [False]
    place.live([])
    assert {hello["cfg"] for hello in place.village.hellos()} == {1}
    assert place.on_board("import os\nsay('config.new' in os.listdir('/'))") == [False]


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
