# SPDX-License-Identifier: MIT
"""Reading JSON that nobody vouches for: bounded, of the expected types."""

import json

from kahriz_wire import WireError

N_MOST = 0xFFFFFFFF  # reading numbers are 32 bit and start at 1
MS_MOST = 253402300799999  # the last millisecond of the year 9999


def load(payload: object, most_bytes: int, what: str) -> object:
    """The JSON value of a payload, or WireError."""
    if isinstance(payload, (bytearray, memoryview)):
        payload = bytes(payload)
    if not isinstance(payload, bytes):
        raise WireError(what, "expected bytes")
    if len(payload) > most_bytes:
        raise WireError(what, f"{len(payload)} bytes, at most {most_bytes}; split it")
    try:
        value: object = json.loads(payload.decode())
    except (ValueError, RuntimeError, MemoryError):  # RuntimeError: nested too deep
        raise WireError(what, "expected JSON in UTF-8, nested a few levels") from None
    return value


def table(value: object, what: str) -> dict[str, object]:
    """A JSON object."""
    if not isinstance(value, dict):
        raise WireError(what, "expected an object {…}")
    return value


def array(value: object, most: int, what: str) -> list[object]:
    """A JSON array of bounded length."""
    if not isinstance(value, list):
        raise WireError(what, "expected an array […]")
    if len(value) > most:
        raise WireError(what, f"at most {most} entries")
    return value


def whole(value: object, low: int, high: int, what: str) -> int:
    """An integer in a range; true and false are none."""
    if isinstance(value, int) and value is not True and value is not False and low <= value <= high:
        return value
    raise WireError(what, f"expected a whole number from {low} to {high}")


def maybe_whole(body: dict[str, object], key: str, low: int, high: int, what: str) -> int | None:
    """An integer that may be absent."""
    if key not in body:
        return None
    return whole(body[key], low, high, what + "." + key)


def needed(body: dict[str, object], key: str, what: str) -> object:
    """A key that must be there."""
    if key not in body:
        raise WireError(what + "." + key, "is missing")
    return body[key]


def span(value: object, what: str) -> list[int]:
    """An inclusive range [a, b] of reading numbers."""
    pair = array(value, 2, what)
    if len(pair) != 2:
        raise WireError(what, "expected [a, b]")
    a = whole(pair[0], 1, N_MOST, what)
    b = whole(pair[1], 1, N_MOST, what)
    if a > b:
        raise WireError(what, "expected a <= b")
    return [a, b]


def hex8(value: object, what: str) -> str:
    """A drawn id (journal, session, store): 8 hexadecimal digits."""
    if isinstance(value, str) and len(value) == 8 and not value.strip("0123456789abcdef"):
        return value
    raise WireError(what, "expected 8 hexadecimal digits, small letters")
