# SPDX-License-Identifier: MIT
"""Reading JSON that nobody vouches for: bounded, finite, of the expected types."""

import json

from kahriz_wire.errors import WireError

WORD_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789_-"
N_MOST = 0xFFFFFFFF  # reading numbers are 32 bit and start at 1
MS_MOST = 253402300799999  # the last millisecond of the year 9999
NUMBER_MOST = 10**15  # beyond this no double keeps 0.1 mm apart


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


def number(value: object, what: str) -> float:
    """A finite number of sane size."""
    if isinstance(value, int) and value is not True and value is not False:
        if -NUMBER_MOST <= value <= NUMBER_MOST:
            return value
    elif isinstance(value, float) and value - value == 0 and abs(value) <= 1e15:
        return value
    raise WireError(what, "expected a finite number; a missing value is left out")


def text(value: object, longest: int, what: str) -> str:
    """Printable text of bounded length, no lone surrogates."""
    if isinstance(value, str) and 0 < len(value) <= longest:
        codes = [ord(c) for c in value]
        if all(c >= 32 and c != 127 and not 0xD800 <= c <= 0xDFFF for c in codes):
            return value
    raise WireError(what, f"expected printable text of at most {longest} letters")


def word(value: object, what: str) -> str:
    """A fault word or a row key: a-z, 0-9, _ and -, at most 48."""
    if isinstance(value, str) and 0 < len(value) <= 48 and all(c in WORD_LETTERS for c in value):
        return value
    raise WireError(what, "expected a word of a-z, 0-9, _ and -, at most 48 letters")


def maybe_whole(body: dict[str, object], key: str, low: int, high: int, what: str) -> int | None:
    """An integer that may be absent."""
    if key not in body:
        return None
    return whole(body[key], low, high, what + "." + key)


def maybe_number(body: dict[str, object], key: str, what: str) -> float | None:
    """A number that may be absent."""
    if key not in body:
        return None
    return number(body[key], what + "." + key)


def maybe_text(body: dict[str, object], key: str, longest: int, what: str) -> str | None:
    """Text that may be absent."""
    if key not in body:
        return None
    return text(body[key], longest, what + "." + key)


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


def dump(pairs: list[tuple[str, object]]) -> str:
    """A JSON object in the given order, without what is None (MicroPython forgets dict order)."""
    parts = []
    for key, value in pairs:
        if value is not None:
            parts.append(json.dumps(key) + ":" + json.dumps(value))
    return "{" + ",".join(parts) + "}"
