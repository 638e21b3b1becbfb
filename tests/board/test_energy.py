# SPDX-License-Identifier: MIT
"""The energy ledger: order, and budgets of time; joules only where a goal is a promise."""

import json
from pathlib import Path
from typing import Any

import pytest

from kahriz_sim.energy import Profile, after
from kahriz_sim.energy_day import day
from kahriz_tools.flash import OLDEST
from kahriz_tools.image import build_image

HOURS = 5
SETTLED_S = 2 * 3600


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("image")
    build_image(folder)
    return folder


@pytest.fixture(scope="module")
def hourly(image: Path) -> list[dict[str, Any]]:
    return after(day(image, "outlet", 300, 12, HOURS), SETTLED_S)


@pytest.fixture(scope="module")
def dead(image: Path) -> list[dict[str, Any]]:
    return day(image, "outlet", 300, 12, hours=24, access_point=False)


def split(wakes: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """(wakes with an upload, the others)."""
    return [w for w in wakes if w["radio_us"]], [w for w in wakes if not w["radio_us"]]


def a_day(wakes: list[dict[str, Any]], board: str = "bare") -> float:
    cost = Profile(board).cost(wakes, tls=True)
    return cost.total_j * 86400 / cost.span_s


def test_a_wake_that_uploads_nothing_keeps_the_radio_off(hourly: list[dict[str, Any]]) -> None:
    uploads, others = split(hourly)
    assert len(uploads) == pytest.approx(len(hourly) / 12, abs=1)
    assert all(wake["tcp"] == 0 == wake["tx"] for wake in others)
    assert all(up and leased for wake in uploads for _, up, leased in wake["joins"])


def test_an_ultrasonic_wake_is_over_in_four_seconds(hourly: list[dict[str, Any]]) -> None:
    uploads, others = split(hourly)
    for wake in others:
        assert wake["awake_us"] < 3_600_000
        assert wake["on"]["ultrasonic"] < 2_200_000
        assert wake["air"] == 1
    assert all(wake["radio_us"] < 1_200_000 for wake in uploads)


def test_most_of_the_waiting_for_a_sensor_is_light_sleep(hourly: list[dict[str, Any]]) -> None:
    for wake in split(hourly)[1]:
        assert wake["light_us"] > 0.8 * (wake["awake_us"] - wake["boot_us"])


def test_the_radio_spends_at_most_15_joules_a_day_on_a_dead_access_point(
    dead: list[dict[str, Any]],
) -> None:
    cost = Profile("bare").cost(dead)
    assert len(dead) >= 280
    assert 8 < cost.radio_s < 40
    assert 0 < cost.joules["radio"] <= 15


def test_a_dead_access_point_costs_less_than_a_living_one(
    hourly: list[dict[str, Any]], dead: list[dict[str, Any]]
) -> None:
    assert a_day(dead) < a_day(hourly)


def test_boards_and_policies_come_in_their_order(image: Path, hourly: list[dict[str, Any]]) -> None:
    assert a_day(hourly, "tuned") < a_day(hourly, "bare") < a_day(hourly, "devkit")
    seldom = after(day(image, "outlet", 900, 8, HOURS), SETTLED_S)
    assert a_day(seldom) < a_day(hourly)
    loop = after(day(image, "pool", 300, 12, HOURS), SETTLED_S)
    assert a_day(loop) > a_day(hourly), "the loop's supply is the dearest part of a wake"
    assert all(wake["on"]["loop"] > 2_000_000 for wake in loop)


def test_the_band_holds_the_usual_figure(hourly: list[dict[str, Any]]) -> None:
    for board in ("devkit", "bare", "tuned"):
        least, usual, most = (Profile(board, edge).cost(hourly).total_j for edge in (0, 1, 2))
        assert least < usual < most


def test_the_ledger_is_a_line_a_wake_and_accounts_for_all_time(image: Path) -> None:
    wakes = day(image, "pool", 600, 6, 3)
    span_s = sum(wake["awake_us"] / 1e6 + wake["sleep_ms"] / 1000 for wake in wakes)
    assert span_s == pytest.approx(3 * 3600, rel=0.15)  # its clock drifts, its last sleep counts
    assert json.dumps(wakes[0])
    for wake in wakes:
        parts = wake["boot_us"] + wake["light_us"] + wake["radio_us"]
        assert parts <= wake["awake_us"]
        assert 0 < wake["cpu_us"] < 10_000_000


def test_the_boot_in_the_table_is_of_a_micropython_that_the_tools_take(
    hourly: list[dict[str, Any]],
) -> None:
    """Before 1.21 the image was validated at each wake: half as long again, and half as dear."""
    assert OLDEST >= (1, 21, 0)
    boot_j = Profile("bare").cost(hourly).joules["boot"]
    assert boot_j / len(hourly) == pytest.approx(26.5e-3 * 3.3)
