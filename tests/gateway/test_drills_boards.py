# SPDX-License-Identifier: MIT
"""Drills with whole boards: MicroPython and littlefs, a real broker, the real intake."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from kahriz_sim.services import Broker
from kahriz_tools.image import build_image
from tests.board.conftest import START_MS, Bench, MiniWorld

from .conftest import PATIENCE_S, SITE_TOML, Process
from .drill_node import counted
from .test_drills import Watching

pytestmark = pytest.mark.needs("mosquitto")
NODES = SITE_TOML.parent / "nodes"
MINUTE_MS = 60_000


class Board:
    """A board with its own flash; `live` gives it power for some wakes."""

    def __init__(self, folder: Path, port: int, clock_file: Path, node: str = "outlet") -> None:
        folder.mkdir()
        self.bench = Bench(folder)
        build_image(self.bench.image)
        config = json.loads((NODES / f"{node}.json").read_text())
        config["broker"] = {"host": "127.0.0.1", "port": port}
        self._ssid = config["wifi"]["ssid"]
        cable = folder / "config.json"
        cable.write_text(json.dumps(config))
        self.bench.more = ["--config", str(cable)]
        self._clock_file = clock_file

    def live(self, wakes: int, t_ms: int) -> int:
        """The wakes from a cold boot on, each a reading, the last ones uploaded; when it ends."""
        world: MiniWorld = self.bench.world(causes=["deepsleep"] * (wakes - 2) + ["button"])
        world.ssid, world.t_ms = self._ssid, t_ms
        with self._clock_file.open("r+b") as clock:  # in place: intake has it mapped
            clock.write(t_ms.to_bytes(8, "little"))
        done = subprocess.run(
            self.bench.command(world),
            capture_output=True, text=True, timeout=PATIENCE_S, check=False,
        )  # fmt: skip
        assert (done.returncode, done.stderr) == (0, ""), done
        return world.t_ms + MINUTE_MS


@pytest.fixture
def clock_file(tmp_path: Path) -> Path:
    path = tmp_path / "clock"
    path.write_bytes(START_MS.to_bytes(8, "little"))
    return path


@pytest.fixture
def make_board(
    tmp_path: Path, mosquitto: Broker, clock_file: Path
) -> Iterator[Callable[[str], Board]]:
    made: list[Board] = []

    def make(name: str) -> Board:
        made.append(Board(tmp_path / name, mosquitto.port, clock_file))
        return made[-1]

    yield make
    for board in made:
        board.bench.close()


def journals(intake: Process) -> list[tuple[Any, ...]]:
    return intake.query(
        "SELECT count(*), count(DISTINCT n), max(n) FROM reading WHERE node='outlet'"
        " GROUP BY journal ORDER BY min(rev)"
    )


def test_boards_fill_a_new_card_with_all_that_lies_in_their_flash(
    mosquitto: Broker, make_intake: Callable[..., Process], make_board: Callable[[str], Board]
) -> None:
    intake = make_intake(mosquitto.port)
    board = make_board("board")
    t_ms = board.live(8, START_MS)
    assert counted(intake) == [("outlet", 8, 8, 8)]
    (store,) = intake.query("SELECT value FROM meta WHERE key='store'")
    intake.kill9()
    shutil.rmtree(intake.data)
    intake.data.mkdir()
    intake.start()
    assert intake.query("SELECT value FROM meta WHERE key='store'") != [store]
    board.live(4, t_ms)
    assert counted(intake) == [("outlet", 12, 12, 12)]
    assert intake.query("SELECT count(*) FROM gap") == [(0,)]
    assert intake.query("SELECT count(*) FROM closed") == [(0,)]


def test_two_boards_with_one_name_lose_nothing_and_ring(
    mosquitto: Broker, make_intake: Callable[..., Process], make_board: Callable[[str], Board]
) -> None:
    intake = make_intake(mosquitto.port)
    old, new = make_board("old"), make_board("new")
    t_ms = START_MS
    for board in (old, new, old, new):
        t_ms = board.live(4, t_ms)
    assert journals(intake) == [(8, 8, 8), (8, 8, 8)]
    assert "twin" in {kind for (kind,) in intake.query("SELECT kind FROM notice")}
    village = Watching(intake.data)
    village.clock.ms = t_ms
    village.work()
    village.work()
    assert ("twin", "outlet") in village.open()
    village.close()


def test_a_wiped_board_begins_a_new_journal_and_a_person_is_told(
    mosquitto: Broker, make_intake: Callable[..., Process], make_board: Callable[[str], Board]
) -> None:
    intake = make_intake(mosquitto.port)
    board = make_board("board")
    t_ms = board.live(5, START_MS)
    board.bench.flash.unlink()
    board.live(4, t_ms)
    assert journals(intake) == [(5, 5, 5), (4, 4, 4)]
    assert "journal_replaced" in {kind for (kind,) in intake.query("SELECT kind FROM notice")}
