# SPDX-License-Identifier: MIT
"""`kahriz gateway deliver`: readings pulled off a board are stored once, by the same ledger."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from kahriz_gateway.cli import gateway as gateway_cli
from kahriz_gateway.intake.by_hand import ByHandError, Delivered, deliver, parse
from kahriz_gateway.intake.ledger_cli import journals
from kahriz_gateway.intake.store import read_store
from kahriz_wire import topics
from kahriz_wire.messages import Ack, encode_ack, encode_rows

from .conftest import JOURNAL, NOW_MS, SITE, SITE_TOML, Gateway, rows

UP = topics.up(SITE, "outlet", JOURNAL)
ACK = topics.of(SITE, "outlet", "ack")


def pulled(first: int, last: int) -> bytes:
    return b"".join(
        f"{UP} ".encode() + encode_rows(rows(n, min(n + 9, last))) + b"\n"
        for n in range(first, last + 1, 10)
    )


def take(gateway: Gateway, text: bytes) -> Delivered:
    lines = parse(text, SITE, {"outlet", "middle"}.__contains__)
    return deliver(gateway.conn, gateway.accept, lines, NOW_MS)


def numbers(gateway: Gateway) -> list[int]:
    return [n for (n,) in gateway.query("SELECT n FROM reading ORDER BY n")]


def test_what_the_node_never_sent_is_stored_and_what_it_sent_is_known(gateway: Gateway) -> None:
    gateway.hello(1, 31)
    gateway.up(rows(1, 20))
    assert take(gateway, pulled(15, 40)) == Delivered(rows=26, new=20, set_aside=0)
    assert numbers(gateway) == list(range(1, 41))
    assert take(gateway, pulled(15, 40)).new == 0, "twice"
    assert take(gateway, pulled(1, 40)).in_words() == "40 readings: 0 new, 40 known"
    (journal,) = journals(read_store(gateway.path))
    assert journal.contradiction is None
    assert not journal.missing
    assert gateway.hello(1, 41).missing == [], "the ledger knows them when the node speaks again"


def test_what_intake_stored_meanwhile_is_known(gateway: Gateway) -> None:
    gateway.hello(1, 31)
    Gateway(gateway.path).up(rows(1, 20))
    assert take(gateway, pulled(15, 40)).new == 20


def test_readings_of_a_board_that_was_replaced_are_no_longer_lost(gateway: Gateway) -> None:
    gateway.hello(1, 11)
    gateway.up(rows(1, 4))
    gateway.hello(1, 1, journal="aaaa0001")
    closed = "SELECT a, b, reason FROM closed ORDER BY a"
    assert gateway.query(closed) == [(5, 10, "replaced")]
    assert take(gateway, pulled(5, 8)).new == 4
    assert gateway.query(closed) == [(9, 10, "replaced")], "nobody has these yet"
    assert take(gateway, pulled(1, 12)).new == 4
    assert gateway.query(closed) == []
    assert numbers(gateway) == list(range(1, 13))


def test_what_the_board_could_not_read_is_closed_with_its_reason(gateway: Gateway) -> None:
    gateway.hello(1, 11)
    gone = f"{ACK} ".encode() + encode_ack(Ack("00000000", JOURNAL, [(3, 4, "crc")], []))
    take(gateway, pulled(5, 10) + gone + b"\n")
    assert gateway.query("SELECT a, b, reason FROM closed") == [(3, 4, "crc")]
    assert gateway.query("SELECT a, b FROM gap") == [(1, 2)]


def test_other_values_under_the_same_number_are_set_aside(gateway: Gateway) -> None:
    gateway.hello(1, 3)
    gateway.up(rows(1, 2, weir_distance_m=0.7))
    found = take(gateway, pulled(1, 3))
    assert (found.new, found.set_aside) == (1, 1)
    assert "conflict" in gateway.reasons()[0]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (pulled(1, 1).replace(SITE.encode(), b"elsewhere"), "of site elsewhere, this store"),
        (pulled(1, 1).replace(b"/outlet/", b"/stranger/"), "stranger is not in the plan"),
        (f"{ACK} ".encode() + encode_ack(Ack("00000000", JOURNAL, [], [{"id": 1}])), "only what"),
        (topics.of(SITE, "outlet", "hello").encode() + b" {}", "expected up or ack"),
        (b"\xff\xfe garbage", "expected kahriz/v1"),
        (ACK.encode() + b" {", "ack"),
    ],
)
def test_a_line_that_is_not_ours_is_refused_before_any_is_stored(
    gateway: Gateway, line: bytes, why: str
) -> None:
    with pytest.raises(ByHandError, match=f"line 3: .*{why}.*nothing was stored"):
        take(gateway, pulled(1, 20) + line)
    assert numbers(gateway) == []


def test_a_node_that_never_spoke_may_still_have_left_its_readings(gateway: Gateway) -> None:
    assert take(gateway, pulled(1, 12)).new == 12
    receipt = gateway.hello(1, 13)
    assert (receipt.upto, receipt.missing) == (12, [])


def test_cut_in_the_middle_it_goes_on_when_said_again(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kahriz_gateway.intake.by_hand.AT_ONCE", 2)
    judge, count = gateway.accept.message, [0]

    def message(topic: str, payload: bytes) -> object:
        count[0] += 1
        if count[0] == 4:
            raise KeyboardInterrupt
        return judge(topic, payload)

    with monkeypatch.context() as cut:
        cut.setattr(gateway.accept, "message", message)
        with pytest.raises(KeyboardInterrupt):
            take(gateway, pulled(1, 60))
    assert numbers(gateway) == list(range(1, 21)), "two messages were safe"
    assert take(gateway, pulled(1, 60)).new == 40


def test_the_command_takes_a_file_and_refuses_in_words(gateway: Gateway, tmp_path: Path) -> None:
    def run(file: str, given: bytes = b"", data: Path = tmp_path) -> Result:
        options = ["--config", str(SITE_TOML), "--data", str(data)]
        return CliRunner().invoke(gateway_cli, ["deliver", file, *options], input=given)

    gateway.hello(1, 13)
    (tmp_path / "pulled").write_bytes(pulled(1, 12))
    assert run(str(tmp_path / "pulled")).stdout == "12 readings: 12 new, 0 known\n"
    assert run("-", pulled(1, 12)).stdout == "12 readings: 0 new, 12 known\n"
    refused = run("-", b"nonsense")
    assert refused.exit_code == 3
    assert "line 1" in refused.stderr
    nowhere = run("-", pulled(1, 1), tmp_path / "none")
    assert nowhere.exit_code == 4
    assert "no store" in nowhere.stderr
