# SPDX-License-Identifier: MIT
"""The quick look at an `up`: almost every message is a list of rows with the same keys, as our

nodes write them, from a node whose clock is right. A pattern for each set of keys knows such rows
to the letter; whatever is otherwise is left to `kahriz_wire.decode_rows`, which judges it and has
the words for it. For plain rows both say the same (a test holds that).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from operator import lt

from kahriz_gateway.intake.store import PlainRow
from kahriz_wire import fields
from kahriz_wire.checks import MS_MOST, N_MOST
from kahriz_wire.errors import WireError
from kahriz_wire.rows import KEYS_MOST, MARKS, ROWS_MOST, UP_MOST_BYTES
from kahriz_wire.words import word

LAYOUTS_MOST = 256  # a site has a dozen; a flood of new keys is looked at one by one
_WHOLE = r"(?:0|[1-9]\d{0,14})"  # below the most that a number may be
_NUMBER = rf"-?{_WHOLE}(?:\.\d+)?"
_FLAG = "[" + "".join(map(str, fields.QARTOD)) + "]"
_ROW = r'[\[,]\{"ts":(%s),"n":(%s),"q":(%s),(%s)\}'
_AROUND = len(',{"ts":,"n":,"q":,}')  # what a row has beside what the pattern hands out
_KEYS = re.compile(r'[{,]"([^"]*)":').findall

Rows = list[tuple[str, str, str, str]]  # ts, n, q and the values, as they are written
_layouts: dict[tuple[str, ...], Callable[[str], Rows] | None] = {}


def plain_rows(payload: bytes, earliest_ms: int, latest_ms: int) -> list[PlainRow] | None:
    """All rows of an `up`, or None when one of them needs a closer look."""
    if len(payload) > UP_MOST_BYTES or not payload.isascii():
        return None
    text = payload.decode()
    find = _layout(tuple(_KEYS(text, 0, text.find("}") + 1)))
    rows = [] if find is None else find(text)
    if not 0 < len(rows) <= ROWS_MOST:
        return None
    times, numbers, flags, bodies = zip(*rows, strict=True)
    found = sum(len("".join(each)) for each in (times, numbers, flags, bodies))
    if found + _AROUND * len(rows) + 1 != len(text) or text.count("[") > 1 or text[-1] != "]":
        return None  # something stands between them or beside them
    times, numbers = tuple(map(int, times)), tuple(map(int, numbers))
    rising = numbers[0] > 0 and all(map(lt, numbers, numbers[1:])) and numbers[-1] <= N_MOST
    timely = earliest_ms <= min(times) and max(times) <= min(latest_ms, MS_MOST)
    if not (rising and timely):
        return None
    values = [f"{{{body}}}" for body in bodies]  # digit for digit
    return list(zip(numbers, times, map(int, flags), values, strict=True))


def _layout(keys: tuple[str, ...]) -> Callable[[str], Rows] | None:
    """What finds rows of exactly these keys; None when they need a closer look."""
    if keys in _layouts:
        return _layouts[keys]
    made = _make(keys)
    if len(_layouts) < LAYOUTS_MOST:
        _layouts[keys] = made
    return made


def _make(keys: tuple[str, ...]) -> Callable[[str], Rows] | None:
    values = keys[3:]
    if keys[:3] != ("ts", "n", "q") or not values or len(keys) > KEYS_MOST:
        return None
    if any(key in MARKS or key.endswith("_fault") for key in values):
        return None
    if len(set(values)) < len(values):
        return None
    try:
        for key in values:
            word(key, "a key")
    except WireError:
        return None
    pairs = ",".join(f'"{re.escape(key)}":{_NUMBER}' for key in values)
    return re.compile(_ROW % (_WHOLE, _WHOLE, _FLAG, pairs)).findall
