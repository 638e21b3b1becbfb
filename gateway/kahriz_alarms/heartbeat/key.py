# SPDX-License-Identifier: MIT
"""A gateway's own key for its heartbeat (Ed25519, RFC 8032): the one door to `cryptography` here.

The server knows the public half only: who steals its disk can speak for nobody.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (
        Ed25519PrivateKey,
        Ed25519PublicKey,
    )

PURPOSE = b"kahriz heartbeat v1\n"  # what is signed here is good for nothing else
SORT = "ed25519"
_SEED, _PUBLIC, _SIGNED = 32, 32, 64


class KeyFormatError(Exception):
    """A key that cannot be read: in words."""


def public(seed: str) -> str:
    """The half that the server is given: `ed25519:` and 43 letters."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    raw = _private(seed).public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return f"{SORT}:{base64.urlsafe_b64encode(raw).decode().rstrip('=')}"


def sign(seed: str, body: bytes) -> str:
    """The header that goes with a body."""
    return f"{SORT}={base64.b64encode(_private(seed).sign(PURPOSE + body)).decode()}"


def check_public(text: str) -> str:
    """The same text, known to be a public key; KeyFormatError when it is none."""
    _public(text)
    return text


def verify(text: str, header: str, body: bytes) -> bool:
    """Whether the owner of this public key has signed that body."""
    from cryptography.exceptions import InvalidSignature

    sort, _, signed = header.partition("=")
    try:
        raw = base64.b64decode(signed, validate=True)
    except (binascii.Error, ValueError):
        return False
    if sort != SORT or len(raw) != _SIGNED:
        return False
    try:
        _public(text).verify(raw, PURPOSE + body)
    except InvalidSignature:
        return False
    return True


def fingerprint(text: str) -> str:
    """Short enough to be read out by telephone."""
    digest = hashlib.sha256(text.encode()).hexdigest()
    return "-".join(digest[i : i + 4] for i in range(0, 16, 4))


def _private(seed: str) -> Ed25519PrivateKey:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return Ed25519PrivateKey.from_private_bytes(_raw(seed, _SEED, "a heartbeat key"))


def _public(text: str) -> Ed25519PublicKey:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    sort, _, given = text.partition(":")
    if sort != SORT:
        raise KeyFormatError(f"a key begins with {SORT}: ; the village's log shows it")
    return Ed25519PublicKey.from_public_bytes(_raw(given, _PUBLIC, "a public key"))


def _raw(text: str, size: int, what: str) -> bytes:
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise KeyFormatError(f"this is not {what}: {error}") from error
    if len(raw) != size:
        raise KeyFormatError(f"this is not {what}: {len(raw)} bytes instead of {size}")
    return raw
