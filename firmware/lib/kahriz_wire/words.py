# SPDX-License-Identifier: MIT
"""Checks of numbers, texts and words; a node needs them for its configuration only."""

from kahriz_wire import WireError

WORD_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789_-"
NUMBER_MOST = 10**15  # beyond this no double keeps 0.1 mm apart


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
    if isinstance(value, str) and 0 < len(value) <= 48 and not value.strip(WORD_LETTERS):
        return value
    raise WireError(what, "expected a word of a-z, 0-9, _ and -, at most 48 letters")


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
