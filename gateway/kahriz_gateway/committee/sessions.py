# SPDX-License-Identifier: MIT
"""Who has entered: a signed cookie for twelve hours, and the mark that each form must carry.

The cookie holds person, role, PIN generation and end, signed with a key of this gateway; a new PIN
ends it. The mark of a form is made from the cookie, so that no other site can send a form in the
person's name.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import secrets
import sqlite3
from dataclasses import dataclass

from kahriz_gateway.committee import book, pins

COOKIE = "entered"
LONG_MS = 12 * 3_600_000


@dataclass(frozen=True, slots=True)
class Session:
    """A person who has entered; `mark` goes into every form."""

    person: str
    role: str
    mark: str


def begin(conn: sqlite3.Connection, person: str, role: str, now_ms: int) -> str:
    """The cookie of a new session."""
    generation = pins.generation(conn, person)
    body = f"{person}.{role}.{generation}.{now_ms + LONG_MS}.{secrets.token_hex(8)}"
    return f"{body}.{_sign(conn, body)}"


def read(conn: sqlite3.Connection, cookie: str | None, now_ms: int) -> Session | None:
    """The session of a cookie; None for none, a forged one, an old one, one of an older PIN."""
    body, _, signature = (cookie or "").rpartition(".")
    if not body or not hmac.compare_digest(signature.encode(), _sign(conn, body).encode()):
        return None
    person, role, generation, until, _ = body.split(".")
    if int(until) <= now_ms or int(until) > now_ms + LONG_MS:
        return None
    if pins.generation(conn, person) != int(generation):
        return None
    return Session(person, role, _sign(conn, f"form.{body}"))


def right_mark(session: Session, given: str) -> bool:
    """Whether a form was made by our page for this session."""
    return hmac.compare_digest(session.mark.encode(), given.encode())


def near(address: str | None, scheme: str) -> bool:
    """Whether a PIN may travel: over TLS, or plainly inside the village's own network."""
    if scheme == "https":
        return True
    try:
        found = ipaddress.ip_address(address or "")
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    return found.is_private or found.is_loopback or found.is_link_local


def _sign(conn: sqlite3.Connection, text: str) -> str:
    key = bytes.fromhex(book.meta(conn, "key", secrets.token_hex(32)))
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
