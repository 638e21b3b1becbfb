# SPDX-License-Identifier: MIT
"""Whether a line of a page would be understood if it were typed, or the reason why not."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from functools import cache

import click

from kahriz.cli import main
from kahriz_tools.gateway_cli import CALIBRATE
from tests.words.markdown import ROOT

OURS = ("kahriz", ".venv/bin/kahriz")
PYTHON = ("python", ".venv/bin/python", "python3")
# Not run and not judged, with what they need that no test here has.
OF_THE_MACHINE = {
    "systemctl": "root and systemd", "journalctl": "systemd", "install": "root", "mv": "root",
    "apt-get": "root", "apt": "root", "dpkg": "root", "ip": "root", "modprobe": "root",
    "usermod": "root", "kahriz-return": "root, the package", "docker": "docker",
    "fuser": "a board", "ls": "a board", "curl": "a gateway at work", "df": "nothing",
    "cp": "nothing", "uv": "a network", "pip": "a network", "export": "a shell",
    "age": "the program age", "ssh": "two machines",
}  # fmt: skip
WHERE_FILES_ARE_OURS = ("install", "cp", "docker")  # the last word of the first two is a target
LEFT_OUT = re.compile(r"…|\.\.\.")
FOLDERS = ("deploy/", "gateway/deploy/", "server/", "scripts/", "tests/", "hardware/", "firmware/")


def lines(text: str) -> Iterator[str]:
    """The commands of a block; of a block with a prompt only what is typed behind it."""
    joined = re.sub(r"\\\n\s*", " ", text)
    prompted = re.findall(r"^\$ (.+)$", joined, re.M)
    for line in prompted or joined.splitlines():
        if line.strip() and not line.lstrip().startswith("#"):
            yield line.strip()


def simple(line: str) -> Iterator[list[str]]:
    """The words of each program that a line starts, without sudo and variables."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=";&|")
    lexer.whitespace_split = True
    words: list[str] = []
    for word in [*lexer, ";"]:
        if set(word) <= set(";&|"):
            while words and (words[0] == "sudo" or re.match(r"[A-Z_]+=", words[0])):
                words = words[1:]
            if words:
                yield words
            words = []
        else:
            words.append(word)


def wrong(line: str, whole: bool = True) -> str:
    """Why this line would not be understood; empty when it would.

    `whole`: it is to be typed as it stands; a mention in a text may leave out what is needed.
    """
    for words in simple(line):
        program, arguments = words[0], words[1:]
        if program in OURS:
            why = of_kahriz(arguments, whole)
        elif program == "make":
            why = of_make(arguments)
        elif program in PYTHON:
            why = of_python(arguments)
        elif program == ".venv/bin/pytest":
            why = of_paths(arguments)
        elif program in OF_THE_MACHINE:
            read = arguments if program == "docker" else arguments[:-1]
            why = of_paths(read) if program in WHERE_FILES_ARE_OURS else ""
        else:
            why = f"{program}: neither ours nor named as one of the machine's"
        if why:
            return why
    return ""


