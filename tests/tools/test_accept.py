# SPDX-License-Identifier: MIT
"""`kahriz node accept`: each figure of the model has a step or a reason; none is invented."""

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from kahriz_hardware.cli import hardware
from kahriz_sim.energy import PROFILES, Profile
from kahriz_tools import accept_code, accept_file
from kahriz_tools.accept_steps import BOARD, OFF, STAYS, STEPS
from kahriz_tools.accept_sums import DoubtError, figure, spread
from kahriz_tools.cli import node
from kahriz_tools.errors import BenchError
from scripts import measured_profile, power_loads
from tests.hardware.esp32 import constants
from tests.hardware.kits import BOARD as BOARD_ESP32

GROUPS = {"state", "sensor", "battery"}
WAKE = {
    "awake_us": 3_000_000, "boot_us": 635_000, "light_us": 1_500_000, "radio_us": 700_000,
    "cpu_us": 20_000, "sleep_ms": 297_000, "tcp": 1, "tls": 1, "tx": 1, "air": 1,
    "joins": [(674_000, True, True)], "on": {"ultrasonic": 1_800_000},
}  # fmt: skip


def fresh(tmp_path: Path, step_ma: float = 0.1) -> accept_file.Result:
    return accept_file.fresh(tmp_path / "accept.json", "devkit", step_ma, "DevKitC, UM25C")


def run(*words: object) -> Result:
    return CliRunner().invoke(node, ["accept", *map(str, words)])


def test_every_figure_of_the_model_is_measured_or_says_why_not() -> None:
    table = tomllib.loads(PROFILES.read_text(encoding="utf-8"))
    boards = table.pop("board")
    figures = {
        *table.keys() - GROUPS,
        *(f"{group}.{key}" for group in GROUPS for key in table[group]),
    }
    figures |= {f"{BOARD}.{key}" for one in boards.values() for key in one if key != "about"}
    helpers = {"base_ma", "bench_ms"}
    assert set(STEPS) - helpers | set(STAYS) == figures
    assert not set(STEPS) & set(STAYS)
    for step in STEPS.values():
        low, high = step.gate
        group, _, key = step.key.partition(".")
        place = boards["devkit"] if group == BOARD else table.get(group, {})
        if key:
            assert all(low <= one <= high for one in place[key]), f"{step.key}: the model's own"


def test_the_lamp_that_is_lit_is_the_boards() -> None:
    assert constants(BOARD_ESP32)["LED_GREEN_PIN"] == accept_code.LED_GREEN_PIN


# --- sums


def test_what_hangs_on_the_cable_beside_the_chip_is_taken_off(tmp_path: Path) -> None:
    result = fresh(tmp_path, 0.5)
    result.put(OFF.key, 20.0, (20.0, 20.0, 20.0))
    assert figure(STEPS["state.idle_ma"], 51.5, result, None) == (31.0, 31.5, 32.0)


@pytest.mark.parametrize(
    ("key", "read", "why"),
    [
        ("state.light_ma", 21.2, "under what a meter with steps of 0.5 mA can tell"),
        ("state.idle_ma", 19.0, "19 mA is less than base_ma with 20 mA"),
        ("state.idle_ma", 800.0, "780 mA is not between 10 and 90: not believed"),
        ("sensor.ultrasonic_ma", 60.0, "state.idle_ma was not measured"),
        ("state.tls_mc", 120.0, "its time was not measured"),
        ("board.sleep_ua", 2.0, "not between 5 and 20000"),
        ("base_ma", 300.0, "not between 0 and 80"),
    ],
)
def test_a_reading_that_tells_nothing_is_not_made_a_figure(
    tmp_path: Path, key: str, read: float, why: str
) -> None:
    result = fresh(tmp_path, 0.5)
    result.put(OFF.key, 20.0, (20.0, 20.0, 20.0))
    with pytest.raises(DoubtError, match=why):
        figure(STEPS[key], read, result, None)


