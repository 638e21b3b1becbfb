# SPDX-License-Identifier: MIT
"""What 1.5 MB of flash hold, by a slice of it; the whole of it is filled by `make bench-node`."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MICROPYTHON = Path(sys.executable).parent / "micropython"
BLOCK_BYTES = 4096
ROWS_A_DAY = 288
RESERVE_BLOCKS = 10  # kahriz_node.room.FREE_BLOCKS_LEAST


@pytest.fixture(scope="module")
def slices() -> list[dict[str, int]]:
    """The flash at 100, 1,000, 5,000 and 20,000 rows."""
    command = [str(MICROPYTHON), "-X", "heapsize=8m", "tests/campaigns/on_flash.py"]
    done = subprocess.run(
        [*command, "firmware/lib", "tests/node", "20000"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def bytes_a_row(slices: list[dict[str, int]]) -> float:
    first, last = slices[0], slices[-1]
    blocks = first["free_blocks"] - last["free_blocks"]
    return blocks * BLOCK_BYTES / (last["rows"] - first["rows"])


def test_a_row_of_two_channels_takes_at_most_17_bytes_over_many_segments(
    slices: list[dict[str, int]],
) -> None:
    assert 15 < bytes_a_row(slices) <= 17  # a record is 16; whole blocks are counted


def test_the_flash_holds_300_days_of_five_minutes(slices: list[dict[str, int]]) -> None:
    room = (slices[0]["free_blocks"] - RESERVE_BLOCKS) * BLOCK_BYTES
    assert room / bytes_a_row(slices) / ROWS_A_DAY >= 300


@pytest.mark.parametrize("what", ["reads", "wake_reads"])
def test_opening_the_journal_and_a_wake_cost_as_little_with_20_000_rows_as_with_100(
    slices: list[dict[str, int]], what: str
) -> None:
    assert [one["rows"] for one in (slices[0], slices[-1])] == [100, 20_000]
    assert slices[-1][what] <= 2 * slices[0][what]
