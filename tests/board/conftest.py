# SPDX-License-Identifier: MIT
"""Runs programs on the simulated ESP32 under the real MicroPython, in a world of constants."""

import contextlib
import json
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
RUN = ROOT / "firmware" / "kahriz_sim" / "board" / "run.py"
MICROPYTHON = Path(sys.executable).parent / "micropython"
START_MS = 1_790_000_100_000
SAY = "import json\ndef say(x): print(json.dumps(x))\n"
SLEEP = "\nimport machine\nmachine.deepsleep(300000)\n"


class MiniWorld:
    """Answers one board at a time; `causes` says how each further wake begins, before the end.

    A sense that is a dict is given as it stands, so that a further device needs its name only.
    """

    def __init__(self, causes: list[str] | None = None, rtc_ppm: int = 0, **senses: Any) -> None:
        self.causes = list(causes or [])
        self.rtc_ppm = rtc_ppm
        self.fitted = sorted(senses)  # a board loads the further devices among these
        self.senses: dict[str, Any] = {
            "ultrasonic": [651, 652, 650, 651, 651],
            "air": 21.4375,
            "loop": 12.0,
            "battery": 3.31,
            "radio": {"up": True, "rssi": -67, "assoc_ms": 900},
        } | senses
        self.ssid = "kahriz"
        self.asked: list[dict[str, Any]] = []
        self.t_ms = START_MS
        self.begins = [START_MS]  # of every wake
        self.early_ms: int | None = None  # a button is pressed this long after the wake
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._talks: list[threading.Thread] = []
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop listening and wait for the lines to end; a board still on one ends with us."""
        with contextlib.suppress(OSError):  # closed before
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(timeout=60)
        for talk in self._talks:
            talk.join(timeout=60)  # what the board said last is in `asked` then

    def hang_up(self) -> None:
        """The world dies with the line open."""
        self._line.shutdown(socket.SHUT_RDWR)

    def ops(self, op: str) -> list[dict[str, Any]]:
        """All requests of a kind, in order."""
        return [request for request in self.asked if request["op"] == op]

    def _serve(self) -> None:
        while True:
            try:
                line, _ = self._listener.accept()
            except OSError:
                return
            self._talks.append(threading.Thread(target=self._talk, args=(line,), daemon=True))
            self._talks[-1].start()

    def _talk(self, line: socket.socket) -> None:
        """With whom we know; a stranger whose port this was before is not answered."""
        with contextlib.suppress(OSError, ValueError), line, line.makefile("rwb") as stream:
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for raw in stream:
                request = json.loads(raw)
                self._line = line
                stream.write(json.dumps(self._answer(request)).encode() + b"\n")
                stream.flush()

    def _answer(self, request: dict[str, Any]) -> dict[str, Any]:
        self.asked.append(request)
        op = request["op"]
        if op == "attach":
            hello = {"ok": True, "t": self.t_ms, "rtc_ppm": self.rtc_ppm}
            return hello | {"wifi": {"ssid": self.ssid}, "fitted": self.fitted}
        if op == "boot":
            return {"t": self.t_ms, "cause": "power_on"}
        if op == "sleep":
            cause = self.causes.pop(0) if self.causes else "end"
            asleep_ms = request["ms"] if cause != "button" else self.early_ms or request["ms"]
            self.t_ms += round(asleep_ms / (1 + self.rtc_ppm / 1e6))
            self.begins.append(self.t_ms)
            return {"t": self.t_ms, "cause": cause}
        if op == "radio":
            radio = self.senses["radio"]
            return dict(radio() if callable(radio) else radio)
        device = request["device"]
        value = self.senses[device]
        if callable(value):
            value = value()
        if isinstance(value, dict):
            return value
        if device == "ultrasonic":
            count = request["count"]
            return {"echo_mm": (value * count)[:count]}
        key = {"air": "c", "loop": "ma", "battery": "v"}[device]
        return {key: value}


class Bench:
    """A board on the table: give it a main.py, get what it printed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.flash = folder / "node.lfs"
        self.image = folder / "image"
        (self.image / "lib").mkdir(parents=True)
        (self.image / "boot.py").write_text("")
        self.worlds: list[MiniWorld] = []
        self.more: list[str] = []  # further arguments of the board
        self.stderr = ""
        self.code = 0

    def world(self, **script: Any) -> MiniWorld:
        """A world for the next start."""
        self.worlds.append(MiniWorld(**script))
        return self.worlds[-1]

    def command(self, world: MiniWorld, heap: str = "384k") -> list[str]:
        """The command line of the board."""
        arguments = ["--world", f"127.0.0.1:{world.port}", "--node", "outlet"]
        arguments += ["--flash", str(self.flash), "--image", str(self.image)]
        return [str(MICROPYTHON), "-X", f"heapsize={heap}", str(RUN), *arguments, *self.more]

    def run(self, main: str, world: MiniWorld | None = None, timeout_s: float = 60) -> list[Any]:
        """Run `main`, which may `say` things and sleeps at its end, until the world ends."""
        (self.image / "main.py").write_text(SAY + main + SLEEP)
        said = self._run(world or self.world(), timeout_s)
        return [json.loads(line) for line in said.splitlines()]

    def start(self, world: MiniWorld, timeout_s: float = 60) -> None:
        """Run the program of the image until the world ends; it has nothing to print."""
        said = self._run(world, timeout_s)
        assert (self.code, said, self.stderr) == (0, "", "")

    def _run(self, world: MiniWorld, timeout_s: float) -> str:
        done = subprocess.run(
            self.command(world), capture_output=True, text=True, timeout=timeout_s, check=False
        )
        self.stderr, self.code = done.stderr, done.returncode
        return done.stdout

    def close(self) -> None:
        """Stop the worlds."""
        for world in self.worlds:
            world.close()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """A fresh board."""
    bench = Bench(tmp_path)
    yield bench
    bench.close()


@pytest.fixture
def on_chip(bench: Bench) -> Callable[..., Any]:
    """Run a few lines on the chip; the value of what they `say`, or the list of several."""

    def run(lines: str, **script: Any) -> Any:
        said = bench.run(lines, bench.world(**script))
        assert bench.code == 0, bench.stderr
        assert not bench.stderr, bench.stderr
        return said[0] if len(said) == 1 else said

    return run
