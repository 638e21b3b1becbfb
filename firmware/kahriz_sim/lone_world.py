# SPDX-License-Identifier: MIT
"""The world of one simulated board, as long as its life: what it measures, when it wakes and why.

The protocol is that of the world of six (board/run.py); here nothing waits for anybody, so a year
of wakes takes as long as the board's own program does.
"""

import json
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any, Protocol

from kahriz_sim.errors import ConfigError
from kahriz_sim.lone_line import LoneLine

RUN = Path(__file__).parent / "board" / "run.py"
ATTACH_S = 30.0


class Life(Protocol):
    """What a board asks of its world; every reply is a dict that goes out as it is."""

    ssid: str
    rtc_ppm: int

    def boot(self) -> dict[str, Any]:
        """The board has power: {"t", "cause"} of its first wake."""
        ...

    def sleep(self, asked: dict[str, Any]) -> dict[str, Any]:
        """The wake is over (`ms` since it began, by the RTC; `cut` when the power went)."""
        ...

    def sense(self, device: str, asked: dict[str, Any]) -> dict[str, Any]:
        """A sensor is read."""
        ...

    def radio(self, asked: dict[str, Any]) -> dict[str, Any]:
        """The station associates."""
        ...


def live(
    life: Life,
    node: str,
    flash: Path,
    image: Path,
    config: Path,
    more: list[str] | None = None,
    line: LoneLine | None = None,
    keep_wakes: int = 0,
    fresh_every: int = 0,
) -> str:
    """Run the board until `life` says end; returns what it wrote to its error output.

    With a `line` the broker is in this process, and no wait takes real time. With `keep_wakes`,
    all but one of so many wakes take their modules from the wake before. With `fresh_every`, the
    board's process is killed at one of so many power cuts, and a new one goes on.
    """
    world = _World(life, line, keep_wakes, fresh_every)
    said = ""
    with socket.create_server(("127.0.0.1", 0)) as ear:
        ear.settimeout(ATTACH_S)
        port = ear.getsockname()[1]
        command = [str(Path(sys.executable).parent / "micropython"), "-X", "heapsize=768k"]
        command += [str(RUN), "--world", f"127.0.0.1:{port}", "--node", node]
        command += ["--flash", str(flash), "--image", str(image), "--config", str(config)]
        while not world.ended:
            said += _process(world, ear, [*command, *(more or [])], node)
    return said


def _process(world: "_World", ear: socket.socket, command: list[str], node: str) -> str:
    board = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        sock, _ = ear.accept()
        with sock:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            killed = world.serve(sock)
            if killed:
                board.kill()
        _, said = board.communicate(timeout=ATTACH_S)
    except OSError as error:
        board.kill()
        _, said = board.communicate()
        raise ConfigError(f"the board of {node} is gone: {error}\n{said}") from error
    finally:
        if board.poll() is None:
            board.kill()
            board.wait()
    if board.returncode and not killed:
        raise ConfigError(f"the board of {node} ended with {board.returncode}\n{said}")
    return said


class _World:
    """Answers one process after the other; a life goes on where the last one was killed."""

    def __init__(
        self, life: Life, line: LoneLine | None, keep_wakes: int, fresh_every: int
    ) -> None:
        self._life = life
        self._line = line
        self._keep_wakes = keep_wakes
        self._fresh_every = fresh_every
        self._cuts = 0
        self._next: dict[str, Any] | None = None  # how the next process begins
        self.ended = False

    def serve(self, sock: socket.socket) -> bool:
        """Until the end of the life, or until the process is to be killed (True)."""
        self.ended = True  # also when the board goes away by itself
        with sock.makefile("rb") as stream:
            for raw in stream:
                asked = json.loads(raw)
                reply = self._reply(asked)
                if asked["op"] == "sleep" and reply["cause"] == "power_on":
                    self._cuts += 1
                    if self._fresh_every and self._cuts % self._fresh_every == 0:
                        self._next = reply
                        self.ended = False
                        return True
                sock.sendall(json.dumps(reply, separators=(",", ":")).encode() + b"\n")
                if reply.get("cause") == "end":
                    break
        return False

    def _reply(self, asked: dict[str, Any]) -> dict[str, Any]:
        life, op = self._life, asked["op"]
        if op == "attach":
            hello: dict[str, Any] = {"ok": True, "rtc_ppm": life.rtc_ppm}
            hello |= {"wifi": {"ssid": life.ssid}, "keep_wakes": self._keep_wakes}
            return hello | {"line": int(self._line is not None)}
        if op == "boot":
            first, self._next = self._next, None
            return first or life.boot()
        if op == "sleep":
            return life.sleep(asked)
        if op == "radio":
            return life.radio(asked)
        if op == "line" and self._line is not None:
            return self._line.reply(asked)
        return life.sense(asked["device"], asked)
