# SPDX-License-Identifier: MIT
"""The three messages of a session: hello (how I am), receipt (what I hold), ack (what I lost)."""

from kahriz_wire import checks, outgoing, words
from kahriz_wire.errors import WireError
from kahriz_wire.outgoing import GONE_MOST
from kahriz_wire.receipt import (
    COMMANDS_MOST,
    MISSING_MOST,
    MOST_BYTES,
    Receipt,
    decode_receipt,
    who,
)

__all__ = ["MISSING_MOST", "Ack", "Hello", "Receipt", "decode_receipt"]

HEALTH = (
    "birth",
    "up_s",
    "boot",
    "reset",
    "heap",
    "battery_v",
    "rssi_dbm",
    "error",
    "cfg",
    "fw",
    "ota",
    "counts",
)
COUNTS_MOST = 12


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
        self.fw: str | None = None
        self.ota: int | None = None  # number of the program that runs
        self.counts: dict[str, int] | None = None  # since power-on: wakes, fails, causes of resets


def encode_hello(hello: Hello) -> bytes:
    """A hello as bytes."""
    return outgoing.hello(
        hello.s,
        hello.journal,
        hello.first,
        hello.next,
        [(key, getattr(hello, key)) for key in HEALTH],
    )


def decode_hello(payload: object) -> Hello:
    """A hello, its required parts checked; an empty journal has next == first."""
    body = checks.table(checks.load(payload, MOST_BYTES, "hello"), "hello")
    s, journal = who(body, "hello")
    first = checks.whole(checks.needed(body, "first", "hello"), 1, checks.N_MOST, "hello.first")
    following = checks.whole(checks.needed(body, "next", "hello"), 1, checks.N_MOST, "hello.next")
    if first > following:
        raise WireError("hello", "expected first <= next")
    hello = Hello(s, journal, first, following)
    hello.birth = checks.maybe_whole(body, "birth", 0, checks.N_MOST, "hello")
    hello.up_s = checks.maybe_whole(body, "up_s", 0, checks.N_MOST, "hello")
    hello.boot = checks.maybe_whole(body, "boot", 0, checks.N_MOST, "hello")
    hello.reset = words.maybe_text(body, "reset", 32, "hello")
    hello.heap = checks.maybe_whole(body, "heap", 0, checks.N_MOST, "hello")
    hello.battery_v = words.maybe_number(body, "battery_v", "hello")
    hello.rssi_dbm = checks.maybe_whole(body, "rssi_dbm", -200, 50, "hello")
    hello.error = words.maybe_text(body, "error", 200, "hello")
    hello.cfg = checks.maybe_whole(body, "cfg", 0, checks.N_MOST, "hello")
    hello.fw = words.maybe_text(body, "fw", 64, "hello")
    hello.ota = checks.maybe_whole(body, "ota", 0, checks.N_MOST, "hello")
    if "counts" in body:
        hello.counts = counts(body["counts"])
    return hello


def counts(value: object) -> "dict[str, int]":
    """How often something happened, by its word."""
    given = checks.table(value, "hello.counts")
    if len(given) > COUNTS_MOST:
        raise WireError("hello.counts", f"expected at most {COUNTS_MOST}")
    found = {}
    for key in given:
        words.word(key, "hello.counts")
        found[key] = checks.whole(given[key], 0, checks.N_MOST, "hello.counts." + key)
    return found


class Ack:
    """The node's answer: `gone` are [a, b, reason] it cannot serve, `cmd` the commands' results.

    `ota` is [number, offset]: the node asks for the pieces of a release from there on.
    """

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
        self.ota: tuple[int, int] | None = None


def encode_receipt(receipt: Receipt) -> bytes:
    """A receipt as bytes."""
    return outgoing.dump(
        [
            ("s", receipt.s),
            ("journal", receipt.journal),
            ("store", receipt.store),
            ("upto", receipt.upto),
            ("missing", receipt.missing),
            ("max_rows", receipt.max_rows),
            ("now", receipt.now),
            ("cfg", receipt.cfg),
            ("ota", receipt.ota),
            ("birth", 1 if receipt.birth else None),
            ("cmd", receipt.cmd if receipt.cmd else None),
        ]
    )


def encode_ack(ack: Ack) -> bytes:
    """An ack as bytes."""
    return outgoing.ack(ack.s, ack.journal, ack.gone, ack.cmd, ack.ota)


def decode_ack(payload: object) -> Ack:
    """An ack; what is gone has a reason."""
    body = checks.table(checks.load(payload, MOST_BYTES, "ack"), "ack")
    s, journal = who(body, "ack")
    gone = []
    for one in checks.array(body.get("gone", []), GONE_MOST, "ack.gone"):
        three = checks.array(one, 3, "ack.gone")
        if len(three) != 3:
            raise WireError("ack.gone", "expected [a, b, reason]")
        a, b = checks.span(three[:2], "ack.gone")
        gone.append((a, b, words.word(three[2], "ack.gone, the reason")))
    done = checks.array(body.get("cmd", []), COMMANDS_MOST, "ack.cmd")
    ack = Ack(s, journal, gone, [checks.table(one, "ack.cmd") for one in done])
    if "ota" in body:
        two = checks.array(body["ota"], 2, "ack.ota")
        if len(two) != 2:
            raise WireError("ack.ota", "expected [number, offset]")
        number = checks.whole(two[0], 1, checks.N_MOST, "ack.ota")
        ack.ota = (number, checks.whole(two[1], 0, checks.N_MOST, "ack.ota"))
    return ack