def test_a_charge_is_current_times_what_it_lasts_and_the_loop_keeps_its_joules(
    tmp_path: Path,
) -> None:
    result = fresh(tmp_path)
    result.put(OFF.key, 20.0, (20.0, 20.0, 20.0))
    result.put("state.idle_ma", 50.0, (29.9, 30.0, 30.1))
    assert figure(STEPS["state.tls_mc"], 120.0, result, 0.75)[1] == pytest.approx(75.0)
    result.put("sensor.loop_v", 18.0, (18.0, 18.0, 18.0))
    result.body["told"]["loop_now_ma"] = 12.0
    least, usual, most = figure(STEPS["sensor.loop_efficiency"], 130.0, result, None)
    assert usual == pytest.approx(18.0 * 12.0 / 3.3 / 80.0)
    assert least < usual < most
    with pytest.raises(DoubtError):  # more comes out than goes in
        figure(STEPS["sensor.loop_efficiency"], 90.0, result, None)


def test_times_are_shortest_median_and_longest() -> None:
    assert spread("state.link_ms", [60, 40, 41, 42, 300]) == (40, 42, 300)
    with pytest.raises(DoubtError, match="not believed"):
        spread("state.dhcp_ms", [0.0, 0.0, 0.0])


# --- the file


def test_a_file_is_read_back_as_it_was_written_and_names_no_network(tmp_path: Path) -> None:
    result = fresh(tmp_path)
    result.put("state.idle_ma", 50.0, (29.9, 30.0, 30.1))
    result.skip("state.light_ma", "meter too coarse")
    again = accept_file.load(result.path)
    assert again.body == result.body
    assert again.profile() == {"state.idle_ma": (29.9, 30.0, 30.1)}
    assert list(tmp_path.iterdir()) == [result.path]


@pytest.mark.parametrize(
    ("path", "value", "why"),
    [
        (("kind",), "else", "is no 'kahriz accept'"),
        (("v",), 2, "of version 1"),
        (("board",), "../x", "one of devkit"),
        (("meter_step_ma",), "1", "meter_step_ma"),
        (("meter_step_ma",), float("nan"), "meter_step_ma"),
        (("steps",), [], "steps is missing"),
        (("steps", "state.idle_ma"), {"value": [1, 2, 3], "skipped": "x"}, "neither"),
        (("steps", "state.idle_ma"), {"value": [30, 20, 40]}, "not rising"),
        (("steps", "state.idle_ma"), {"value": [3000, 3000, 3000]}, "between 10 and 90"),
        (("steps", "state.idle_ma"), {"value": [True, 30, 40]}, "expected"),
        (("steps", "state.idle_ma"), {"value": [30, 30, 40], "read": "x"}, "read 'x'"),
        (("steps", "battery.mah"), {"value": [1, 2, 3]}, "unknown 'battery.mah'"),
    ],
)
def test_a_file_that_cannot_be_ours_is_refused_with_its_place(
    tmp_path: Path, path: tuple[str, ...], value: Any, why: str
) -> None:
    result = fresh(tmp_path)
    result.put("state.idle_ma", 50.0, (29.9, 30.0, 30.1))
    place: Any = result.body
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    result.save()
    with pytest.raises(BenchError, match=why) as refused:
        accept_file.load(result.path)
    assert "kahriz node accept" in refused.value.mend


def test_garbage_in_the_files_place_is_told_in_a_line_and_kept(tmp_path: Path) -> None:
    out = tmp_path / "accept.json"
    out.write_text("{", encoding="utf-8")
    result = run("--port", "/dev/ttyUSB99", "--out", out)
    assert result.exit_code == 8
    assert "Traceback" not in result.output
    assert out.read_text(encoding="utf-8") == "{"


