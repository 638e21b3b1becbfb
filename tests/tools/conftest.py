# SPDX-License-Identifier: MIT
"""A fresh fake board for each test that asks for one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tools.fake_board import FakeBoard


@pytest.fixture
def board(tmp_path: Path) -> Iterator[FakeBoard]:
    with FakeBoard(tmp_path / "flash.lfs") as found:
        yield found
