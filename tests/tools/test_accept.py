# SPDX-License-Identifier: MIT
"""`kahriz node accept`: each figure of the model has a step or a reason; none is invented."""

import json
import os
import pty
import shutil
import signal
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any, cast

import pytest
from click.testing import CliRunner, Result

from kahriz_hardware.cli import hardware
from kahriz_sim.energy import PROFILES, Profile
from kahriz_tools import accept_board, accept_code, accept_file
from kahriz_tools.accept_steps import BOARD, METERED, OFF, STAYS, STEPS, TIMED
from kahriz_tools.accept_sums import DoubtError, figure, spread
from kahriz_tools.cli import node
from kahriz_tools.errors import BenchError
from scripts import measured_profile
from tests.board.conftest import Bench, bench
from tests.hardware.esp32 import constants
from tests.hardware.kits import BOARD as BOARD_ESP32
from tests.tools.bench_board import BenchBoard
from tests.tools.commission import told

__all__ = ["bench"]  # a fixture of its own folder
LIB = Path(__file__).parents[2] / "firmware" / "lib"
POOL = LIB.parent / "kahriz_sim" / "sites" / "banovshalar-gozlu" / "nodes" / "pool.json"
READINGS = {
    "base_ma": 21.5, "idle_ma": 57.2, "light_ma": 22.9, "search_ma": 138, "radio_ma": 144,
    "tls_mc": 118, "ultrasonic_ma": 63.9, "air_mc": 58.4, "led_ma": 62.1, "boot_mc": 84,
}  # fmt: skip
CTRL_C = "Ctrl-C"
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
    nodes.write_text(
        'board = "devkit"\nabout = "DevKitC"\nmeasured = ["state.idle_ma"]\n'
        "[joules_per_day]\noutlet = [200, 277, 400]\npool = [150.9, 272.1, 584.6]\n"
        "pipe-meter = [7731.2, 10294.1, 12580.1]\n",
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


# --- at a board


class Chip:
    """The simulated chip for pieces of code, each from a fresh start."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        for package in ("kahriz_node", "kahriz_wire"):
            shutil.copytree(LIB / package, bench.image / "lib" / package)
        bench.more = ["--config", str(POOL)]

    def ask(self, text: str, expression: str, _: float = 0.0) -> Any:
        if text == accept_code.PRELUDE:
            return None
        main = f"{accept_code.PRELUDE}\n{text}\nsay({expression})\n"
        (said,) = self.bench.run(main, self.bench.world(loop=11.5))
        return said


def test_the_loop_is_held_on_by_its_own_pin_and_tells_its_current(
    bench: Bench, tmp_path: Path
) -> None:
    result = fresh(tmp_path)
    config = json.loads(POOL.read_text(encoding="utf-8"))
    measuring = accept_board.Bench(cast(Any, Chip(bench)), result, config)
    step = STEPS["sensor.loop_efficiency"]
    assert measuring.lacks(step) == ""
    assert "no ultrasonic" in measuring.lacks(STEPS["sensor.ultrasonic_ma"])
    assert measuring.lacks(STEPS["state.tls_mc"]) == "this site has no TLS"
    measuring.hold(step, 1)
    assert result.body["told"]["loop_now_ma"] == 11.5
    power = config["channels"][measuring.channel(step)]["power"]
    main = (bench.image / "main.py").read_text(encoding="utf-8")
    assert f"machine.Pin({power}, machine.Pin.OUT, value=1)" in main


@pytest.mark.needs("mosquitto")
def test_a_board_is_measured_and_what_was_not_stays_open(
    proven: BenchBoard, tmp_path: Path
) -> None:
    out = tmp_path / "accept.json"
    given = [f"--meter={name}={value}" for name, value in READINGS.items() if name != "search_ma"]
    half = run("--port", proven.port, "--out", out, "--meter-step-ma", 0.1, *given, "--json")
    assert half.exit_code == 1, half.output
    first = told(half)
    assert "state.search_ma" in first["open"]
    assert "state.dhcp_ms" in first["open"], "this world gives an address in no time"
    assert first["measured"]["state.idle_ma"] == [35.6, 35.7, 35.8]
    assert first["measured"]["state.tls_mc"][1] > 0
    assert first["skipped"]["sensor.loop_v"].startswith("no loop_ads1115 on this board")
    assert set(first["told"]["sensors_ms"]) == {"air", "weir"}
    assert "demo-only" not in out.read_text(encoding="utf-8")
    rest = ["--meter=search_ma=138"]
    rest += [f"--skip={key}=not here" for key in first["open"] if key != "state.search_ma"]
    result = run("--port", proven.port, "--out", out, "--meter-step-ma", 0.1, *rest, "--json")
    assert result.exit_code == 0, result.output
    assert told(result)["measured"]["state.idle_ma"] == [35.6, 35.7, 35.8], "kept"
    other = run("--port", proven.port, "--out", out, "--meter-step-ma", 1)
    assert other.exit_code == 8
    body = json.loads(out.read_text(encoding="utf-8"))
    out.write_text(json.dumps({**body, "mark": "another"}), encoding="utf-8")
    stranger = run("--port", proven.port, "--out", out, "--meter-step-ma", 0.1)
    assert stranger.exit_code == 6
    assert "another board" in stranger.output


def session(board: BenchBoard, out: Path, answers: dict[str, list[str]]) -> tuple[int, str]:
    """A person at a terminal: answers by the step that was named last, each in its order."""
    outer, inner = pty.openpty()
    command = [sys.executable, "-m", "kahriz", "node", "accept", "--port", board.port]
    command += ["--out", str(out), "--hold-s", "1", "--meter-step-ma", "0.1"]
    child = subprocess.Popen(
        command, stdin=inner, stdout=inner, stderr=inner, start_new_session=True,
        env={**os.environ, "TERM": "dumb", "COLUMNS": "200"},
    )  # fmt: skip
    os.close(inner)
    seen, begun, step = "", 0, ""
    while True:
        try:
            piece = os.read(outer, 4096)
        except OSError:  # EIO: everybody has left the terminal
            break
        seen += piece.decode("utf-8", "replace")
        while (end := seen.find("\n", begun)) >= 0:
            name = seen[begun:end].split(":")[0].strip()
            step = name if name in STEPS else step
            begun = end + 1
        if seen[begun:].rstrip("\r").endswith(": ") and answers.get(step):
            answer = answers[step].pop(0)
            if answer == CTRL_C:
                child.send_signal(signal.SIGINT)
            else:
                os.write(outer, f"{answer}\n".encode())
            seen += "\n"
            begun = len(seen)
    os.close(outer)
    return child.wait(timeout=60), seen


@pytest.mark.needs("mosquitto")
def test_a_person_reads_the_meter_goes_away_and_comes_back(
    proven: BenchBoard, tmp_path: Path
) -> None:
    out = tmp_path / "accept.json"
    answers = {
        "base_ma": ["21,5"],
        "state.idle_ma": ["572", "", "r", "57.2"],  # a slip: told, once more, held once more
        "state.light_ma": ["", "the meter jumps"],
        "state.search_ma": [CTRL_C],
    }
    code, seen = session(proven, out, answers)
    assert code == 130, seen
    assert "not between 10 and 90: not believed" in seen
    kept = accept_file.load(out)
    assert kept.measured("state.idle_ma") == (35.6, 35.7, 35.8)
    assert kept.steps["state.light_ma"]["skipped"] == "the meter jumps"
    assert "state.search_ma" not in kept.steps
    rest = {step.key: ["", "enough for today"] for step in METERED}
    rest["board.sleep_ua"] = ["", "no multimeter"]
    rest["state.search_ma"] = ["138"]
    code, seen = session(proven, out, rest)
    kept = accept_file.load(out)
    assert kept.measured("state.search_ma") == (116.4, 116.5, 116.6)
    left = {key for key in STEPS if key not in kept.steps}
    assert left <= {step.key for step in TIMED}, seen
    assert code == (1 if left else 0)
    assert "base_ma: hold" not in seen, "what stands is not asked again"
