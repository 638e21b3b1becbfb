# SPDX-License-Identifier: MIT
"""`kahriz node pull` and `apply`: a board's configuration as node.toml, and back with a diff."""

import json
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import rich_click as click

from kahriz_tools import node_config
from kahriz_tools.errors import BenchError
from kahriz_tools.talk import EXIT_CODES, Talk, json_option, port_option

FILE = click.Path(path_type=Path, dir_okay=False)
Json = dict[str, Any]


@click.command(epilog=EXIT_CODES)
@port_option
@click.option(
    "--out", type=FILE, default=Path("node.toml"), show_default=True, help="The file to write."
)
@click.option("--force", is_flag=True, help="Overwrite a file that says something else.")
@json_option
def pull(port: str | None, out: Path, force: bool, as_json: bool) -> None:
    """The board's configuration into node.toml; its password stays on the board."""
    from kahriz_tools.board import Board
    from kahriz_tools.ports import find_port

    talk = Talk(as_json)
    with talk.mending():
        with Board(port or find_port()) as board:
            body = _on(board)
            board.restart()
        text = to_toml(node_config.masked(body))
        if out.exists() and out.read_text(encoding="utf-8") != text and not force:
            raise BenchError(
                f"{out} says something else", "look at it, then --force", node_config.CONFIG_CODE
            )
        out.write_text(text, encoding="utf-8")
        talk.say(f"{out}: {body['site']}/{body['node']}")
        talk.result({"ok": True, "file": str(out), "node": body["node"]})


@click.command(epilog=EXIT_CODES)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@port_option
@click.option("--dry-run", is_flag=True, help="The difference only.")
@json_option
def apply(file: Path, port: str | None, dry_run: bool, as_json: bool) -> None:
    """node.toml onto the board: checked as the chip does, the difference told, then written."""
    from kahriz_tools import flash
    from kahriz_tools.board import Board
    from kahriz_tools.ports import find_port

    talk = Talk(as_json)
    with talk.mending():
        try:
            body: Json = tomllib.loads(file.read_text(encoding="utf-8"))
        except (ValueError, OSError) as error:
            raise BenchError(f"{file}: {error}", "mend it", node_config.CONFIG_CODE) from error
        with Board(port or find_port()) as board:
            before = _on(board)
            if body.get("wifi", {}).get("password") == node_config.MASK:
                body["wifi"]["password"] = before["wifi"]["password"]
            for key in ("site", "node"):
                if body.get(key) != before[key]:
                    raise BenchError(
                        f"{key} is {body.get(key)!r}, the board is {before[key]!r}",
                        "another identity needs `kahriz node provision`",
                        node_config.CONFIG_CODE,
                    )
            node_config.check(body, before["node"])
            lines = list(difference(node_config.masked(before), node_config.masked(body)))
            for line in lines:
                click.echo(line, err=True)
            if lines and not dry_run:
                start = board.read("/boot.py")
                if start is None:
                    raise BenchError("the board has no program", "`kahriz node provision`", 6)
                data = node_config.encode(body)
                wanted = {node_config.PATH: data, "/boot.py": start}
                change = flash.Change((node_config.PATH,), (), 1, len(data))
                flash.perform(board, wanted, change, lambda _: None)
            board.restart()
        talk.say("nothing differs" if not lines else "not written" if dry_run else "written")
        talk.result({"ok": True, "differs": lines, "written": bool(lines) and not dry_run})


def _on(board: Any) -> Json:
    data = board.read(node_config.PATH)
    if data is None:
        raise BenchError(
            "the board has no configuration", "`kahriz node provision`", node_config.CONFIG_CODE
        )
    return node_config.parse(data, f"{node_config.PATH} on the board")


def difference(old: Json, new: Json, path: str = "") -> Iterator[str]:
    """One line for each key: - was, + becomes.

    >>> list(difference({"a": {"b": 1}, "c": 2}, {"a": {"b": 3}}))
    ['- a.b = 1', '+ a.b = 3', '- c = 2']
    """
    for key in sorted({*old, *new}):
        one, other, where = old.get(key), new.get(key), f"{path}{key}"
        if isinstance(one, dict) and isinstance(other, dict):
            yield from difference(one, other, f"{where}.")
        elif one != other:
            if key in old:
                yield f"- {where} = {json.dumps(one, ensure_ascii=False)}"
            if key in new:
                yield f"+ {where} = {json.dumps(other, ensure_ascii=False)}"


def to_toml(body: Json, path: str = "") -> str:
    """TOML of plain values and tables.

    >>> print(to_toml({"n": 1, "t": {"s": "x", "on": True}}))
    n = 1
    <BLANKLINE>
    [t]
    on = true
    s = "x"
    <BLANKLINE>
    """
    lines = []
    for key, value in sorted(body.items()):
        if not isinstance(value, dict):
            lines.append(f"{key} = {json.dumps(value, ensure_ascii=False)}\n")
    for key, value in sorted(body.items()):
        if isinstance(value, dict):
            inner = to_toml(value, f"{path}{key}.")
            lines.append(f"\n[{path}{key}]\n{inner}")
    return "".join(lines)
