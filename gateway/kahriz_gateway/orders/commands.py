# SPDX-License-Identifier: MIT
"""Commands for nodes: kept until the node has answered, in every receipt until then.

A node does a command once and remembers its answer; the number is drawn by the store and never
given again. `n` in an answer is the reading that belongs to it.
"""

from __future__ import annotations

import json
import sqlite3
from dataclasses import asdict, dataclass
from typing import Any

from kahriz_wire.messages import Ack
from kahriz_wire.receipt import COMMANDS_MOST

_COLUMNS = "id, node, op, args, at, sent, answered, ok, why, n"
RESEND_MOST = 2000  # rows a command; the node has 8 s


class CommandError(Exception):
    """A command that no node would do: in words, with the mend."""


@dataclass(frozen=True, slots=True)
class Command:
    """One command and what came of it; `ok` is None while the node has not answered."""

    id: int
    node: str
    op: str
    args: dict[str, Any]
    at: int | None
    sent: int
    answered: int | None
    ok: bool | None
    why: str | None
    n: int | None

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    def in_words(self) -> str:
        args = "".join(f" {key}={value}" for key, value in self.args.items())
        if self.ok is None:
            state = f"waiting, told {self.sent} times" if self.sent else "waiting for its next word"
        else:
            state = "done" if self.ok else f"refused: {self.why}"
            state += f", reading {self.n}" if self.n is not None else ""
        return f"command {self.id} {self.node} {self.op}{args}: {state}"


# op -> names of its arguments with their least and most; what the command is for
OPS: dict[str, tuple[dict[str, tuple[int, int]], str]] = {
    "identify": ({"times": (1, 60)}, "blink green, to be found among others"),
    "sample": ({}, "measure again at once and upload"),
    "resend": ({"a": (1, 0xFFFFFFFF), "b": (1, 0xFFFFFFFF)}, "send these rows again"),
    "zero": ({}, "name the reading just taken as the zero; record it as a deployment"),
    "reboot": ({}, "start again"),
    "factory": ({}, "back to the program and settings put there by cable; readings stay"),
}


def check(op: str, args: dict[str, int]) -> None:
    """Refuse what a node would refuse."""
    if op not in OPS:
        raise CommandError(f"no command {op!r}: there are {', '.join(OPS)}")
    known = OPS[op][0]
    for key, value in args.items():
        if key not in known:
            raise CommandError(f"{op} takes {', '.join(known) or 'no arguments'}, not {key!r}")
        low, high = known[key]
        if not low <= value <= high:
            raise CommandError(f"{key} is {value}: expected {low} to {high}")
    if op == "resend":
        if set(args) != {"a", "b"}:
            raise CommandError("resend needs a=FIRST b=LAST")
        if not 0 <= args["b"] - args["a"] < RESEND_MOST:
            raise CommandError(f"resend takes 1 to {RESEND_MOST} rows at once, a first")


def put(conn: sqlite3.Connection, node: str, op: str, args: dict[str, int], at: int | None) -> int:
    """Queue a command; returns its id."""
    check(op, args)
    row = conn.execute(
        "INSERT INTO command(node, op, args, at) VALUES(?,?,?,?) RETURNING id",
        (node, op, json.dumps(args), at),
    ).fetchone()
    return int(row[0])


def cancel(conn: sqlite3.Connection, ident: int) -> bool:
    """Take a command back that the node has not answered; it may have done it unheard."""
    sql = "DELETE FROM command WHERE id=? AND answered IS NULL"
    return conn.execute(sql, (ident,)).rowcount > 0


def listed(conn: sqlite3.Connection, node: str | None = None) -> list[Command]:
    """All commands, or those of one node; none in a store from before there were commands."""
    if not conn.execute("SELECT 1 FROM sqlite_master WHERE name='command'").fetchone():
        return []
    rows = conn.execute(
        f"SELECT {_COLUMNS} FROM command WHERE ?1 IS NULL OR node=?1 ORDER BY id",  # noqa: S608
        (node,),
    )
    return [_command(row) for row in rows]


def waiting(conn: sqlite3.Connection, node: str) -> list[Command]:
    """What a node has not answered, oldest first, as many as a receipt takes."""
    rows = conn.execute(
        f"SELECT {_COLUMNS} FROM command WHERE node=? AND answered IS NULL"  # noqa: S608
        " ORDER BY id LIMIT ?",
        (node, COMMANDS_MOST),
    )
    return [_command(row) for row in rows]


def told(conn: sqlite3.Connection, node: str) -> None:
    """A session begins: its receipts carry what waits."""
    conn.execute(
        "UPDATE command SET sent=sent+1 WHERE id IN"
        " (SELECT id FROM command WHERE node=? AND answered IS NULL ORDER BY id LIMIT ?)",
        (node, COMMANDS_MOST),
    )


def answered(conn: sqlite3.Connection, node: str, ack: Ack, at: int | None) -> None:
    """Keep what the node says of its commands; the first answer counts."""
    for one in ack.cmd:
        ident, ok, why, n = (one.get(key) for key in ("id", "ok", "why", "n"))
        if not isinstance(ident, int) or isinstance(ident, bool) or ok not in (0, 1):
            continue
        conn.execute(
            "UPDATE command SET answered=coalesce(?, at, 0), ok=?, why=?, n=?"
            " WHERE id=? AND node=? AND answered IS NULL",
            (
                at,
                int(bool(ok)),
                why[:200] if isinstance(why, str) else None,
                n if isinstance(n, int) and not isinstance(n, bool) else None,
                ident,
                node,
            ),
        )


def _command(row: tuple[Any, ...]) -> Command:
    ident, node, op, args, at, sent, done, ok, why, n = row
    verdict = None if ok is None else bool(ok)
    return Command(ident, node, op, json.loads(args), at, sent, done, verdict, why, n)
