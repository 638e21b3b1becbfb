# SPDX-License-Identifier: MIT
"""The gateway's receipt, as the node reads it."""

from kahriz_wire import checks

MOST_BYTES = 4096
MISSING_MOST = 16
COMMANDS_MOST = 8


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
        self.ota: int | None = None
        self.birth = False
        self.cmd: list[dict[str, object]] = []


def decode_receipt(payload: object) -> Receipt:
    """A receipt; unknown keys are ignored."""
    body = checks.table(checks.load(payload, MOST_BYTES, "receipt"), "receipt")
    s, journal = who(body, "receipt")
    store = checks.hex8(checks.needed(body, "store", "receipt"), "receipt.store")
    upto = checks.whole(checks.needed(body, "upto", "receipt"), 0, checks.N_MOST, "receipt.upto")
    spans = checks.array(body.get("missing", []), MISSING_MOST, "receipt.missing")
    missing = [checks.span(one, "receipt.missing") for one in spans]
    receipt = Receipt(s, journal, store, upto, missing)
    receipt.max_rows = checks.maybe_whole(body, "max_rows", 0, checks.N_MOST, "receipt")
    receipt.now = checks.maybe_whole(body, "now", 1, checks.MS_MOST, "receipt")
    receipt.cfg = checks.maybe_whole(body, "cfg", 0, checks.N_MOST, "receipt")
    receipt.ota = checks.maybe_whole(body, "ota", 0, checks.N_MOST, "receipt")
    receipt.birth = checks.maybe_whole(body, "birth", 0, 1, "receipt") == 1
    for one in checks.array(body.get("cmd", []), COMMANDS_MOST, "receipt.cmd"):
        receipt.cmd.append(checks.table(one, "receipt.cmd"))
    return receipt


def who(body: "dict[str, object]", what: str) -> "tuple[str, str]":
    """Session and journal of a message."""
    s = checks.hex8(checks.needed(body, "s", what), what + ".s")
    return s, checks.hex8(checks.needed(body, "journal", what), what + ".journal")
