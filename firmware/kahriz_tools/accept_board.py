# SPDX-License-Identifier: MIT
"""The board in `kahriz node accept`: what it times by itself, and the states that it holds."""

import datetime
import hashlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kahriz_tools import accept_code as code
from kahriz_tools.accept_file import Result
from kahriz_tools.accept_steps import BOARD, ULTRASONIC, Step
from kahriz_tools.accept_sums import DoubtError, spread
from kahriz_tools.board import Board
from kahriz_tools.errors import BenchError

ANSWER_S = 90.0  # over what was asked to be held: a join or a scan may be under way
WAKE_S = 20.0
NAP_MS = 100  # deep sleep before each start that is timed; by the chip's own clock, 5 % at most
RUNS = 5
NOT_THIS = 6


class Bench:
    """A board that is measured; `seconds` are the times by which charges are reckoned."""

    def __init__(self, board: Board, result: Result, config: dict[str, Any]) -> None:
        self.board = board
        self.result = result
        self.config = config
        self.seconds: dict[str, float] = {}
        self._prepare()

    def _prepare(self) -> None:
        self.board.ask(code.PRELUDE, "None", ANSWER_S)

    def channel(self, step: Step) -> str | None:
        """The channel whose driver the step needs, with its supply on a pin where it must be."""
        drivers = ULTRASONIC if step.needs == "ultrasonic" else (step.needs,)
        for name, spec in sorted(self.config["channels"].items()):
            if spec["driver"] in drivers and ("power" in spec or not step.power):
                return str(name)
        return None

    def lacks(self, step: Step) -> str:
        """Why this board cannot take a step, or nothing."""
        if step.needs and self.channel(step) is None:
            switched = ", its supply on a pin" if step.power else ""
            return f"no {step.needs} on this board{switched}"
        if step.key == "state.tls_mc" and "tls" not in self.config["broker"]:
            return "this site has no TLS"
        return ""

    def time_all(self, keys: set[str], say: Callable[[str], None]) -> None:
        """Measure what is timed; say why where it could not be: it stays open."""
        told = self.result.body["told"]
        told["heap_free_bytes"] = self.board.ask("import gc\ngc.collect()", "gc.mem_free()")
        told["sensors_ms"] = self.board.ask(code.SENSORS, "_told", ANSWER_S)
        for key, work in (
            ("state.dhcp_ms", self._dhcp),
            ("state.link_ms", self._link),
            ("bench_ms", self._bench),
            (f"{BOARD}.boot_ms", self._boot),
        ):
            if key not in keys:
                continue
            try:
                self.result.put(key, None, spread(key, work()))
                say(f"{key}: {self.result.steps[key]['value']} ms")
            except DoubtError as doubt:
                say(f"{key}: {doubt}")

    def hold(self, step: Step, hold_s: int) -> None:
        """Keep the state up, and note what it lasted where a charge is asked for."""
        text = step.hold.replace("HOLD_S", str(hold_s))
        name = self.channel(step)
        if name is not None:
            text = text.replace("NAME", repr(name))
            text = text.replace("PIN", str(self.config["channels"][name].get("power")), 1)
        if step.key == f"{BOARD}.boot_mc":
            self._starts(step.key, hold_s)
        elif step.key == "state.tls_mc":
            took = self._network(f"_shake({hold_s})", hold_s)
            self.seconds[step.key] = sum(took) / len(took) / 1000
        elif step.key == "sensor.air_mc":
            took = self.board.ask(text, "_told", hold_s + ANSWER_S)
            self.seconds[step.key] = sum(took) / len(took) / 1000
        elif step.key == "state.radio_ma":
            if not self.board.ask(text, "_told", hold_s + ANSWER_S):
                raise DoubtError("the access point did not take the board")
        else:
            if step.key == "sensor.loop_efficiency":
                told = self.board.ask(code.LOOP_MA.replace("NAME", repr(name)), "_r", ANSWER_S)
                self.result.body["told"]["loop_now_ma"] = told["current_ma"] / 1000
            self.board.ask(text, "None", hold_s + ANSWER_S)

    def _starts(self, key: str, hold_s: int) -> None:
        until = time.monotonic() + hold_s
        took: list[float] = []
        while not took or time.monotonic() < until:
            took.append(self.board.wake_s(NAP_MS, WAKE_S))
        self.seconds[key] = sum(took) / len(took)  # asleep it draws what is taken off
        self._prepare()

    def _boot(self) -> list[float]:
        took = [round(1000 * self.board.wake_s(NAP_MS, WAKE_S) - NAP_MS, 1) for _ in range(RUNS)]
        self._prepare()
        return took

    def _bench(self) -> list[float]:
        found: list[float] = self.board.ask(
            code.BENCH, f"[_bench({code.BENCH_ROWS}) for _ in range(3)]", ANSWER_S
        )
        return found

    def _dhcp(self) -> list[float]:
        pairs = self.board.ask(code.JOIN.replace("RUNS", str(RUNS)), "_told", 2 * ANSWER_S)
        whole = [(asked, kept) for asked, kept in pairs if asked is not None and kept is not None]
        if not whole:
            raise DoubtError("the access point did not take the board by what it remembered")
        self.result.body["told"]["join_ms"] = [kept for _, kept in whole]
        return [float(asked - kept) for asked, kept in whole]

    def _link(self) -> list[float]:
        rows = self._network(f"_link({RUNS})", 0)
        if rows[0][1] is not None:
            self.result.body["told"]["tls_ms"] = [shook for _, shook in rows]
        return [float(link) for link, _ in rows]

    def _network(self, expression: str, hold_s: int) -> list[Any]:
        now = datetime.datetime.now(datetime.UTC)
        clock = (now.year, now.month, now.day, now.weekday(), now.hour, now.minute, now.second, 0)
        text = code.LINK.replace("NOW", repr(clock))
        found: list[Any] | str = self.board.ask(text, expression, hold_s + ANSWER_S)
        if isinstance(found, str) or not found:
            raise DoubtError(f"the broker was not reached: {found or 'no answer'}")
        return found


