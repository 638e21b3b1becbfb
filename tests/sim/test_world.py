# SPDX-License-Identifier: MIT
"""The world seen by a board: one clock that waits for whoever is awake."""

import json
import struct
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from kahriz_sim import boards
from kahriz_sim.errors import ConfigError
from kahriz_sim.plan import site_dir
from kahriz_sim.world import World
from tests.sim.scripted_board import Life, ScriptedBoard

SITE = site_dir("banovshalar-gozlu")
START_MS = 1_746_057_600_000
HOUR_MS = 3_600_000
PATIENCE_S = 300.0  # only ends what hangs
Maker = Callable[..., World]


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Maker]:
    monkeypatch.setattr(boards, "AWAKE_MAX_S", PATIENCE_S)  # no board of these tests hangs
    worlds: list[World] = []

    def _make(scenario: str = "calm", speed: float = 60.0, **more: Any) -> World:
        more.setdefault("patience_s", 0.0)
        world = World(SITE, scenario, 3, START_MS, tmp_path, speed, **more)
        worlds.append(world)
        return world

    yield _make
    for world in worlds:
        world.close()


def log_of(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "world.jsonl").read_text().splitlines()]


def clock_of(folder: Path) -> int:
    return int(struct.unpack("<q", (folder / "clock").read_bytes())[0])


def run_in_background(world: World, to_ms: int) -> threading.Thread:
    thread = threading.Thread(target=world.run_until, args=(to_ms, False))
    thread.start()
    return thread


def test_a_board_is_greeted_with_its_own_clock_and_network(make: Maker) -> None:
    board = ScriptedBoard(make().listen(), "outlet")
    assert board.greeting == {
        "ok": True,
        "t": START_MS,
        "rtc_ppm": -8000,
        "wifi": {"ssid": "kahriz"},
    }
    assert board.boot() == {"t": START_MS, "cause": "power_on"}


def test_an_unknown_node_or_word_is_refused_in_words(make: Maker) -> None:
    port = make().listen()
    assert "no node 'elsewhere'" in ScriptedBoard(port, "elsewhere").greeting["error"]
    board = ScriptedBoard(port, "pool")
    assert "boot first" in board.measure()["error"]
    board.boot()
    assert "unknown op" in board.ask(op="dance")["error"]
    assert "pool has no 'ultrasonic'" in board.ask(op="sense", device="ultrasonic")["error"]
    assert "whole number" in board.ask(op="sleep", ms="long")["error"]
    assert board.ask(op="sense", device="loop")["ma"] > 4.0


def test_a_sleep_is_counted_by_the_nodes_own_wrong_clock(make: Maker) -> None:
    world = make()
    board = ScriptedBoard(world.listen(), "outlet")  # its clock loses 0.8 %
    board.boot()
    background = run_in_background(world, START_MS + HOUR_MS)
    assert board.sleep(300_000) == {"t": START_MS + round(300_000 / 0.992), "cause": "deepsleep"}
    board.cut_power()
    background.join()


def test_the_clock_stands_still_while_a_node_is_awake(make: Maker, tmp_path: Path) -> None:
    world = make()
    board = ScriptedBoard(world.listen(), "outlet")
    board.boot()
    background = run_in_background(world, START_MS + HOUR_MS)
    for _ in range(50):
        board.measure()
        assert world.now_ms == START_MS
    woken_ms = board.sleep(60_000)["t"]
    assert world.now_ms == clock_of(tmp_path) == woken_ms
    board.cut_power()
    background.join()
    assert world.now_ms == clock_of(tmp_path) == START_MS + HOUR_MS


def test_history_runs_every_wake_of_every_node(make: Maker, tmp_path: Path) -> None:
    world = make()
    port = world.listen()
    lives = [Life(port, node) for node in world.nodes]
    for life in lives:
        life.start()
    world.run_until(START_MS + 12 * HOUR_MS, paced=False)
    world.finish()
    for life in lives:
        life.join(PATIENCE_S)
        assert not life.is_alive()
        ppm = world.simulation.rtc_ppm(life.board.node)
        expected = 12 * HOUR_MS / (300_000 / (1.0 + ppm * 1e-6))
        assert abs(len(life.wakes) - 2 - expected) <= 1  # one at power-on, one by the button
        assert [cause for _, cause in life.wakes[:2]] == ["power_on", "deepsleep"]
        assert life.wakes[-1][1] == "button"
        logged = [line for line in log_of(tmp_path) if line["node"] == life.board.node]
        assert [line["t"] for line in logged] == [t for t, _ in life.wakes]
        assert [line["wake"] for line in logged] == list(range(1, len(logged) + 1))


def test_the_log_tells_the_truth_behind_each_sample(make: Maker, tmp_path: Path) -> None:
    world = make()
    board = ScriptedBoard(world.listen(), "outlet")
    board.boot()
    echoes = board.measure()["echo_mm"]
    board.ask(op="sense", device="air")
    board.ask(op="sense", device="battery")
    radio = board.ask(op="radio")
    world.close()
    first, second = log_of(tmp_path)[:2]
    assert len(echoes) == 15
    assert radio["up"] is True
    assert -95 < radio["rssi"] < -40
    assert {k: first[k] for k in ("node", "wake", "t", "device")} == {
        "node": "outlet",
        "wake": 1,
        "t": START_MS,
        "device": "ultrasonic",
    }
    assert 10.0 < first["truth"]["discharge_lps"] < 14.0
    assert second["device"] == "air"


