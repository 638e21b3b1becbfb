# SPDX-License-Identifier: MIT
"""Collects `check_*.py`: each test function in them is one item an interpreter, one process each.

The files run under MicroPython (the truth) and CPython; `on_chip_*.py` under MicroPython only.
"""

import ast
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from .nodes import HERE, INTERPRETERS, LIB, Node


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    if file_path.suffix == ".py" and file_path.name.startswith(("check_", "on_chip_")):
        return ChipFile.from_parent(parent, path=file_path)
    return None


class ChipFile(pytest.File):
    """A file of test functions that no pytest runs."""

    def collect(self) -> Iterator[pytest.Item]:
        tree = ast.parse(self.path.read_text())
        names = [one.name for one in tree.body if isinstance(one, ast.FunctionDef)]
        both = self.path.name.startswith("check_")
        for name in names:
            if not name.startswith("test_"):
                continue
            for interpreter in INTERPRETERS if both else ["micropython"]:
                yield ChipItem.from_parent(
                    self, name=f"{name}[{interpreter}]", called=name, interpreter=interpreter
                )


class ChipItem(pytest.Item):
    """One test function in a process of its own."""

    def __init__(self, *, called: str, interpreter: str, **rest: object) -> None:
        super().__init__(**rest)  # type: ignore[arg-type]
        self.called = called
        self.interpreter = interpreter

    def runtest(self) -> None:
        command = [*INTERPRETERS[self.interpreter], str(HERE / "runner.py"), str(LIB)]
        done = subprocess.run(
            [*command, str(self.path.parent), self.path.stem, self.called],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        if done.returncode or done.stdout.strip() != "passed":
            raise ChipError(done.stdout + done.stderr)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], *_: object) -> str:
        return str(excinfo.value)

    def reportinfo(self) -> tuple[Path, int, str]:
        return self.path, 0, self.name


class ChipError(Exception):
    """What the process printed."""


@pytest.fixture(params=list(INTERPRETERS))
def node(request: pytest.FixtureRequest) -> Iterator[Node]:
    node = Node(request.param)
    yield node
    node.close()
