# SPDX-License-Identifier: MIT
"""The three messages of a session: hello (how I am), receipt (what I hold), ack (what I lost)."""

from kahriz_wire import checks, topics
from kahriz_wire.errors import WireError

MOST_BYTES = 4096
MISSING_MOST = 16
GONE_MOST = 64
COMMANDS_MOST = 8


class Hello:
    """First in every session. `first` is the oldest n still held, `next` the n not yet given."""

    def __init__(self, s: str, journal: str, first: int, next: int) -> None:
        self.s = s
        self.journal = journal
        self.first = first
        self.next = next
        self.birth: int | None = None
        self.up_s: int | None = None
        self.boot: int | None = None
        self.reset: str | None = None
        self.heap: int | None = None
        self.battery_v: float | None = None
        self.rssi_dbm: int | None = None
        self.error: str | None = None
        self.cfg: int | None = None


def encode_hello(hello: Hello) -> bytes:
    """A hello as bytes."""
    return checks.dump(
        [
            ("s", hello.s),
            ("journal", hello.journal),
            ("first", hello.first),
            ("next", hello.next),
            ("birth", hello.birth),
            ("up_s", hello.up_s),
            ("boot", hello.boot),
            ("reset", hello.reset),
            ("heap", hello.heap),
            ("battery_v", hello.battery_v),
            ("rssi_dbm", hello.rssi_dbm),
            ("error", hello.error),
            ("cfg", hello.cfg),
        ]
    ).encode()


def decode_hello(payload: object) -> Hello:
    """A hello, its required parts checked; an empty journal has next == first."""
    body = checks.table(checks.load(payload, MOST_BYTES, "hello"), "hello")
    s, journal = _who(body, "hello")
    first = checks.whole(checks.needed(body, "first", "hello"), 1, checks.N_MOST, "hello.first")
    following = checks.whole(checks.needed(body, "next", "hello"), 1, checks.N_MOST, "hello.next")
    if first > following:
        raise WireError("hello", "expected first <= next")
    hello = Hello(s, journal, first, following)
    hello.birth = checks.maybe_whole(body, "birth", 0, checks.N_MOST, "hello")
    hello.up_s = checks.maybe_whole(body, "up_s", 0, checks.N_MOST, "hello")
    hello.boot = checks.maybe_whole(body, "boot", 0, checks.N_MOST, "hello")
    hello.reset = checks.maybe_text(body, "reset", 32, "hello")
    hello.heap = checks.maybe_whole(body, "heap", 0, checks.N_MOST, "hello")
    hello.battery_v = checks.maybe_number(body, "battery_v", "hello")
    hello.rssi_dbm = checks.maybe_whole(body, "rssi_dbm", -200, 50, "hello")
    hello.error = checks.maybe_text(body, "error", 200, "hello")
    hello.cfg = checks.maybe_whole(body, "cfg", 0, checks.N_MOST, "hello")
    return hello


class Receipt:
    """The gateway's word: all from 1 to `upto` is stored or closed, but for `missing`."""

    def __init__(
        self, s: str, journal: str, store: str, upto: int, missing: "list[list[int]]"
    ) -> None:
        self.s = s
        self.journal = journal
        self.store = store
        self.upto = upto
        self.missing = missing
        self.max_rows: int | None = None
        self.now: int | None = None
        self.cfg: int | None = None
        self.birth = False
        self.cmd: list[dict[str, object]] = []


def encode_receipt(receipt: Receipt) -> bytes:
    """A receipt as bytes."""
    return checks.dump(
        [
            ("s", receipt.s),
            ("journal", receipt.journal),
            ("store", receipt.store),
            ("upto", receipt.upto),
            ("missing", receipt.missing),
            ("max_rows", receipt.max_rows),
            ("now", receipt.now),
            ("cfg", receipt.cfg),
            ("birth", 1 if receipt.birth else None),
            ("cmd", receipt.cmd if receipt.cmd else None),
        ]
    ).encode()


def decode_receipt(payload: object) -> Receipt:
    """A receipt; unknown keys are ignored."""
    body = checks.table(checks.load(payload, MOST_BYTES, "receipt"), "receipt")
    s, journal = _who(body, "receipt")
    store = topics.check_hex(checks.needed(body, "store", "receipt"), "receipt.store")
    upto = checks.whole(checks.needed(body, "upto", "receipt"), 0, checks.N_MOST, "receipt.upto")
    spans = checks.array(body.get("missing", []), MISSING_MOST, "receipt.missing")
    missing = [checks.span(one, "receipt.missing") for one in spans]
    receipt = Receipt(s, journal, store, upto, missing)
    receipt.max_rows = checks.maybe_whole(body, "max_rows", 0, checks.N_MOST, "receipt")
    receipt.now = checks.maybe_whole(body, "now", 1, checks.MS_MOST, "receipt")
    receipt.cfg = checks.maybe_whole(body, "cfg", 0, checks.N_MOST, "receipt")
    receipt.birth = checks.maybe_whole(body, "birth", 0, 1, "receipt") == 1
    for one in checks.array(body.get("cmd", []), COMMANDS_MOST, "receipt.cmd"):
        receipt.cmd.append(checks.table(one, "receipt.cmd"))
    return receipt


class Ack:
    """The node's answer: `gone` are [a, b, reason] it cannot serve, `cmd` the commands' results."""

    def __init__(
        self,
        s: str,
        journal: str,
        gone: "list[tuple[int, int, str]]",
        cmd: "list[dict[str, object]]",
    ) -> None:
        self.s = s
        self.journal = journal
        self.gone = gone
        self.cmd = cmd


def encode_ack(ack: Ack) -> bytes:
    """An ack as bytes."""
    gone = [list(one) for one in ack.gone]
    return checks.dump(
        [
            ("s", ack.s),
            ("journal", ack.journal),
            ("gone", gone if gone else None),
            ("cmd", ack.cmd if ack.cmd else None),
        ]
    ).encode()


def decode_ack(payload: object) -> Ack:
    """An ack; what is gone has a reason."""
    body = checks.table(checks.load(payload, MOST_BYTES, "ack"), "ack")
    s, journal = _who(body, "ack")
    gone = []
    for one in checks.array(body.get("gone", []), GONE_MOST, "ack.gone"):
        three = checks.array(one, 3, "ack.gone")
        if len(three) != 3:
            raise WireError("ack.gone", "expected [a, b, reason]")
        a, b = checks.span(three[:2], "ack.gone")
        gone.append((a, b, checks.word(three[2], "ack.gone, the reason")))
    done = checks.array(body.get("cmd", []), COMMANDS_MOST, "ack.cmd")
    return Ack(s, journal, gone, [checks.table(one, "ack.cmd") for one in done])


def _who(body: "dict[str, object]", what: str) -> "tuple[str, str]":
    s = topics.check_hex(checks.needed(body, "s", what), what + ".s")
    return s, topics.check_hex(checks.needed(body, "journal", what), what + ".journal")