def test_a_leak_is_dated_in_the_log_once_and_drains_the_reach(make: Maker, tmp_path: Path) -> None:
    world = make()
    for _ in range(2):
        world.add_leak("upper", 2.0, START_MS + HOUR_MS)
    with pytest.raises(ConfigError, match="no such reach"):
        world.add_leak("sideways", 2.0, START_MS)
    world.run_until(START_MS + 6 * HOUR_MS, paced=False)
    assert world.simulation.water.loss_m3s["upper"] == pytest.approx(0.002)
    leaks = [line for line in log_of(tmp_path) if line.get("event") == "leak"]
    assert leaks == [{"event": "leak", "reach": "upper", "lps": 2.0, "t": START_MS + HOUR_MS}]


def test_the_leak_scenario_brings_no_leak_of_its_own(make: Maker) -> None:
    world = make("leak", origin_ms=START_MS)
    world.run_until(START_MS + 6 * HOUR_MS, paced=False)
    assert world.simulation.water.loss_m3s["upper"] == 0.0


def test_a_brown_out_ends_in_a_cold_start(make: Maker) -> None:
    # The outlet has no power from 20.0 to 19.9 hours before life.
    world = make("blackout", origin_ms=START_MS + 20 * HOUR_MS + 600_000)
    life = Life(world.listen(), "outlet")
    life.start()
    world.run_until(START_MS + HOUR_MS, paced=False)
    world.finish()
    life.join(PATIENCE_S)
    off_ms, on_ms = START_MS + 600_000, START_MS + 600_000 + 360_000
    assert (on_ms, "power_on") in life.wakes
    assert not [t for t, _ in life.wakes if off_ms < t < on_ms]


def test_without_mains_there_is_no_network(make: Maker) -> None:
    world = make("blackout", origin_ms=START_MS - HOUR_MS)
    board = ScriptedBoard(world.listen(), "tank")
    board.boot()
    assert board.ask(op="radio") == {"up": False, "rssi": None, "assoc_ms": 8000}


def test_a_killed_node_comes_back_and_its_cut_wake_is_told(make: Maker, tmp_path: Path) -> None:
    world = make()
    port = world.listen()
    board = ScriptedBoard(port, "middle")
    board.boot()
    board.measure()
    board.cut_power()
    again = ScriptedBoard(port, "middle")
    assert again.boot()["cause"] == "power_on"
    again.measure()
    world.close()
    lines = log_of(tmp_path)
    assert [line["wake"] for line in lines if line.get("device")] == [1, 2]
    cuts = [line["wake"] for line in lines if line.get("event") == "cut"]
    assert cuts == [1, 2]


def test_history_waits_for_a_node_that_is_being_started_again(make: Maker) -> None:
    world = make(patience_s=PATIENCE_S)
    port = world.listen()
    lives = [Life(port, node) for node in world.nodes[1:]]
    for life in lives:
        life.start()
    background = run_in_background(world, START_MS + HOUR_MS)
    late = Life(port, world.nodes[0])
    late.start()
    background.join()
    assert late.wakes[0] == (START_MS, "power_on")
    assert len(late.wakes) >= 12
    world.finish()


def test_life_keeps_to_its_pace(make: Maker) -> None:
    world = make(speed=36_000.0)
    life = Life(world.listen(), "pool")
    life.start()
    for _ in range(4):
        world.run_until(world.now_ms + HOUR_MS, paced=True)
    assert world.now_ms == START_MS + 4 * HOUR_MS
    assert len(life.wakes) >= 48
    world.finish()


def test_a_second_run_goes_on_where_the_first_was_killed(make: Maker, tmp_path: Path) -> None:
    first = make()
    life = Life(first.listen(), "outlet")
    life.start()
    first.add_leak("lower", 1.5, START_MS + 2 * HOUR_MS)
    first.run_until(START_MS + 5 * HOUR_MS, paced=False)
    first.finish()
    wakes, water = len(life.wakes), first.simulation.water.save()

    second = make()
    assert second.resumed
    assert second.now_ms == START_MS + 5 * HOUR_MS
    assert second.simulation.water.save() == water
    second.run_until(START_MS + 6 * HOUR_MS, paced=False)
    assert second.simulation.water.loss_m3s["lower"] == pytest.approx(0.0015)
    board = ScriptedBoard(second.listen(), "outlet")
    board.boot()
    board.measure()
    assert log_of(tmp_path)[-1]["wake"] == wakes + 1


def test_a_world_whose_state_is_older_than_its_clock_catches_up(
    make: Maker, tmp_path: Path
) -> None:
    through = make()
    through.run_until(START_MS + HOUR_MS, paced=False)
    through.close()
    early = (tmp_path / "world.json").read_text()
    second = make()
    second.run_until(START_MS + 3 * HOUR_MS, paced=False)
    second.close()
    (tmp_path / "world.json").write_text(early)  # as after kill -9 between two savings
    third = make()
    assert third.now_ms == START_MS + 3 * HOUR_MS
    assert third.simulation.water.save() == second.simulation.water.save()


def test_a_folder_of_another_world_is_refused(make: Maker, tmp_path: Path) -> None:
    make().close()
    with pytest.raises(ConfigError, match="take another data folder"):
        World(SITE, "calm", 4, START_MS, tmp_path, 60.0)
