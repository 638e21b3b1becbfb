# SPDX-License-Identifier: MIT
"""What every command of `kahriz` says of itself with --help."""

from __future__ import annotations

from collections.abc import Iterator

import click
import pytest

from kahriz.cli import GROUPS, main

OTHERWISE = ("else", "without it", "if not")  # what holds where the option is left out


def commands(command: click.Command, name: str) -> Iterator[tuple[str, click.Command]]:
    """The command and all below it."""
    yield name, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for each in command.list_commands(context):
            below = command.get_command(context, each)
            assert below is not None
            yield from commands(below, f"{name} {each}")


def lacks(option: click.Option) -> str | None:
    """What its line does not say."""
    words = (option.help or "").split()
    if len(words) < 2:
        return "what it is for"
    default = option.to_info_dict()["default"]
    chosen = default not in (None, "", ()) and not option.is_flag and not option.multiple
    if chosen and not option.show_default and not any(w in (option.help or "") for w in OTHERWISE):
        return f"that it is {default} where nothing is said"
    return None


@pytest.mark.parametrize("group", sorted(GROUPS))
def test_every_option_says_what_it_is_for_and_what_holds_without_it(group: str) -> None:
    command = main.get_command(click.Context(main), group)
    assert command is not None
    silent = [name for name, each in commands(command, f"kahriz {group}") if not each.help]
    assert silent == []
    missing = [
        f"{name} {option.opts[0]} does not say {lack}"
        for name, each in commands(command, f"kahriz {group}")
        for option in each.params
        if isinstance(option, click.Option) and (lack := lacks(option)) is not None
    ]
    assert missing == []


@pytest.mark.parametrize(
    ("option", "said"),
    [
        (click.Option(["--x"]), "what it is for"),
        (click.Option(["--x"], help="s"), "what it is for"),
        (click.Option(["--x"], default=7, help="Days before."), "that it is 7"),
        (click.Option(["--x"], default=7, help="Days before; else a week."), None),
        (click.Option(["--x"], default=7, show_default=True, help="Days before."), None),
        (click.Option(["--x"], is_flag=True, help="Say more."), None),
    ],
)
def test_a_line_that_lacks_something_is_found(option: click.Option, said: str | None) -> None:
    assert str(lacks(option)).startswith(str(said))
