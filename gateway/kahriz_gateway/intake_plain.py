# SPDX-License-Identifier: MIT
"""The quick look at an `up`: almost every message is a list of rows with the same keys, as our

nodes write them, from a node whose clock is right. Whatever is not so to the letter is left to
`kahriz_wire.decode_rows`, which judges it and has the words for it; for plain rows both say the
same (a test holds that).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from operator import lt
from typing import Annotated, Any

import msgspec

from kahriz_gateway.store import PlainRow
from kahriz_wire import fields
from kahriz_wire.checks import MS_MOST, N_MOST
from kahriz_wire.errors import WireError
from kahriz_wire.rows import KEYS_MOST, MARKS, ROWS_MOST, UP_MOST_BYTES
from kahriz_wire.words import NUMBER_MOST, word

LAYOUTS_MOST = 256  # a site has a dozen; a flood of new keys is looked at one by one
_QARTOD = frozenset(fields.QARTOD)
# The values of a row as our nodes write it, marks first: stored as they came, digit for digit.
_AS_WRITTEN = re.compile(r'\{"ts":\d+,"n":\d+,"q":\d(,[^{}]*)\}').findall
_KEYS = re.compile(r',"([^"]*)":').findall
_Number = Annotated[float, msgspec.Meta(ge=-NUMBER_MOST, le=NUMBER_MOST)]

_layouts: dict[tuple[str, ...], Callable[[bytes], list[Any]] | None] = {}


def plain_rows(payload: bytes, earliest_ms: int, latest_ms: int) -> list[PlainRow] | None:
    """All rows of an `up`, or None when one of them needs a closer look."""
    if len(payload) > UP_MOST_BYTES:
        return None
    try:
        texts = _AS_WRITTEN(payload.decode())
    except UnicodeDecodeError:
        return None
    if not 0 < len(texts) <= ROWS_MOST:
        return None
    keys = tuple(_KEYS(texts[0]))
    decode = _layout(keys)
    if decode is None or payload.count(b":") != len(texts) * (3 + len(keys)):
        return None  # the second: a key twice
    try:
        rows = decode(payload)
    except msgspec.DecodeError:
        return None
    if len(rows) != len(texts):
        return None
    numbers = [row.n for row in rows]
    times = [row.ts for row in rows]
    flags = [row.q for row in rows]
    rising = numbers[0] > 0 and all(map(lt, numbers, numbers[1:])) and numbers[-1] <= N_MOST
    timely = earliest_ms <= min(times) and max(times) <= min(latest_ms, MS_MOST)
    if not (rising and timely and _QARTOD.issuperset(flags)):
        return None
    return list(zip(numbers, times, flags, [f"{{{text[1:]}}}" for text in texts], strict=True))


def _layout(keys: tuple[str, ...]) -> Callable[[bytes], list[Any]] | None:
    """What reads rows of exactly these values; None when they need a closer look."""
    if keys in _layouts:
        return _layouts[keys]
    made = _make(keys)
    if len(_layouts) < LAYOUTS_MOST:
        _layouts[keys] = made
    return made


def _make(keys: tuple[str, ...]) -> Callable[[bytes], list[Any]] | None:
    if len(keys) + 3 > KEYS_MOST or len(set(keys)) < len(keys):
        return None
    if any(key in MARKS or key.endswith("_fault") for key in keys):
        return None
    try:
        for key in keys:
            word(key, "a key")
    except WireError:
        return None
    names = {f"value_{i}": key for i, key in enumerate(keys)}
    wanted = [("ts", int), ("n", int), ("q", int), *((name, _Number) for name in names)]
    row = msgspec.defstruct("Row", wanted, rename=names, forbid_unknown_fields=True, gc=False)
    return msgspec.json.Decoder(list[row]).decode  # type: ignore[valid-type]
