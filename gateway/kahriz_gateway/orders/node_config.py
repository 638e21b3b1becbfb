# SPDX-License-Identifier: MIT
"""What a node shall run with: revisions kept in the store, the newest is published for the node.

Wi-Fi and broker are left out unless asked for: the node keeps its own, and they do not travel.
The node checks every key itself before it uses any, and says in its hello what it refuses.
"""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from typing import Any

BODY_MOST_BYTES = 3800  # the node takes a configuration in one message of 4 kB
NETWORK = ("wifi", "broker")
NEEDED = ("site", "node", "dt_s", "batch", "channels")


class NodeConfigError(Exception):
    """A configuration that the node would refuse: in words, with the mend."""


@dataclass(frozen=True, slots=True)
class Runs:
    """What a node's newest hello says of its configuration and program."""

    cfg: int | None
    fw: str | None
    ota: int | None
    error: str | None


def parse(text: str, site: str, node: str, network: bool = False) -> dict[str, Any]:
    """The body to be stored; `network` lets Wi-Fi and broker in."""
    try:
        body = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise NodeConfigError(f"not JSON ({error})") from error
    if not isinstance(body, dict):
        raise NodeConfigError("expected an object {…} as in a node's config.json")
    for key in NEEDED:
        if key not in body:
            raise NodeConfigError(f"{key} is missing")
    for key, ours in (("site", site), ("node", node)):
        if body[key] != ours:
            raise NodeConfigError(f"{key} is {body[key]!r}: expected {ours!r}")
    if not isinstance(body["channels"], dict) or not body["channels"]:
        raise NodeConfigError("channels: expected at least one, as in a node's config.json")
    if not network:
        body = {key: value for key, value in body.items() if key not in NETWORK}
    return {**body, "v": 1, "rev": 0}


def put(conn: sqlite3.Connection, node: str, body: dict[str, Any], at: int | None) -> int:
    """Store a new revision, larger than all that the node or we have seen; returns it."""
    last = newest(conn, node)
    rev = max(last[0] if last else 0, runs(conn, node).cfg or 0) + 1
    text = json.dumps({**body, "rev": rev}, sort_keys=True, ensure_ascii=False)
    if len(text.encode()) > BODY_MOST_BYTES:
        raise NodeConfigError(f"{len(text.encode())} bytes: at most {BODY_MOST_BYTES}")
    conn.execute("INSERT INTO node_config VALUES(?,?,?,?)", (node, rev, at, text))
    return rev


def newest(conn: sqlite3.Connection, node: str) -> tuple[int, str] | None:
    """(rev, body) that the node shall run with."""
    row = conn.execute(
        "SELECT rev, body FROM node_config WHERE node=? ORDER BY rev DESC LIMIT 1", (node,)
    ).fetchone()
    return None if row is None else (int(row[0]), str(row[1]))


def runs(conn: sqlite3.Connection, node: str) -> Runs:
    """What the node's newest hello says."""
    row = conn.execute(
        "SELECT body FROM session WHERE node=? ORDER BY rowid DESC LIMIT 1", (node,)
    ).fetchone()
    hello = json.loads(row[0]) if row else {}
    return Runs(*(hello.get(key) for key in ("cfg", "fw", "ota", "error")))


def masked(body: dict[str, Any]) -> dict[str, Any]:
    """For the eyes of others: no password."""
    shown = dict(body)
    for section in NETWORK:
        part = shown.get(section)
        if isinstance(part, dict) and "password" in part:
            shown[section] = {**part, "password": "********"}
    return shown


def differences(old: dict[str, Any], new: dict[str, Any], path: str = "") -> list[str]:
    """One line for each key that differs: - was, + becomes."""
    lines = []
    for key in sorted({*old, *new}):
        where, one, other = f"{path}{key}", old.get(key), new.get(key)
        if isinstance(one, dict) and isinstance(other, dict):
            lines += differences(one, other, f"{where}.")
        elif one != other:
            lines += [f"- {where} = {json.dumps(one)}"] if key in old else []
            lines += [f"+ {where} = {json.dumps(other)}"] if key in new else []
    return lines


def in_words(conn: sqlite3.Connection, node: str) -> str:
    """What the node runs, and what it shall run."""
    now, wanted = runs(conn, node), newest(conn, node)
    text = f"{node} runs configuration {_or(now.cfg)}, program {_or(now.fw)}"
    if wanted is not None and wanted[0] != now.cfg:
        text += f"; it shall run configuration {wanted[0]}"
    return text + (f"; it says: {now.error}" if now.error else "")


def _or(value: object) -> str:
    return "unknown" if value is None else str(value)
