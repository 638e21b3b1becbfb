# SPDX-License-Identifier: MIT
"""`kahriz node accept` at a board: held, timed, asked for; cut in the middle, and gone on with."""

import json
import os
import pty
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

import pytest
from click.testing import CliRunner, Result

from kahriz_tools import accept_board, accept_code, accept_file
from kahriz_tools.accept_steps import STEPS, TIMED
from kahriz_tools.accept_sums import figure
from kahriz_tools.board import Board
from kahriz_tools.cli import node
from tests.board.conftest import Bench, bench
from tests.tools.bench_board import BenchBoard
from tests.tools.commission import told

__all__ = ["bench"]  # a fixture of its own folder
LIB = Path(__file__).parents[2] / "firmware" / "lib"
POOL = LIB.parent / "kahriz_sim" / "sites" / "banovshalar-gozlu" / "nodes" / "pool.json"
GONE = "\x04"  # end of input: a signal just before the line is read would be lost
READINGS = {
    "base_ma": 21.5, "idle_ma": 57.2, "light_ma": 22.9, "search_ma": 138, "radio_ma": 144,
    "tls_mc": 118, "ultrasonic_ma": 63.9, "air_mc": 58.4, "led_ma": 62.1, "boot_mc": 84,
}  # fmt: skip


def run(*words: object) -> Result:
    return CliRunner().invoke(node, ["accept", *map(str, words)])


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
    result = accept_file.fresh(tmp_path / "accept.json", "devkit", 0.1, "DevKitC")
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
    assert first["measured"]["state.idle_ma"] == [35.6, 35.7, 35.8]
    charged = "state.tls_mc" in first["measured"] or "state.tls_mc: " in half.stderr
    assert "the broker was not reached" not in half.stderr
    assert charged, "measured, or not believed: this chip is no ESP32"
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


@pytest.mark.needs("mosquitto")
def test_a_board_is_timed_while_it_starts_and_goes_on_answering(
    proven: BenchBoard, tmp_path: Path
) -> None:
    result = accept_file.fresh(tmp_path / "accept.json", "devkit", 0.1, "DevKitC")
    timed, metered = STEPS["board.boot_ms"], STEPS["board.boot_mc"]
    with Board(proven.port) as link:
        measuring = accept_board.Bench(link, result, accept_board.config_of(link))
        begun, resets = len(proven.said), proven.resets
        said: list[str] = []
        measuring.time_all({timed.key}, said.append)
        assert proven.resets == resets + accept_board.RUNS
        banners = proven.said[begun:].count(b"raw REPL; CTRL-B to exit")
        assert banners == accept_board.RUNS, "what comes unasked may be taken for an answer"
        (told_so,) = said
        assert timed.key in result.steps or "not believed" in told_so, "this chip is no ESP32"
        assert link.ask("import machine", "1 + 1") == 2
        measuring.hold(metered, 1)
        assert proven.resets > resets + accept_board.RUNS
        assert link.ask("import machine", "1 + 1") == 2
    result.put("base_ma", 21.5, (21.5, 21.5, 21.5))
    nap_s = accept_board.NAP_MS / 1000
    assert nap_s < measuring.seconds[metered.key] < accept_board.WAKE_S
    assert figure(metered, 84, result, 0.4) == pytest.approx((24.96, 25.0, 25.04))


READING, WHY = "leave it out): ", ("why it is left out: ", "(Enter: back): ")


def session(board: BenchBoard, out: Path, answers: dict[str, list[str]]) -> tuple[int, str]:
    """A person at a terminal: answers by the step that was named last, each in its order.

    To what was not foreseen, this person says nothing, and why.
    """
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
        if not seen[begun:].endswith((READING, *WHY)):
            continue  # a line that has not come whole is no question
        foreseen = answers.get(step)
        answer = foreseen.pop(0) if foreseen else "" if seen.endswith(READING) else "not today"
        os.write(outer, answer.encode() if answer == GONE else f"{answer}\n".encode())
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
        "state.search_ma": [GONE],
    }
    code, seen = session(proven, out, answers)
    assert code == 130, seen
    assert "not between 10 and 90: not believed" in seen
    kept = accept_file.load(out)
    assert kept.measured("state.idle_ma") == (35.6, 35.7, 35.8)
    assert kept.steps["state.light_ma"]["skipped"] == "the meter jumps"
    assert "state.search_ma" not in kept.steps
    code, seen = session(proven, out, {"state.search_ma": ["138"]})
    kept = accept_file.load(out)
    assert kept.measured("state.search_ma") == (116.4, 116.5, 116.6)
    left = {key for key in STEPS if key not in kept.steps}
    assert left <= {step.key for step in TIMED}, seen
    assert code == (1 if left else 0)
    assert kept.steps["sensor.led_ma"]["skipped"].startswith("not today")
    assert "base_ma: hold" not in seen, "what stands is not asked again"
