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
    life: Life, node: str, flash: Path, image: Path, config: Path, more: list[str] | None = None
) -> str:
    """Run one board process until `life` says end; returns what it wrote to its error output."""
    with socket.create_server(("127.0.0.1", 0)) as ear:
        ear.settimeout(ATTACH_S)
        port = ear.getsockname()[1]
        command = [str(Path(sys.executable).parent / "micropython"), "-X", "heapsize=640k"]
        command += [str(RUN), "--world", f"127.0.0.1:{port}", "--node", node]
        command += ["--flash", str(flash), "--image", str(image), "--config", str(config)]
        board = subprocess.Popen([*command, *(more or [])], stderr=subprocess.PIPE, text=True)
        try:
            line, _ = ear.accept()
            with line:
                line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                _serve(line, life)
            _, said = board.communicate(timeout=ATTACH_S)
        except OSError as error:
            board.kill()
            _, said = board.communicate()
            raise ConfigError(f"the board of {node} is gone: {error}\n{said}") from error
        finally:
            if board.poll() is None:
                board.kill()
                board.wait()
    if board.returncode:
        raise ConfigError(f"the board of {node} ended with {board.returncode}\n{said}")
    return said


def _serve(line: socket.socket, life: Life) -> None:
    with line.makefile("rb") as stream:
        for raw in stream:
            asked = json.loads(raw)
            op = asked["op"]
            if op == "attach":
                reply = {"ok": True, "rtc_ppm": life.rtc_ppm, "wifi": {"ssid": life.ssid}}
            elif op == "boot":
                reply = life.boot()
            elif op == "sleep":
                reply = life.sleep(asked)
            elif op == "radio":
                reply = life.radio(asked)
            else:
                reply = life.sense(asked["device"], asked)
            line.sendall(json.dumps(reply, separators=(",", ":")).encode() + b"\n")
            if reply.get("cause") == "end":
                return