def of_kahriz(arguments: list[str], whole: bool) -> str:
    """Group, command, options, their number of values and the choices among them."""
    command: click.Command = main
    context = click.Context(main)
    arguments = list(arguments)
    if arguments[:2] == ["node", "calibrate"]:  # the gateway's command under another name
        arguments[:3] = ["gateway", CALIBRATE.get(arguments[2], arguments[2])]
    if arguments[:2] == ["node", "ota"]:
        arguments[0] = "gateway"
    while isinstance(command, click.Group) and arguments and arguments[0] != "--help":
        name = arguments.pop(0)
        if name.endswith(","):  # a list of its commands
            known = command.list_commands(context)
            missing = [n for n in (name, *arguments) if n.strip(",") not in known]
            return f"kahriz: there is no {missing[0]}" if missing else ""
        if LEFT_OUT.search(name):
            return ""
        found = command.get_command(context, name)
        if found is None:
            return f"kahriz: there is no {name}"
        command, context = found, click.Context(found, context, info_name=name)
    if "--help" in arguments or isinstance(command, click.Group):
        return "" if not arguments or arguments == ["--help"] else f"{command.name}: {arguments}"
    partly = any(LEFT_OUT.search(word) or word[:1] in "[<" for word in arguments)
    arguments = [word.strip("[]") for word in arguments if word not in ("…", "...")]
    context.ignore_unknown_options = command.ignore_unknown_options
    try:
        values, rest, _ = command.make_parser(context).parse_args(arguments)
        for each in command.params:
            given = values.get(each.name or "")
            if isinstance(each.type, (click.Choice, click.types.IntRange, click.types.FloatRange)):
                for value in given if isinstance(given, (list, tuple)) else [given]:
                    if isinstance(value, str) and not value.isupper():
                        each.type.convert(value, each, context)
            given = values.get(each.name or "")
            absent = given == () or not isinstance(given, (str, bool, int, list, tuple))
            if whole and not partly and each.required and absent:
                return f"{command.name}: {each.opts[0]} is missing"
    except click.UsageError as error:
        if not whole and "requires" in error.format_message():
            return ""  # told without its value
        return f"{command.name}: {error.format_message()}"
    through = command.allow_extra_args or command.ignore_unknown_options
    return f"{command.name}: {rest} would not be taken" if rest and not through else ""


@cache
def makefile() -> str:
    return (ROOT / "Makefile").read_text(encoding="utf-8")


@cache
def targets() -> dict[str, str]:
    """Target -> its recipe."""
    found = {}
    for names, recipe in re.findall(r"^([a-z][a-z /-]*):[^=\n]*\n((?:\t.*\n)*)", makefile(), re.M):
        found.update(dict.fromkeys(names.split(), recipe))
    return found


def of_make(arguments: list[str]) -> str:
    """Targets and variables; what ARGS hands on is judged as the program would."""
    for word in arguments:
        name, sign, value = word.partition("=")
        if not sign:
            if name not in targets() and not LEFT_OUT.search(name):
                return f"make: there is no {name}"
            continue
        if f"$({name})" not in makefile():
            return f"make: nothing reads {name}"
        target = next(each for each in arguments if "=" not in each)
        if name == "ARGS" and (why := handed_on(target, value.split())):
            return why
    return ""


def handed_on(target: str, words: list[str]) -> str:
    recipe = targets()[target]
    if "pytest" in recipe:
        return of_paths(words)
    if found := re.search(r"/kahriz ([a-z ]+)", recipe):
        return of_kahriz([*found[1].split(), *words], False)
    file = re.search(r"python (?:-m )?(\S+)", recipe)
    assert file is not None, target
    path = file[1].replace("$(@:campaign-%=%)", target.removeprefix("campaign-"))
    if not path.endswith(".py"):
        path = path.replace(".", "/") + ".py"
    return of_python([path, *words])


def of_python(arguments: list[str]) -> str:
    """A file of ours that knows the options."""
    if arguments[0] == "-m":
        module = arguments[1].replace(".", "/") + ".py"
        here = (ROOT, ROOT / "firmware", ROOT / "gateway")
        return "" if any((each / module).is_file() for each in here) else f"no module {module}"
    if arguments[0].startswith("../shared/"):
        return ""  # beside the checkout, as the text about it says
    path = ROOT / arguments[0]
    if not path.is_file():
        return f"no file {arguments[0]}"
    known = path.read_text(encoding="utf-8")
    options = [word.partition("=")[0] for word in arguments[1:] if word.startswith("--")]
    return next((f"{path.name} does not know {o}" for o in options if f'"{o}"' not in known), "")


def of_paths(words: list[str]) -> str:
    """Files that would be ours are there."""
    for word in words:
        if not word.startswith(FOLDERS) or LEFT_OUT.search(word):
            continue
        pattern = word.partition("::")[0].rstrip("*")
        places = [ROOT / pattern, ROOT / "gateway" / pattern]
        if not any(each.exists() or list(each.parent.glob(each.name + "*")) for each in places):
            return f"no file {word}"
    return ""
