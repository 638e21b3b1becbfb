# SPDX-License-Identifier: MIT
"""README and runbook name what there is."""

from __future__ import annotations

import re

import click

from kahriz_gateway.alarms.office import KIND as OFFICE
from kahriz_gateway.cli import gateway as command
from kahriz_gateway.metrics import HELP
from kahriz_gateway.village.upkeep import OURS

from .conftest import ROOT

README = (ROOT / "gateway" / "README.md").read_text(encoding="utf-8")
RUNBOOK = (ROOT / "gateway" / "RUNBOOK.md").read_text(encoding="utf-8")


def test_every_command_is_in_the_readme() -> None:
    names = command.list_commands(click.Context(command))
    missing = [name for name in names if not re.search(rf"`{name}\b|, `{name}", README)]
    assert missing == []


def test_every_alarm_of_the_gateway_has_its_paragraph() -> None:
    titles = [line for line in RUNBOOK.splitlines() if line.startswith("## ")]
    kinds = (*OURS, OFFICE)
    assert [kind for kind in kinds if not any(f"`{kind}`" in title for title in titles)] == []


def test_every_drill_named_in_the_runbook_is_there() -> None:
    for file, name in re.findall(r"`(test_\w+\.py)(?:::(\w+))?`", RUNBOOK):
        text = (ROOT / "tests" / "gateway" / file).read_text(encoding="utf-8")
        assert not name or f"def {name}(" in text, f"{file}::{name}"


def test_the_number_of_gauges_is_told_right() -> None:
    assert f"{len(HELP)} gauges" in README