def check_same(board: Board, result: Result) -> None:
    """A file belongs to one board; a stranger's readings would be mixed into it."""
    identity = board.identity()
    unique = board.ask("import machine", "machine.unique_id()")
    mark = hashlib.sha256(unique).hexdigest()[:12]
    now = {
        "machine": identity.machine,
        "micropython": ".".join(map(str, identity.version)),
        "mark": mark,
    }
    before = {key: result.body[key] for key in now if key in result.body}
    if before and before != now:
        differs = ", ".join(key for key in now if before.get(key) != now[key])
        raise BenchError(
            f"{result.path} is of another board or MicroPython ({differs})",
            "another --out for this one",
            NOT_THIS,
        )
    result.body.update(now)


def config_of(board: Board) -> dict[str, Any]:
    """The configuration on the board, which names its sensors."""
    from kahriz_tools import node_config

    data = board.read(node_config.PATH)
    if data is None:
        raise BenchError(
            "the board has no configuration",
            "`kahriz node provision` first",
            node_config.CONFIG_CODE,
        )
    return node_config.parse(data, f"{node_config.PATH} on the board")


def opened(path: Path, board: str, step_ma: float, about: str) -> Result:
    """The file that is there, or a fresh one; what was said of it before is not changed."""
    from kahriz_tools.accept_file import fresh, load

    if not path.exists():
        return fresh(path, board, step_ma, about)
    result = load(path)
    if result.board != board or result.body["meter_step_ma"] != step_ma:
        raise BenchError(
            f"{path} was begun as {result.board} with a meter of {result.body['meter_step_ma']} mA",
            "say the same --board and --meter-step-ma, or another --out",
            8,
        )
    return result
