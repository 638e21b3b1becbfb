# SPDX-License-Identifier: MIT
"""Every command of every page would be understood: programs, groups, options, targets, files."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.words import commands
from tests.words.markdown import ROOT, Page, pages

STARTS = ("kahriz", ".venv/bin/kahriz", "make", "python", ".venv/bin/python", ".venv/bin/pytest",
          "sudo", "systemctl", "pip")  # fmt: skip
TYPED = {"sh", "indented", ""}
A_TABLE = re.compile(r"^\[+[\w.]+\]+|^[a-z_]+ = ")


def typed(page: Page) -> Iterator[str]:
    """The lines that a reader would type as they stand."""
    for block in page.blocks():
        first = block.text.lstrip().partition(" ")[0]
        bare = block.kind != "sh" and first not in {*STARTS, *commands.OF_THE_MACHINE, "$"}
        if block.kind in TYPED and not bare and not A_TABLE.match(block.text):
            yield from commands.lines(block.text)


def told(page: Page) -> Iterator[str]:
    """Commands named in the middle of a text."""
    for word in page.words():
        if word.split()[0] in STARTS and " " in word:
            yield word


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.name)
def test_every_command_of_the_page_would_be_understood(page: Page) -> None:
    found = [(line, why) for line in typed(page) if (why := commands.wrong(line))]
    found += [(line, why) for line in told(page) if (why := commands.wrong(line, whole=False))]
    assert found == []


def test_the_pages_hold_many_commands_and_none_was_overlooked() -> None:
    assert sum(1 for page in pages() for _ in typed(page)) > 80
    assert sum(1 for page in pages() for _ in told(page)) > 100
    words = {word for page in pages() for block in page.blocks() for word in block.text.split()}
    assert {"kahriz", ".venv/bin/kahriz", "make"} <= words


@pytest.mark.parametrize(
    "line",
    [
        "kahriz gateway ledgers --data data",
        "kahriz gateway ledger --folder data",
        "kahriz gateway ledger --data",
        "kahriz gateway restore --data data",
        "kahriz gateway restore one two --data data",
        "kahriz gateway quarantine pin set x",
        "kahriz node calibrate zero --where outlet --who x",
        "kahriz export totals --a fortnight --out x.csv",
        "kahriz alarm shelve 3 --hours never --who x --why y",
        "sudo kahriz gateway check --configuration site.toml && echo",
        "make tests",
        "make flash DOOR=/dev/ttyUSB0",
        "make test ARGS=tests/nodes",
        "make campaign-cuts ARGS='--knives 5'",
        "make run ARGS='--leak 3'",
        "make deb ARGS='--architecture arm64'",
        "python scripts/measure.py",
        ".venv/bin/python scripts/measure_store.py --weeks 2",
        ".venv/bin/pytest tests/no_such_folder",
        "install -m 644 deploy/systemd/kahrizd* /etc/systemd/system/",
        "format-everything now",
    ],
)
def test_a_wrong_command_is_found(line: str) -> None:
    assert commands.wrong(line) != ""


@pytest.mark.parametrize("program", sorted(commands.OF_THE_MACHINE))
def test_a_program_that_is_not_judged_says_what_it_needs_and_is_named_somewhere(
    program: str,
) -> None:
    assert commands.OF_THE_MACHINE[program]
    named = re.compile(rf"(^|[`\s;&|]){re.escape(program)}[`\s]", re.M)
    assert any(named.search(page.text) for page in pages()), "take it out of the list"


def test_make_help_tells_of_every_target_that_a_person_would_ask_for() -> None:
    told_by_help = set(re.findall(r"[a-z][a-z-]+", commands.targets()["help"]))
    for_others = {"help", "setup", "format", "messages", "dashboards", "clean"}
    assert set(commands.targets()) - for_others - {"build/typings"} <= told_by_help


def test_ci_runs_what_contributing_says() -> None:
    ci = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    contributing = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    for target in re.findall(r"^make (\w+)", ci, re.M):
        assert f"make {target}" in contributing
