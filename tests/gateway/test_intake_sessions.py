# SPDX-License-Identifier: MIT
"""Sessions by the letter of the wire contract: what is asked for, closed, dated, re-dated."""

import sqlite3

import pytest

from kahriz_gateway.clock import AHEAD_MS, EARLIEST_MS
from kahriz_gateway.intake import quarantine
from kahriz_gateway.intake.store import gaps
from kahriz_wire import topics
from kahriz_wire.messages import (
    Ack,
    Hello,
    Row,
    decode_receipt,
    encode_ack,
    encode_hello,
    encode_rows,
)

from .conftest import JOURNAL, NOW_MS, SITE, Gateway, rows


def test_two_synced_times_for_one_number_are_a_conflict(gateway: Gateway) -> None:
    gateway.up([Row(1, 1, {"air_c": 21.4}, NOW_MS - 1000)])
    gateway.up([Row(1, 1, {"air_c": 21.4}, NOW_MS - 2000)])
    assert gateway.query("SELECT ts FROM reading") == [(NOW_MS - 1000,)]
    assert gateway.reasons() == ["row 1: conflict, another synced time under the same number"]


@pytest.mark.parametrize("early", ["est", "unk"])
def test_a_better_time_is_an_update_with_a_new_rev(gateway: Gateway, early: str) -> None:
    if early == "est":
        gateway.up([Row(1, 1, {"air_c": 21.4}, NOW_MS - 5000, "est"), *rows(2, 3)])
    else:
        gateway.up([Row(1, 1, {"air_c": 21.4}, None, "unk", 50, 3)])
        gateway.up(rows(2, 3))
    gateway.up([Row(1, 1, {"air_c": 21.4}, NOW_MS - 1000)])
    assert gateway.query("SELECT rev, ts, tq, times FROM reading WHERE n=1") == [
        (4, NOW_MS - 1000, None, 2)
    ]
    assert gateway.reasons() == []


def test_a_worse_time_is_a_repeat(gateway: Gateway) -> None:
    gateway.up([Row(1, 1, {"air_c": 21.4}, NOW_MS - 1000)])
    gateway.up([Row(1, 1, {"air_c": 21.4}, NOW_MS - 9000, "est")])
    assert gateway.query("SELECT ts, tq, times FROM reading") == [(NOW_MS - 1000, None, 2)]


def test_a_row_without_time_is_dated_by_the_hello_of_its_boot(gateway: Gateway) -> None:
    gateway.hello(1, 2, up_s=1000, boot=3)
    gateway.up([Row(1, 1, {"air_c": 21.4}, None, "unk", 400, 3)])
    assert gateway.query("SELECT ts, tq, up_s, boot FROM reading") == [
        (NOW_MS - 600_000, "dated", 400, 3)
    ]


def test_rows_of_an_untrusted_hour_are_dated_by_the_next_hello_of_their_boot(
    gateway: Gateway,
) -> None:
    gateway.clock.is_trusted = False
    gateway.hello(1, 4, up_s=1000, boot=3)
    unknown = [
        Row(n, 1, {"air_c": 21.0}, None, "unk", 400 + n, 3 if n < 3 else 2) for n in (1, 2, 3)
    ]
    gateway.up(unknown)
    assert gateway.query("SELECT ts, tq, received FROM reading") == [(None, "unk", None)] * 3
    gateway.clock.is_trusted = True
    gateway.reopen()
    gateway.hello(1, 4, up_s=4600, boot=3)
    assert gateway.query("SELECT n, ts, tq FROM reading ORDER BY n") == [
        (1, NOW_MS - 4_199_000, "dated"),
        (2, NOW_MS - 4_198_000, "dated"),
        (3, None, "unk"),
    ]
    assert gateway.query("SELECT rev FROM reading WHERE n<3 ORDER BY n") == [(4,), (5,)]


def test_a_hello_dates_no_row_of_its_own_future(gateway: Gateway) -> None:
    gateway.hello(1, 2, up_s=100, boot=3)
    gateway.up([Row(1, 1, {"air_c": 21.4}, None, "unk", 400, 3)])
    assert gateway.query("SELECT ts, tq FROM reading") == [(None, "unk")]


def test_no_now_is_said_while_the_clock_is_not_trusted(gateway: Gateway) -> None:
    assert gateway.hello(1, 1).now == NOW_MS
    gateway.clock.is_trusted = False
    assert gateway.hello(1, 1).now is None


@pytest.mark.parametrize("ts", [EARLIEST_MS - 1, NOW_MS + AHEAD_MS + 1, 946_684_800_000])
def test_an_implausible_time_is_quarantined_and_receipted(gateway: Gateway, ts: int) -> None:
    gateway.hello(1, 3)
    receipt = gateway.up([Row(1, 1, {"air_c": 21.4}, ts), Row(2, 1, {"air_c": 21.4}, NOW_MS)])
    assert receipt is not None
    assert (receipt.upto, receipt.missing) == (2, [])
    assert gateway.query("SELECT n FROM reading") == [(2,)]
    assert gateway.query("SELECT a, b, reason FROM closed") == [(1, 1, "quarantine")]
    assert str(ts).encode() in quarantine.listed(gateway.conn)[0].body


def test_a_day_ahead_is_believed_while_our_own_clock_is_not_trusted(gateway: Gateway) -> None:
    gateway.clock.is_trusted = False
    gateway.up([Row(1, 1, {"air_c": 21.4}, NOW_MS + 10 * AHEAD_MS)])
    assert gateway.query("SELECT count(*) FROM reading") == [(1,)]