@pytest.mark.parametrize(
    "words",
    [
        ("--meter", "idle_ma=nan"), ("--meter", "idle_ma=much"), ("--meter", "amps=4"),
        ("--meter", "boot_ms=4"), ("--skip", "idle_ma="), ("--meter-step-ma", "0"),
        ("--hold-s", "0"), ("--board", "esp8266"), ("--again", "amps"),
    ],
)  # fmt: skip
def test_words_that_cannot_be_meant_are_refused(words: tuple[str, ...], tmp_path: Path) -> None:
    result = run("--port", "/dev/ttyUSB99", "--out", tmp_path / "x.json", *words)
    assert result.exit_code == 2, result.output
    assert not (tmp_path / "x.json").exists()


# --- model beside measured


def whole(tmp_path: Path) -> accept_file.Result:
    result = fresh(tmp_path)
    result.put("state.idle_ma", 50.0, (39.0, 40.0, 41.0))
    result.put("sensor.loop_v", 18.0, (18.0, 18.0, 18.0))
    result.put("sensor.loop_efficiency", 130.0, (0.80, 0.82, 0.84))
    result.put("board.sleep_ua", 900.0, (900.0, 900.0, 900.0))
    return result


def test_the_model_reckons_with_what_was_measured_and_with_nothing_else(tmp_path: Path) -> None:
    measured = measured_profile.read(whole(tmp_path).path)
    assert measured.bands["sensor.loop_efficiency"] == (0.84, 0.82, 0.80), "least load first"
    model, board = Profile("devkit").cost([WAKE]), Profile("devkit", 1, measured.bands).cost([WAKE])
    assert board.joules["sleep"] == pytest.approx(6 * model.joules["sleep"])  # 150 -> 900 µA
    assert board.joules["idle"] > model.joules["idle"]
    assert board.joules["radio"] == model.joules["radio"]
    other = Profile("bare", 1, measured.bands).cost([WAKE])
    assert other.joules["sleep"] == Profile("bare").cost([WAKE]).joules["sleep"]
    lines = {line.split()[0]: line for line in measured_profile.beside(measured)}
    assert "outside the model's band" in lines["board.devkit.sleep_ua"]
    assert lines["state.radio_ma"].endswith("   -")


def test_the_power_budget_stands_beside_what_a_board_takes(tmp_path: Path) -> None:
    nodes = tmp_path / "accept.nodes.toml"
    model = tomllib.loads(power_loads.OUT.read_text(encoding="utf-8"))["joules_per_day"]
    twice = {kit: [2 * joules for joules in band] for kit, band in model.items()}
    nodes.write_text(
        'board = "devkit"\nabout = "DevKitC"\nmeasured = ["state.idle_ma"]\n[joules_per_day]\n'
        + "".join(f"{kit} = {band}\n" for kit, band in twice.items()),
        encoding="utf-8",
    )
    words = ["power", "--kit", "outlet", "--kit", "relay", "--profile", str(nodes)]
    said = CliRunner().invoke(hardware, words)
    assert said.exit_code == 0, said.output
    assert "Measured on one board (DevKitC): state.idle_ma; the rest is the model's." in said.output
    days = [float(line.split("Wh a day")[1].split()[0]) for line in said.output.splitlines()
            if line.startswith(("outlet", "  measured"))]  # fmt: skip
    assert days[0] == pytest.approx(2 * days[1], rel=0.01)
    one, two = json.loads(CliRunner().invoke(hardware, [*words, "--json"]).stdout)
    assert one["measured"]["load_wh_per_day"] == pytest.approx(2 * one["load_wh_per_day"], rel=0.01)
    assert "measured" not in two
    figures = CliRunner().invoke(hardware, ["power", "--profile", "accept.json"])
    assert figures.exit_code == 2
    assert "power_loads.py" in figures.output
    nodes.write_text("measured = []\n", encoding="utf-8")
    refused = CliRunner().invoke(hardware, words)
    assert refused.exit_code == 2
    assert "power_loads.py --profile" in refused.output
