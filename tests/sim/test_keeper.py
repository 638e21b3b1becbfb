# SPDX-License-Identifier: MIT
"""What dies is started again, unless it was allowed to end."""

import sys
import threading
from pathlib import Path

from kahriz_sim.keeper import Keeper
from kahriz_sim.services import Child, ServiceError

PATIENCE_S = 300.0


def test_what_dies_is_started_again_and_told(tmp_path: Path) -> None:
    told = threading.Event()
    keeper = Keeper(on_restart=lambda name: told.set())
    child = Child(
        "sleeper", [sys.executable, "-c", "import time; time.sleep(600)"], tmp_path / "log"
    )
    child.start()
    keeper.watch("sleeper", child, child.start)
    first = child.pid
    child.kill9()
    assert told.wait(PATIENCE_S)
    keeper.rest()
    assert keeper.restarts == {"sleeper": 1}
    assert child.running
    assert child.pid != first
    keeper.stop()
    assert not child.running


def test_what_may_end_is_left_alone(tmp_path: Path) -> None:
    told: list[str] = []
    watched_dies = threading.Event()

    def on_restart(name: str) -> None:
        told.append(name)
        watched_dies.set()

    keeper = Keeper(on_restart=on_restart)
    brief = Child("brief", [sys.executable, "-c", "pass"], tmp_path / "brief")
    other = Child(
        "other", [sys.executable, "-c", "import time; time.sleep(600)"], tmp_path / "other"
    )
    for child in (brief, other):
        child.start()
        keeper.watch(child.what, child, child.start)
        keeper.let_end("brief")
    other.kill9()
    assert watched_dies.wait(PATIENCE_S)
    keeper.stop()
    assert told == ["other"]


def test_what_cannot_be_started_again_yet_is_told_and_tried_again(tmp_path: Path) -> None:
    told: list[str] = []
    running = threading.Event()
    keeper = Keeper(on_failure=told.append)
    brief = Child("brief", [sys.executable, "-c", "pass"], tmp_path / "brief")
    brief.start()

    def again() -> None:
        if not told:
            raise ServiceError("its port is taken")
        running.set()

    keeper.watch("brief", brief, again)
    assert running.wait(PATIENCE_S)
    keeper.stop()
    assert told == ["brief cannot be started again yet: its port is taken"]
