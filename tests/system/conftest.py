# SPDX-License-Identifier: MIT
"""Runs the demo as a user does: the command, its last line, what it leaves behind."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from kahriz_sim.services import free_port

SPEED = 1200  # simulated seconds in one of ours: six hours in 18 seconds
MAY = "2026-05-04T06:00"  # the same water whenever the tests run


def children_of(pid: int) -> list[int]:
    """Every process below `pid`, from /proc."""
    born: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with contextlib.suppress(OSError, ValueError, IndexError):
            parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            born.setdefault(parent, []).append(int(entry.name))
    found = [pid]
    for each in found:
        found += born.get(each, [])
    return found[1:]


def command_of(pid: int) -> str:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    return ""


@dataclass
class Demo:
    """A demo under way."""

    process: subprocess.Popen[str]
    data: Path
    page: str

    def child(self, *words: str) -> int:
        """The pid of the one program whose command line has all these words."""
        for pid in children_of(self.process.pid):
            line = command_of(pid)
            if all(word in line for word in words):
                return pid
        raise AssertionError(f"no program with {words} below the demo")

    def kill9(self, *words: str) -> None:
        os.kill(self.child(*words), signal.SIGKILL)

    def wait_for(
        self, what: Callable[[], bool], timeout_s: float = 600, every_s: float = 0.2
    ) -> None:
        end = time.monotonic() + timeout_s
        while not what():
            assert self.process.poll() is None, f"the demo ended: {self.errors()}"
            assert time.monotonic() < end, f"waited {timeout_s} s in vain: {self.errors()}"
            time.sleep(every_s)

    def errors(self) -> str:
        return (self.data.parent / "stderr.txt").read_text()[-2000:]

    def result(self) -> dict[str, Any]:
        """The last line, once the demo has ended by itself."""
        out, _ = self.process.communicate(timeout=1200)
        assert self.process.returncode == 0, self.errors()
        found: dict[str, Any] = json.loads(out.strip().splitlines()[-1])
        print(json.dumps(found))
        return found


@pytest.fixture
def start_demo(tmp_path: Path) -> Iterator[Callable[..., Demo]]:
    """Start `kahriz demo` with these arguments; whatever still runs at the end is ended."""
    running: list[Demo] = []

    def start(*arguments: str) -> Demo:
        page = f"127.0.0.1:{free_port()}"
        data = tmp_path / "data"
        command = [sys.executable, "-m", "kahriz", "demo", "--no-browser", "--json"]
        command += ["--page", page, "--data", str(data)]
        for option, usual in (("--speed", str(SPEED)), ("--begins", MAY)):
            command += [] if option in arguments else [option, usual]
        command += arguments
        with (tmp_path / "stderr.txt").open("a") as errors:
            process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True)
        running.append(Demo(process, data, page))
        return running[-1]

    yield start
    for demo in running:
        if demo.process.poll() is None:
            demo.process.send_signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                demo.process.wait(60)
            if demo.process.poll() is None:
                demo.process.kill()
                demo.process.wait()
