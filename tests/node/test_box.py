# SPDX-License-Identifier: MIT
"""The technician at the box: the button measures and uploads now, and the lights say what came."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from kahriz_gateway.orders import commands, node_config

from .whole import SITE, Place

PRESS = [*["deepsleep"] * 8, "button"]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    place = Place(tmp_path)
    yield place
    place.close()


def test_three_green_when_the_gateway_has_it(place: Place) -> None:
    lights = place.live(PRESS)
    assert lights == [""] * 9 + ["green green green"]
    assert place.village.hellos()[-1]["reset"] == "button"
    assert place.village.numbers() == list(range(1, 11))


def test_two_green_when_it_is_only_written_down(place: Place) -> None:
    place.village.silent = True
    assert place.live(PRESS)[-1] == "green green"


def test_two_green_without_an_access_point(place: Place) -> None:
    away = {"up": False, "rssi": None, "assoc_ms": 8000}
    assert place.live(PRESS, radio=away)[-1] == "green green"


def test_one_red_beside_it_when_a_sensor_fails(place: Place) -> None:
    assert place.live(PRESS, air=None)[-1] == "green green green red"


def test_for_half_an_hour_after_the_button_every_reading_goes_out_at_once(place: Place) -> None:
    place.live([*["deepsleep"] * 16, "button", *["deepsleep"] * 9])
    hellos = place.village.hellos()
    pressed = next(i for i, hello in enumerate(hellos) if hello["reset"] == "button")
    steps = [hellos[i + 1]["next"] - hellos[i]["next"] for i in range(pressed, len(hellos) - 1)]
    assert steps[:5] == [1] * 5
    assert pressed < len(hellos) - 5


def test_a_magnet_left_at_the_box_does_not_keep_the_node_awake(place: Place) -> None:
    said = place.on_board(
        "from chip import clock, pin\n"
        "from kahriz_node.board_esp32 import Board\n"
        "for level in (1, 0):\n"
        "    pin.drive(33, lambda: level)\n"
        "    board = Board()\n"
        "    clock.now.ext0 = None\n"
        "    clock.end, end = lambda how: say(clock.now.ext0), clock.end\n"
        "    board.deep_sleep(1000)\n"
        "    clock.end = end\n"
    )
    assert said == [[33, False], None]


def test_identify_blinks_sample_measures_at_once_and_reboot_starts_again(place: Place) -> None:
    place.live([])
    for op, args in (("identify", {"times": 4}), ("sample", {}), ("reboot", {})):
        commands.put(place.village.conn, "outlet", op, args, None)
    lights = place.live(["deepsleep"] * 3)
    assert lights[0] == "green green green green"
    assert [one.ok for one in commands.listed(place.village.conn)] == [True] * 3
    hellos = place.village.hellos()
    assert [hello["reset"] for hello in hellos[1:3]] == ["power_on", "hard"]
    assert lights[1:] == [""] * (len(lights) - 1)


def test_sample_shortens_the_sleep_once(place: Place) -> None:
    place.live([])
    commands.put(place.village.conn, "outlet", "sample", {}, None)
    place.live(["deepsleep"] * 2)
    slept = [one["ms"] - one["awake_ms"] for one in place.bench.worlds[-1].ops("sleep")]
    assert slept[0] == 1000
    assert min(slept[1:]) > 100_000
    assert place.village.numbers() == [1, 2, 3, 4]


def test_factory_goes_back_to_the_cables_settings_and_gives_no_number_twice(place: Place) -> None:
    place.live(["deepsleep"] * 3)
    commands.put(place.village.conn, "outlet", "factory", {}, None)
    place.live(["deepsleep"] * 3)
    numbers = place.village.numbers()
    assert numbers == list(range(1, len(numbers) + 1))
    hellos = place.village.hellos()
    assert len({hello["journal"] for hello in hellos}) == 1
    assert hellos[-1]["boot"] == 3
    assert len(commands.listed(place.village.conn)) == 1


def test_factory_ends_a_configuration_by_receipt(place: Place) -> None:
    place.live([])
    body = node_config.parse(json.dumps({**place.config, "dt_s": 600}), SITE, "outlet")
    node_config.put(place.village.conn, "outlet", body, None)
    place.live(["deepsleep"])
    assert place.village.runs().cfg == 2
    place.village.conn.execute("DELETE FROM node_config")
    commands.put(place.village.conn, "outlet", "factory", {}, None)
    place.live(["deepsleep"] * 2)
    assert place.village.runs().cfg == 1
