# SPDX-License-Identifier: MIT
"""A fresh fake board for each test that asks for one; a site with one proven node for all."""

import os
import subprocess
import time
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import pytest

from kahriz_tools import esptool, flash, neighbours
from tests.tools.bench_board import BenchBoard
from tests.tools.commission import Commission, told
from tests.tools.fake_board import FakeBoard
from tests.tools.warm_start import Warm


@pytest.fixture
def board(tmp_path: Path) -> Iterator[FakeBoard]:
    with FakeBoard(tmp_path / "flash.lfs") as found:
        yield found


@pytest.fixture(scope="session")
def field(compiled_once: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Commission]:
    found = Commission(tmp_path_factory.mktemp("site"))
    found.start_intake()
    yield found
    found.close()


@pytest.fixture(scope="session", autouse=True)
def one_day() -> Iterator[None]:
    """A program carries the day it was made: here one day, also when these tests see midnight."""
    with pytest.MonkeyPatch.context() as environment:
        if "SOURCE_DATE_EPOCH" not in os.environ:
            environment.setenv("SOURCE_DATE_EPOCH", str(int(time.time())))
        yield


@pytest.fixture(scope="session", autouse=True)
def compiled_once() -> Iterator[None]:
    """The program is the same in every run."""
    make, kept = flash.program, dict[tuple[str, ...], dict[str, bytes]]()

    def program(drivers: Collection[str]) -> dict[str, bytes]:
        if tuple(drivers) not in kept:
            kept[tuple(drivers)] = make(drivers)
        return dict(kept[tuple(drivers)])

    flash.program = program
    yield
    flash.program = make


@pytest.fixture(scope="session", autouse=True)
def warm_start() -> Iterator[None]:
    """esptool and our own commands start from a process that has imported them."""
    warm = Warm()
    places = (esptool, neighbours)
    for each in places:
        vars(each)["subprocess"] = warm
    yield
    for each in places:
        vars(each)["subprocess"] = subprocess
    warm.close()


@pytest.fixture(scope="session")
def first(field: Commission) -> tuple[dict[str, Any], str]:
    """The first run of all, from a bare board; what it told, and said."""
    with field.board() as board:
        result = field.provision(board.port, "--who", "R. Quliyev", "--place", "tut ağacı")
    assert result.exit_code == 0, result.output
    return told(result), result.stderr


@pytest.fixture
def proven(field: Commission, first: object) -> Iterator[BenchBoard]:
    with field.board() as board:
        yield board
