# SPDX-License-Identifier: MIT
"""Golden messages decode for ever, and to the same on both interpreters."""

import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DATA = ROOT / "tests" / "data" / "wire"
NAMES = sorted(path.stem for path in DATA.glob("*.json"))
INTERPRETERS = {
    "cpython": [sys.executable],
    "micropython": [str(Path(sys.executable).parent / "micropython"), "-X", "heapsize=128k"],
}


@cache
def decoded(interpreter: str) -> dict[str, str]:
    """What the interpreter makes of each message, by one run of golden.py."""
    program = [str(Path(__file__).parent / "golden.py"), str(ROOT / "firmware" / "lib"), str(DATA)]
    files = [f"{name}.json" for name in NAMES]
    command = [*INTERPRETERS[interpreter], *program, *files]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    lines = [line.partition(".json: ") for line in done.stdout.splitlines()]
    return {name: text for name, _, text in lines}


def test_there_are_golden_messages_of_each_kind() -> None:
    kinds = {"hello", "up", "receipt", "ack", "birth", "status"}
    assert {name.split(".")[0] for name in NAMES} == kinds


@pytest.mark.parametrize("interpreter", INTERPRETERS)
@pytest.mark.parametrize("name", NAMES)
def test_a_golden_message_decodes_as_ever(name: str, interpreter: str) -> None:
    expected = (DATA / f"{name}.expected").read_text().rstrip("\n")
    assert decoded(interpreter)[name] == expected
