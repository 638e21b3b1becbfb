# SPDX-License-Identifier: MIT
"""Rows: the readings of one journal as a JSON array of flat objects."""

import json

from kahriz_wire import checks, fields, words
from kahriz_wire.errors import WireError
from kahriz_wire.outgoing import UP_MOST_BYTES, row_text, up

__all__ = [
    "UP_MOST_BYTES",
    "Row",
    "Unreadable",
    "decode_rows",
    "encode",
    "encode_rows",
    "row_text",
]

ROWS_MOST = 256
KEYS_MOST = 40
GOOD_KEYS_MOST = 512  # a site has some dozens; a flood of new ones is looked at one by one
_good_keys: "set[str]" = set()
MARKS = ("ts", "n", "q", "tq", "up_s", "boot")  # all other keys of a row are values


class Row:
    """One reading. With its time unknown (tq "unk") `ts` is None and up_s and boot are given."""

    def __init__(
        self,
        n: int,
        q: int,
        values: "dict[str, float | str]",
        ts: "int | None" = None,
        tq: "str | None" = None,
        up_s: "int | None" = None,
        boot: "int | None" = None,
    ) -> None:
        self.n = n
        self.q = q
        self.values = values
        self.ts = ts
        self.tq = tq
        self.up_s = up_s
        self.boot = boot

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Row) and self._all() == other._all()

    def __hash__(self) -> int:
        return hash((self.n, self.ts))

    def __repr__(self) -> str:
        return "Row" + repr(self._all())

    def _all(self) -> "tuple[object, ...]":
        return (self.n, self.q, self.ts, self.tq, self.up_s, self.boot, self.values)


class Unreadable:
    """A row that breaks the contract: its number where it has one, why, and what it was."""

    def __init__(self, n: "int | None", why: str, raw: object) -> None:
        self.n = n
        self.why = why
        self.raw = raw


def encode(row: Row) -> str:
    """One row as JSON text; values keep the digits they have."""
    pairs = [(key, json.dumps(value)) for key, value in row.values.items()]
    return row_text(row.n, row.q, pairs, row.ts, row.tq, row.up_s, row.boot)


def encode_rows(rows: "list[Row]") -> bytes:
    """The payload of an `up`; WireError when it is over 4 kB."""
    return up([encode(row) for row in rows])


def decode_rows(payload: object) -> "tuple[list[Row], list[Unreadable]]":
    """Good rows and unreadable ones; WireError when the payload as a whole cannot be read."""
    good = []
    bad = []
    seen = set()
    for raw in checks.array(checks.load(payload, UP_MOST_BYTES, "up"), ROWS_MOST, "up"):
        n = None
        try:
            body = checks.table(raw, "row")
            n = checks.whole(checks.needed(body, "n", "row"), 1, checks.N_MOST, "row.n")
            row = _row(n, body)
            if n in seen:
                raise WireError(f"row {n}", "the same n twice in one message")
            seen.add(n)
            good.append(row)
        except WireError as error:
            bad.append(Unreadable(n, str(error), raw))
    return good, bad


def _row(n: int, body: "dict[str, object]") -> Row:
    what = f"row {n}"
    if len(body) > KEYS_MOST:
        raise WireError(what, f"at most {KEYS_MOST} keys")
    if _is_plain(body):  # all but a few rows: no words for a complaint are needed
        return Row(n, body["q"], _values(body, what), body["ts"])  # type: ignore[arg-type]
    q = checks.whole(body.get("q", 2), 1, 9, what + ".q")
    if q not in fields.QARTOD:
        raise WireError(what + ".q", "expected 1, 2, 3, 4 or 9")
    tq = body.get("tq")
    if tq not in (None, "est", "unk") or ("tq" in body and tq is None):
        raise WireError(what + ".tq", 'expected "est" or "unk", or no tq')
    ts = up_s = boot = None
    if tq == "unk":
        if "ts" in body:
            raise WireError(what + ".ts", "an unknown time has up_s and boot and no ts")
        up_s = checks.whole(checks.needed(body, "up_s", what), 0, checks.N_MOST, what + ".up_s")
        boot = checks.whole(checks.needed(body, "boot", what), 0, checks.N_MOST, what + ".boot")
    else:
        ts = checks.whole(checks.needed(body, "ts", what), 1, checks.MS_MOST, what + ".ts")
        up_s = checks.maybe_whole(body, "up_s", 0, checks.N_MOST, what)
        boot = checks.maybe_whole(body, "boot", 0, checks.N_MOST, what)
    return Row(n, q, _values(body, what), ts, None if tq is None else str(tq), up_s, boot)


def _is_plain(body: "dict[str, object]") -> bool:
    """A flag, a synced time, and nothing else beside the values."""
    ts = body.get("ts")
    q = body.get("q")
    return (
        type(ts) is int
        and 1 <= ts <= checks.MS_MOST
        and type(q) is int
        and q in fields.QARTOD
        and "tq" not in body
        and "up_s" not in body
        and "boot" not in body
    )


def _values(body: "dict[str, object]", what: str) -> "dict[str, float | str]":
    values: dict[str, float | str] = {}
    for key, value in body.items():
        if key in MARKS:
            continue
        if key not in _good_keys:
            words.word(key, what + ", a key")
            if len(_good_keys) < GOOD_KEYS_MOST:
                _good_keys.add(key)
        if type(value) is float and -1e15 <= value <= 1e15 and not key.endswith("_fault"):
            values[key] = value  # the ordinary case, without building words for a complaint
            continue
        where = what + "." + key
        if key.endswith("_fault"):
            values[key] = words.word(value, where)
        elif isinstance(value, str) and fields.split(key) is None:
            values[key] = words.text(value, 64, where)  # unknown keys are kept and shown
        else:
            values[key] = words.number(value, where)
    return values
