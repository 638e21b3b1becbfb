# SPDX-License-Identifier: MIT
"""The quick look at an `up`: almost every message is a list of plain rows from a node whose clock

is right. Whatever is not plain to the letter is left to `kahriz_wire.decode_rows`, which judges it
and has the words for it; for plain rows both say the same (a test holds that).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import msgspec

from kahriz_wire import fields
from kahriz_wire.checks import MS_MOST, N_MOST
from kahriz_wire.errors import WireError
from kahriz_wire.rows import KEYS_MOST, MARKS, ROWS_MOST, UP_MOST_BYTES
from kahriz_wire.words import NUMBER_MOST, word

LAYOUTS_MOST = 256  # a site has a dozen; a flood of new keys is looked at one by one
_QARTOD = frozenset(fields.QARTOD)
_rows = msgspec.json.Decoder(list[dict[str, int | float]]).decode
# The values of a row as our nodes write it, marks first: stored as they came, digit for digit.
_AS_WRITTEN = re.compile(r'\{"ts":\d+,"n":\d+,"q":\d,([^{}]*)\}').findall

Plain = tuple[int, int, int, str]  # n, ts, q, the values as JSON


@dataclass(frozen=True, slots=True)
class _Layout:
    """Rows with the same keys in the same order; `form` makes their JSON from the values."""

    keys: tuple[str, ...]
    form: str


_layouts: dict[tuple[str, ...], _Layout | None] = {}


def plain_rows(payload: bytes, earliest_ms: int, latest_ms: int) -> list[Plain] | None:
    """All rows of an `up`, or None when one of them needs a closer look."""
    if len(payload) > UP_MOST_BYTES:
        return None
    try:
        rows = _rows(payload)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    if len(rows) > ROWS_MOST:
        return None
    as_written = _AS_WRITTEN(payload.decode())
    found: list[Plain] = []
    last = 0
    latest_ms = min(latest_ms, MS_MOST)
    for i, row in enumerate(rows):
        layout = _layout(tuple(row))
        if layout is None:
            return None
        ts, n, q = row["ts"], row["n"], row["q"]
        if type(ts) is not int or type(n) is not int or type(q) is not int or q not in _QARTOD:
            return None
        if not (last < n <= N_MOST and earliest_ms <= ts <= latest_ms):
            return None
        last = n
        values = [row[key] for key in layout.keys]
        if values and not (min(values) >= -NUMBER_MOST and max(values) <= NUMBER_MOST):
            return None
        if len(as_written) == len(rows) and as_written[i].count(":") == len(values):
            body = f"{{{as_written[i]}}}"
        else:
            body = layout.form % tuple(values)
        found.append((n, ts, q, body))
    return found


def _layout(keys: tuple[str, ...]) -> _Layout | None:
    if keys in _layouts:
        return _layouts[keys]
    made = _make(keys)
    if len(_layouts) < LAYOUTS_MOST:
        _layouts[keys] = made
    return made


def _make(keys: tuple[str, ...]) -> _Layout | None:
    if len(keys) > KEYS_MOST or not {"ts", "n", "q"}.issubset(keys):
        return None
    values = sorted(set(keys) - {"ts", "n", "q"})
    if any(key in MARKS or key.endswith("_fault") for key in values):
        return None
    try:
        for key in values:
            word(key, "a key")
    except WireError:
        return None
    return _Layout(tuple(values), "{" + ",".join([f'"{key}":%r' for key in values]) + "}")