def test_below_first_is_closed_as_lost_and_comes_back_when_the_node_has_it(
    gateway: Gateway,
) -> None:
    gateway.up(rows(3, 4))
    receipt = gateway.hello(11, 13)
    assert (receipt.upto, receipt.missing) == (12, [[11, 12]])
    assert gateway.query("SELECT a, b, reason FROM closed") == [
        (1, 2, "below_first"),
        (5, 10, "below_first"),
    ]
    receipt = gateway.hello(7, 13)
    assert receipt.missing == [[7, 12]]
    assert gateway.query("SELECT a, b FROM closed") == [(1, 2), (5, 6)]


def test_what_the_node_has_lost_is_closed_with_its_reason(gateway: Gateway) -> None:
    gateway.hello(1, 21)
    gateway.up(rows(1, 5))
    gateway.tell("ack", encode_ack(Ack("00000001", JOURNAL, [(4, 10, "crc")], [])))
    assert gateway.query("SELECT a, b, reason, at FROM closed") == [(6, 10, "crc", NOW_MS)]
    assert gateway.hello(1, 21).missing == [[11, 20]]


def test_what_arrives_after_all_is_kept_and_no_longer_called_lost(gateway: Gateway) -> None:
    gateway.hello(1, 21)
    gateway.tell("ack", encode_ack(Ack("00000001", JOURNAL, [(1, 20, "crc")], [])))
    gateway.up(rows(7, 8))
    assert gateway.query("SELECT n FROM reading ORDER BY n") == [(7,), (8,)]
    assert gateway.query("SELECT a, b FROM closed") == [(1, 6), (9, 20)]


def test_an_ack_of_an_unknown_journal_closes_nothing(gateway: Gateway) -> None:
    gateway.hello(1, 21)
    gateway.tell("ack", encode_ack(Ack("00000001", "deadbeef", [(1, 20, "crc")], [])))
    assert gateway.query("SELECT count(*) FROM closed") == [(0,)]


def test_a_receipt_carries_the_newest_hellos_s_after_a_restart_too(gateway: Gateway) -> None:
    gateway.hello(1, 13)
    gateway.hello(1, 13)
    gateway.reopen()
    receipt = gateway.up(rows(1, 12))
    assert receipt is not None
    assert (receipt.s, receipt.upto) == ("00000002", 12)


def test_rows_without_a_hello_are_stored_and_nobody_is_answered(gateway: Gateway) -> None:
    assert gateway.up(rows(1, 12)) is None
    assert gateway.query("SELECT count(*) FROM reading") == [(12,)]


def test_a_new_journal_closes_the_old_ones_gaps_and_says_so(gateway: Gateway) -> None:
    gateway.hello(1, 13)
    gateway.up(rows(1, 6))
    gateway.hello(1, 2, journal="aaaaaaaa")
    assert gateway.query("SELECT journal, a, b, reason FROM closed") == [
        (JOURNAL, 7, 12, "replaced")
    ]
    assert gateway.query("SELECT node, kind FROM notice") == [("outlet", "journal_replaced")]
    assert [(g.journal, g.a) for g in gaps(gateway.conn)] == [("aaaaaaaa", 1)]


def test_two_journals_that_take_turns_are_twins_and_none_loses_rows(gateway: Gateway) -> None:
    gateway.hello(1, 13)
    gateway.hello(1, 2, journal="aaaaaaaa")
    receipt = gateway.hello(1, 13)
    assert receipt.missing == [[1, 12]], "the first board is asked again for what it has"
    gateway.hello(1, 2, journal="aaaaaaaa")
    kinds = [kind for (kind,) in gateway.query("SELECT kind FROM notice ORDER BY id")]
    assert kinds == ["journal_replaced", "twin"], "told once a day, not at every turn"


def test_each_session_leaves_one_line_of_health(gateway: Gateway) -> None:
    gateway.hello(1, 1, battery_v=3.31)
    hello = Hello("00000001", JOURNAL, 1, 1)
    gateway.tell("hello", encode_hello(hello))  # the same session, said twice
    gateway.hello(1, 1, battery_v=3.29)
    assert gateway.query("SELECT json_extract(body, '$.battery_v') FROM hello") == [
        (3.31,),
        (3.29,),
    ]


def test_the_gap_of_a_message_in_a_rolled_back_transaction_is_forgotten(gateway: Gateway) -> None:
    gateway.hello(1, 13)
    gateway.conn.execute("BEGIN IMMEDIATE")
    gateway.accept.message(topics.up(SITE, "outlet", JOURNAL), encode_rows(rows(1, 12)))
    gateway.conn.execute("ROLLBACK")
    gateway.accept.books.forget()
    answer = gateway.accept.receipt(("outlet", JOURNAL))
    assert answer is not None
    assert decode_receipt(answer[1]).missing == [[1, 12]]


def test_a_row_behind_the_ledgers_back_is_refused_by_the_store_itself(gateway: Gateway) -> None:
    gateway.hello(1, 13)
    gateway.conn.execute(
        "INSERT INTO reading(node, journal, n, q, body) VALUES('outlet', ?, 5, 1, '{}')", (JOURNAL,)
    )
    with pytest.raises(sqlite3.IntegrityError):
        gateway.accept.message(topics.up(SITE, "outlet", JOURNAL), encode_rows(rows(1, 12)))
