# SPDX-License-Identifier: MIT
"""docs/protocol.md: its conversation is ours to the byte, its numbers and words are the code's."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from kahriz_gateway.intake.accept import Accept
from kahriz_gateway.orders.commands import OPS
from kahriz_node import dial, session
from kahriz_wire import birth, checks, fields, outgoing, receipt, release, rows, topics
from kahriz_wire.messages import (
    decode_ack,
    decode_birth,
    decode_hello,
    decode_receipt,
    decode_rows,
    decode_status,
    encode_ack,
    encode_birth,
    encode_hello,
    encode_receipt,
)
from kahriz_wire.session import HEALTH
from tests.gateway.conftest import NOW_MS, SITE, Gateway
from tests.words.markdown import ROOT, Page

PAGE = Page(ROOT / "docs/protocol.md", (ROOT / "docs/protocol.md").read_text(encoding="utf-8"))
TALK = next(block.text for block in PAGE.blocks() if block.text.startswith("→ hello"))
SAID = [tuple(line.split(" ", 2)) for line in TALK.splitlines()]


def table(head: str) -> list[list[str]]:
    """The rows of the table whose first line begins so."""
    lines = PAGE.text[PAGE.text.index(head) :].split("\n\n")[0].splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_our_gateway_answers_the_conversation_with_the_pages_bytes(tmp_path: Path) -> None:
    gateway = Gateway(tmp_path / "readings.db")
    gateway.query("UPDATE meta SET value='c41d0001' WHERE key='store'")
    gateway.accept = Accept(gateway.conn, SITE, {"outlet"}.__contains__, gateway.clock)
    assert f"whose clock says {NOW_MS}" in PAGE.text.replace("\n", " ")
    answer: bytes | None = None
    for side, kind, payload in SAID:
        if side == "←":
            assert (kind, payload) == ("receipt", (answer or b"").decode())
            continue
        gateway.conn.execute("BEGIN IMMEDIATE")
        key = gateway.accept.message(topics.of(SITE, "outlet", kind), payload.encode())
        gateway.accept.books.save(NOW_MS)
        gateway.conn.execute("COMMIT")
        due = None if key is None else gateway.accept.receipt(key)
        answer = None if due is None else due[1]
    assert gateway.query("SELECT n FROM reading ORDER BY n") == [(2,), (3,)]
    assert gateway.query("SELECT a, b, reason FROM closed") == [(1, 1, "crc")]
    assert gateway.reasons() == []


def test_what_the_page_says_is_what_our_code_writes() -> None:
    for _, kind, payload in SAID:
        data = payload.encode()
        if kind == "hello":
            assert encode_hello(decode_hello(data)) == data
        elif kind == "receipt":
            assert encode_receipt(decode_receipt(data)) == data
        elif kind == "ack":
            assert encode_ack(decode_ack(data)) == data
        elif kind == "birth":
            assert encode_birth(decode_birth(data)) == data
        elif kind == "status":
            assert decode_status(data) == "sleep"
        else:
            (row,), bad = decode_rows(data)
            assert bad == []
            pairs = []
            for key, value in row.values.items():
                found = fields.split(key)
                text = json.dumps(value)
                if found is not None and not isinstance(value, str):
                    decimals = fields.FIELDS[found[1]][1]
                    text = fields.text(found[1], round(value * 10**decimals))
                pairs.append((key, text))
            assert outgoing.up([outgoing.row_text(row.n, row.q, pairs, row.ts)]) == data


def test_the_least_hello_of_the_page_is_enough() -> None:
    least = re.search(r"`(\{.*\})` is enough", PAGE.text)
    assert least is not None
    assert decode_hello(least[1].encode()).next == 4


@pytest.mark.parametrize(
    ("what", "value"),
    [
        ("bytes of a message", outgoing.UP_MOST_BYTES),
        ("bytes of a message", receipt.MOST_BYTES),
        ("bytes of a message", birth.MOST_BYTES),
        ("rows of an `up`", rows.ROWS_MOST),
        ("keys of a row", rows.KEYS_MOST),
        ("ranges of `missing`", receipt.MISSING_MOST),
        ("ranges of `gone`", outgoing.GONE_MOST),
        ("commands of a receipt", receipt.COMMANDS_MOST),
        ("channels of a `birth`", birth.CHANNELS_MOST),
        ("largest number of a reading", checks.N_MOST),
    ],
)
def test_a_limit_of_the_page_is_the_codes(what: str, value: int) -> None:
    assert dict(table("| limit | value |"))[what] == str(value)


@pytest.mark.parametrize(
    "words",
    [
        f"keep alive {dial.KEEP_ALIVE_S} s",
        f"After {session.AGAIN_MS} ms",
        f"after {session.STUCK_SESSIONS} answered sessions",
        f"for {session.QUIET_MS} ms",
        f"at most {session.ROUND_MOST_MS} ms",
        f"pieces of {release.CHUNK_BYTES} bytes, {release.WINDOW} for each asking",
        f"`kahriz/v1/<site>/#`: {outgoing.ROOT}".partition(":")[0],
        f"1 to {topics.ID_LONGEST} of",
    ],
)
def test_a_number_in_the_text_is_the_codes(words: str) -> None:
    assert words in " ".join(PAGE.text.split())


def test_quantities_faults_flags_commands_and_kinds_are_all_there() -> None:
    told = {row[0].strip("`"): row[1:] for row in table("| quantity | unit |")}
    measured = [line.split() for line in fields.NODES.splitlines() if line]
    assert told == {name: rest for name, *rest in measured}
    for word in (*fields.FAULTS, *OPS, *topics.KINDS, *HEALTH, *birth.STATUS):
        assert f"`{word}`" in PAGE.text or f"`{word}/<" in PAGE.text, word
    flags = re.search(r"QARTOD: ([^|]*)", PAGE.text)
    assert flags is not None
    assert re.findall(r"\d", flags[1]) == [str(each) for each in fields.QARTOD]


def test_the_rights_of_a_node_are_those_that_the_broker_is_given() -> None:
    acl = (ROOT / "gateway/deploy/mosquitto/kahriz.acl").read_text(encoding="utf-8")
    mine = re.findall(rf"^topic (write|read) kahriz/v1/{SITE}/outlet/(.*)$", acl, re.M)
    for right, row in zip(("write", "read"), table("| | topics `kahriz"), strict=True):
        assert re.findall(r"`([^`]+)`", row[1]) == [kind for has, kind in mine if has == right]
