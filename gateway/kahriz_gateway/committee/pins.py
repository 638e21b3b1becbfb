# SPDX-License-Identifier: MIT
"""PINs: six digits a person, kept as scrypt hashes; guessing gets slow and stays slow.

Whoever enters gives the role and the PIN, so that the open page needs no list of names. After five
wrong ones in a row from one address it waits a minute, then twice as long each time, up to an hour;
the whole page waits after fifty. The waits are in the store: a restart does not shorten them.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import sqlite3

DIGITS = 6
FREE = {"address": 5, "page": 50}
FIRST_WAIT_MS = 60_000
LONGEST_WAIT_MS = 3_600_000
COST = {"n": 2**14, "r": 8, "p": 1}  # scrypt, RFC 7914: 16 MiB a try
ALL = "*"


class PinError(Exception):
    """Why a PIN cannot be set, in words."""


class WaitError(Exception):
    """Too many wrong ones: try again at `until_ms`."""

    def __init__(self, until_ms: int) -> None:
        super().__init__(f"wait until {until_ms}")
        self.until_ms = until_ms


def set_pin(
    conn: sqlite3.Connection, person: str, role: str, now_ms: int, pin: str | None = None
) -> str:
    """Give a person a PIN, a random one unless given; sessions under the old one end."""
    if pin is not None and (len(pin) != DIGITS or not (pin.isascii() and pin.isdigit())):
        raise PinError(f"a PIN has {DIGITS} digits")
    if pin is not None and (len(set(pin)) < 3 or pin in "0123456789876543210"):
        raise PinError("a PIN that is not guessed first: three different digits, not in a row")
    others = [p for p in _of_role(conn, role) if p["person"] != person]
    while True:
        chosen = pin or f"{secrets.randbelow(10**DIGITS):0{DIGITS}d}"
        if not any(_matches(chosen, other["hash"]) for other in others):
            break
        if pin is not None:
            raise PinError("somebody of this role has that PIN: choose another")
    conn.execute(
        "INSERT INTO pin VALUES (?,?,?,?,1) ON CONFLICT (person) DO UPDATE SET role=excluded.role,"
        " hash=excluded.hash, set_at=excluded.set_at, generation=generation+1",
        (person, role, _hash(chosen), now_ms),
    )
    return chosen


def enter(conn: sqlite3.Connection, role: str, pin: str, address: str, now_ms: int) -> str | None:
    """The person whose PIN this is; None for a wrong one. Raises WaitError."""
    for place in (address, ALL):
        row = conn.execute("SELECT until FROM attempt WHERE place=?", (place,)).fetchone()
        if row is not None and row["until"] > now_ms:
            # a wait that a clock set back would make endless is cut to the longest one
            raise WaitError(min(row["until"], now_ms + LONGEST_WAIT_MS))
    found = [p["person"] for p in _of_role(conn, role) if _matches(pin, p["hash"])]
    if found:
        conn.execute("DELETE FROM attempt WHERE place IN (?,?)", (address, ALL))
        return str(found[0])
    for place, free in ((address, FREE["address"]), (ALL, FREE["page"])):
        _count(conn, place, free, now_ms)
    return None


def generation(conn: sqlite3.Connection, person: str) -> int | None:
    """Which PIN of a person this is; a session of an older one is over."""
    row = conn.execute("SELECT generation FROM pin WHERE person=?", (person,)).fetchone()
    return None if row is None else int(row["generation"])


def holders(conn: sqlite3.Connection) -> dict[str, str]:
    """Who has a PIN: person to role."""
    rows = conn.execute("SELECT person, role FROM pin ORDER BY person")
    return {row["person"]: row["role"] for row in rows}


def _count(conn: sqlite3.Connection, place: str, free: int, now_ms: int) -> None:
    row = conn.execute("SELECT failures FROM attempt WHERE place=?", (place,)).fetchone()
    failures = (row["failures"] if row else 0) + 1
    over = failures - free
    wait = 0 if over < 0 else min(FIRST_WAIT_MS * 2 ** min(over, 20), LONGEST_WAIT_MS)
    conn.execute(
        "INSERT INTO attempt VALUES (?,?,?) ON CONFLICT (place) DO UPDATE SET"
        " failures=excluded.failures, until=excluded.until",
        (place, failures, now_ms + wait),
    )


def _of_role(conn: sqlite3.Connection, role: str) -> list[sqlite3.Row]:
    return list(conn.execute("SELECT * FROM pin WHERE role=? ORDER BY person", (role,)))


def _hash(pin: str) -> str:
    salt = secrets.token_bytes(16)
    return f"{_text(salt)}${_text(_scrypt(pin, salt))}"


def _matches(pin: str, kept: str) -> bool:
    salt, _, digest = kept.partition("$")
    return hmac.compare_digest(_text(_scrypt(pin, base64.b64decode(salt))), digest)


def _scrypt(pin: str, salt: bytes) -> bytes:
    return hashlib.scrypt(pin.encode(), salt=salt, dklen=32, maxmem=2**26, **COST)


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
