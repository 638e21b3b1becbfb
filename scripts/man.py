# SPDX-License-Identifier: MIT
"""A man page a group of `kahriz`, made of what its commands say with --help."""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Iterator

import click

from kahriz.cli import GROUPS

# The others need a laptop's or an office's packages, which a gateway's Debian package lacks.
ON_A_GATEWAY = ("alarm", "doctor", "export", "gateway", "rating", "replay", "report", "site")


def pages(version: str) -> dict[str, str]:
    """File name -> roff."""
    return {f"kahriz-{name}.8": page(name, version) for name in ON_A_GATEWAY}


def page(group: str, version: str) -> str:
    """The page of one group."""
    where, short = GROUPS[group]
    module, _, attribute = where.partition(":")
    command = getattr(importlib.import_module(module), attribute)
    lines = [
        f'.TH KAHRIZ-{group.upper()} 8 "" "Kahriz Monitor {version}" "System administration"',
        ".SH NAME",
        f"kahriz-{group} \\- {escaped(short.rstrip('.'))}",
        ".SH SYNOPSIS",
        f".B kahriz {group}",
        f".RI [ {'command' if isinstance(command, click.Group) else 'options'} ]",
        ".SH DESCRIPTION",
        *words(command),
    ]
    if isinstance(command, click.Group):
        lines.append(".SH COMMANDS")
        for path, each in leaves(command, ()):
            lines += [f".SS {synopsis(each, path)}", *words(each), *options(each)]
    else:
        lines += [".SH OPTIONS", *options(command)]
    if command.epilog:
        lines += [".SH EXIT STATUS", *paragraphs(command.epilog)]
    return "\n".join([*lines, ".SH SEE ALSO", ".BR kahriz (8)", ""])


def leaves(
    group: click.Group, path: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """All commands below a group, in the order of their names."""
    context = click.Context(group)
    for name in sorted(group.list_commands(context)):  # some are imported only when asked for
        each = group.get_command(context, name)
        assert each is not None
        if isinstance(each, click.Group):
            yield from leaves(each, (*path, name))
        elif not each.hidden:
            yield (*path, name), each


def words(command: click.Command) -> list[str]:
    return paragraphs(inspect.cleandoc(command.help or ""))


def synopsis(command: click.Command, path: tuple[str, ...]) -> str:
    said = command.collect_usage_pieces(click.Context(command))
    return escaped(" ".join([*path, *(one for one in said if one != "[OPTIONS]")]))


def options(command: click.Command) -> list[str]:
    """Each option with its line of help; all have --help, which is told once."""
    context = click.Context(command)
    lines: list[str] = []
    for each in command.params:
        told = each.get_help_record(context)
        if told is not None:
            lines += [".TP", f".B {escaped(told[0])}", *paragraphs(told[1])]
    return lines


def paragraphs(text: str) -> list[str]:
    """Lines of roff; a paragraph that click keeps as it stands is kept so here."""
    lines: list[str] = []
    for number, part in enumerate(re.split(r"\n\s*\n", text.strip())):
        kept = part.startswith("\b")
        body = [escaped(line.strip()) for line in part.lstrip("\b\n").splitlines()]
        lines += [".PP"] if number else []
        lines += [".nf", *body, ".fi"] if kept else [" ".join(body)]
    return [line for line in lines if line]


def escaped(text: str) -> str:
    """Text that roff prints as it stands."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return re.sub(r"^([.'])", r"\\&\1", text)
