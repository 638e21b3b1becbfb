# SPDX-License-Identifier: MIT
"""docs/technician.md: its commands exist with their options, its steps and codes are the tool's."""

import re
import shlex
from pathlib import Path

import click
import pytest

from kahriz.cli import main
from kahriz_tools.provision import MAY_BE_LEFT_OUT
from kahriz_tools.talk import EXIT_CODES

PAGE = (Path(__file__).parents[2] / "docs" / "technician.md").read_text(encoding="utf-8")
BLOCKS = "\n".join(re.findall(r"```sh\n(.*?)```", PAGE, re.S)).replace("\\\n", " ")
COMMANDS = [line for line in BLOCKS.splitlines() if line.startswith("kahriz ")]


@pytest.mark.parametrize("line", COMMANDS)
def test_every_command_of_the_page_is_understood(line: str) -> None:
    arguments = shlex.split(line)[1:]
    group: click.Command = main
    context = click.Context(main)
    while isinstance(group, click.Group):
        name = arguments.pop(0)
        found = group.get_command(context, name)
        assert found is not None, f"there is no {name}"
        group = found
    known = {option for each in group.params for option in each.opts}
    said = {one.partition("=")[0] for one in arguments if one.startswith("--")}
    through = group.context_settings.get("ignore_unknown_options", False)
    assert through or said <= known | {"--help"}


def test_the_page_names_every_command_of_the_bench_but_the_developers() -> None:
    from kahriz_tools.cli import node

    for_developers = {"config", "flash", "image", "release"}
    for name in set(node.commands) - for_developers:
        assert f"kahriz node {name}" in PAGE


def test_what_may_be_left_out_and_the_exit_codes_are_the_tools() -> None:
    assert f"`--without {MAY_BE_LEFT_OUT[0]}` ({', '.join(MAY_BE_LEFT_OUT[1:])})" in PAGE
    told = {number for number, _ in re.findall(r"(\d+) ([a-z])", EXIT_CODES)}
    page = PAGE[PAGE.index("Exit codes of all") :]
    assert told <= {number for number, _ in re.findall(r"(\d+) ([a-z])", page)}
