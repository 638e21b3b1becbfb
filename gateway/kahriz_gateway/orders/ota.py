# SPDX-License-Identifier: MIT
"""Programs for nodes: signed releases in the store, offered by receipt, sent piece by piece.

The gateway checks nothing but the head: the node alone holds the key and judges the signature.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from kahriz_wire import release
from kahriz_wire.errors import WireError

Piece = tuple[str, bytes]  # last words of the topic, payload


class OtaError(Exception):
    """A release that cannot be offered: in words, with the mend."""


@dataclass(frozen=True, slots=True)
class Release:
    """A program in the store."""

    number: int
    fw: str
    size_bytes: int


def read(data: bytes) -> Release:
    """Number, version and size of a release file; OtaError when it is none or not whole."""
    try:
        manifest_size, _ = release.head(data)
        begin = release.HEAD_BYTES + release.SIGNATURE_BYTES
        lines = data[begin : begin + manifest_size].decode().splitlines()
        number, _, fw = release.first_line(lines[0])
        files = [release.file_line(line) for line in lines[1:]]
        whole = release.total(data)
    except (WireError, UnicodeDecodeError, IndexError) as error:
        raise OtaError(f"no release of the node's program ({error})") from error
    if len(data) != whole or sum(size for _, size, _ in files) != release.head(data)[1]:
        raise OtaError(f"{len(data)} bytes instead of {whole}: copy the file again")
    return Release(number, fw, len(data))


def put(conn: sqlite3.Connection, data: bytes, at: int | None) -> Release:
    """Keep a release; the same number with other bytes is refused."""
    found = read(data)
    row = conn.execute("SELECT body FROM release WHERE number=?", (found.number,)).fetchone()
    if row is not None and bytes(row[0]) != data:
        raise OtaError(f"release {found.fw} is here with other bytes: raise its version")
    conn.execute(
        "INSERT OR IGNORE INTO release(number, fw, at, body) VALUES(?,?,?,?)",
        (found.number, found.fw, at, data),
    )
    return found


def offer(conn: sqlite3.Connection, node: str, number: int, at: int | None) -> None:
    """From its next receipt on the node is told of this release; said twice, the first counts."""
    conn.execute(
        "INSERT INTO offer(node, number, at) VALUES(?,?,?) ON CONFLICT(node) DO UPDATE"
        " SET number=excluded.number, at=excluded.at WHERE number<>excluded.number",
        (node, number, at),
    )


def withdraw(conn: sqlite3.Connection, node: str) -> bool:
    """Offer the node nothing."""
    return conn.execute("DELETE FROM offer WHERE node=?", (node,)).rowcount > 0


def offers(conn: sqlite3.Connection) -> list[tuple[str, int, str]]:
    """(node, number, version) of all that is offered."""
    return conn.execute(
        "SELECT node, number, fw FROM offer JOIN release USING(number) ORDER BY node"
    ).fetchall()


def offered(conn: sqlite3.Connection, node: str) -> int | None:
    """Number of the release that the node shall run."""
    row = conn.execute("SELECT number FROM offer WHERE node=?", (node,)).fetchone()
    return None if row is None else int(row[0])


def pieces(conn: sqlite3.Connection, node: str, number: int, offset: int) -> list[Piece]:
    """The next pieces from `offset` on; none of what the node is not offered."""
    if offered(conn, node) != number:
        return []
    row = conn.execute(
        "SELECT substr(body, ?, ?) FROM release WHERE number=?",
        (offset + 1, release.WINDOW * release.CHUNK_BYTES, number),
    ).fetchone()
    data = bytes(row[0]) if row else b""
    return [
        (f"ota/{number}/{offset + at}", data[at : at + release.CHUNK_BYTES])
        for at in range(0, len(data), release.CHUNK_BYTES)
    ]
