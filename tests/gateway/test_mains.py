# SPDX-License-Identifier: MIT
"""Mains lost and a battery: told with the hours left, ended cleanly before it is empty."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from kahriz_gateway import notify_sign, ups
from kahriz_gateway.page import health
from kahriz_water.plan import parse_plan
from kahriz_water.site import Ups
from kahriz_water.strict import ConfigError

from .conftest import NOW_MS, PATIENCE_S, SITE_TOML, wait_for
from .upkeep import Keeper, plan_with

HOUR_MS = 3_600_000


@pytest.fixture
def powered(tmp_path: Path) -> Iterator[Keeper]:
    gpio = tmp_path / "gpio"
    gpio.write_text("1\n")
    (tmp_path / "data").mkdir()
    made = Keeper(tmp_path / "data", plan_with(tmp_path, Ups(str(gpio), "0", 8.0, 0.5)))
    yield made
    made.conn.close()
    made.readings.close()


def test_mains_lost_rings_with_the_hours_left_and_asks_for_a_clean_end(powered: Keeper) -> None:
    gpio = powered.data.parent / "gpio"
    off = powered.data / ups.POWER_OFF
    assert powered.look() == {}
    gpio.write_text("0\n")
    assert powered.look()["mains"].startswith("8.0 hours")
    powered.look(4 * HOUR_MS)
    powered.restart()  # the battery's hours are not forgotten
    powered.look(HOUR_MS)
    assert not off.exists()
    found = powered.look(3 * HOUR_MS)
    assert list(found) == ["mains"]
    assert not off.exists()
    found = powered.look(40 * 60_000)
    assert sorted(found) == ["mains", "mains_ending"]
    assert off.exists()
    gpio.write_text("1\n")
    assert powered.look() == {}
    assert not off.exists(), "the mains came back in time"


def test_the_wish_to_be_switched_off_does_not_outlive_a_start(
    tmp_path: Path, clock_file: Path
) -> None:
    """`gateway run` ends both services cleanly when it appears, and forgets an old one."""
    data = tmp_path / "data"
    data.mkdir()
    end = ups.end_file(data, {})
    end.touch()
    assert ups.end_file(data, {"RUNTIME_DIRECTORY": "/run/kahriz-village"}).parts[1] == "run"
    argv = [sys.executable, "-m", "kahriz", "gateway", "run", "--config", str(SITE_TOML),
            "--data", str(data), "--broker", "127.0.0.1:1", "--page", "127.0.0.1:0",
            "--clock-file", str(clock_file)]  # fmt: skip
    child = subprocess.Popen(argv, stderr=subprocess.DEVNULL)
    try:
        for service in ("intake", "village"):
            wait_for(lambda s=service: notify_sign.read(data, s), f"{service} works")
        assert not end.exists()
        end.touch()
        assert child.wait(PATIENCE_S) == 0
        for service in ("intake", "village"):
            assert (notify_sign.read(data, service) or {})["state"] == "stopped"
    finally:
        child.kill()


def test_the_battery_fills_up_more_slowly_than_it_empties(tmp_path: Path) -> None:
    plan = Ups(str(tmp_path / "gpio"), "0", 8.0, 0.5)
    power = ups.after(None, True, NOW_MS)
    power = ups.after(power, False, NOW_MS + 1)
    power = ups.after(power, True, NOW_MS + 4 * HOUR_MS)
    assert power.hours_left(plan) == pytest.approx(4, abs=0.01)
    power = ups.after(power, True, NOW_MS + 6 * HOUR_MS)
    assert power.hours_left(plan) == pytest.approx(5, abs=0.01)
    assert ups.after(power, True, NOW_MS).used_ms == power.used_ms, "a clock set back"
    assert ups.on_mains(plan) is None, "no file: nobody knows"


def test_a_plan_names_its_ups_and_refuses_what_it_does_not_know() -> None:
    text = SITE_TOML.read_text(encoding="utf-8")
    plan = parse_plan(text + '\n[ups]\nfile = "/run/mains"\nlost = "OB"\nhours = 5\n')
    assert plan.ups == Ups("/run/mains", "OB", 5.0, 0.5)
    assert parse_plan(text).ups is None
    with pytest.raises(ConfigError, match="hours"):
        parse_plan(text + '\n[ups]\nfile = "/run/mains"\nhours = -1\n')
    with pytest.raises(ConfigError, match="minutes"):
        parse_plan(text + '\n[ups]\nfile = "/run/mains"\nminutes = 5\n')


def test_health_says_what_is_wrong_in_words(powered: Keeper) -> None:
    def found(trusted: bool = True) -> dict[str, str]:
        checks = health.checks(powered.plan, powered.data, powered.now_ms, trusted)
        return {name: check.found for name, check in checks.items() if not check.ok}

    lock = notify_sign.take_lock(powered.data)
    assert lock is not None
    notify_sign.write(powered.data, "intake", {"state": "waiting"})
    assert found()["intake"] == "not connected to the broker"
    notify_sign.write(powered.data, "intake", {"state": "online", "trouble": "disk is full"})
    assert "no receipts" in found()["intake"]
    lock.close()
    assert found()["intake"] == "the service does not run"
    notify_sign.write(powered.data, "village", {"state": "working", "trouble": "disk is full"})
    assert "no new values or alarms" in found()["village"]
    assert "no time" in found(trusted=False)["clock"]
    powered.look()
    (powered.data.parent / "gpio").write_text("0")
    powered.look()
    powered.look(HOUR_MS)
    assert found()["mains"] == "mains are lost, 7.0 hours left"
    (powered.data.parent / "gpio").unlink()
    assert "nobody would notice" in found()["mains"]
