# SPDX-License-Identifier: MIT
"""What intake makes of each kind of message, by the letter of the wire contract."""

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from kahriz_gateway import quarantine
from kahriz_gateway.clock import AHEAD_MS, EARLIEST_MS
from kahriz_gateway.intake_accept import Accept
from kahriz_gateway.store import gaps, open_store
from kahriz_wire import topics
from kahriz_wire.messages import (
    Ack,
    Birth,
    Hello,
    Receipt,
    Row,
    decode_receipt,
    encode_ack,
    encode_birth,
    encode_hello,
    encode_rows,
)

from .conftest import NOW_MS, SITE, TestClock, rows

JOURNAL = "9f3a01c2"


class Gateway:
    """A store, a clock and the judgement, without a broker."""

    def __init__(self, path: Path) -> None:
        self.clock = TestClock()
        self.path = path
        self.sessions = 0
        self.reopen()

    def reopen(self) -> None:
        self.conn = open_store(self.path, SITE)
        known = {"outlet", "middle"}
        self.accept = Accept(self.conn, SITE, known.__contains__, self.clock)

    def tell(
        self, kind: str, payload: bytes, node: str = "outlet", retained: bool = False
    ) -> Receipt | None:
        return self.raw(topics.of(SITE, node, kind), payload, retained)

    def raw(self, topic: str, payload: bytes, retained: bool = False) -> Receipt | None:
        self.conn.execute("BEGIN IMMEDIATE")
        key = self.accept.message(topic, payload, retained)
        self.accept.books.save(self.clock.now_ms())
        self.conn.execute("COMMIT")
        answer = None if key is None else self.accept.receipt(key)
        return None if answer is None else decode_receipt(answer[1])

    def hello(self, first: int, next: int, journal: str = JOURNAL, **more: Any) -> Receipt:
        self.sessions += 1
        hello = Hello(f"{self.sessions:08x}", journal, first, next)
        for key, value in more.items():
            setattr(hello, key, value)
        receipt = self.tell("hello", encode_hello(hello))
        assert receipt is not None
        return receipt

    def up(self, some: list[Row], journal: str = JOURNAL) -> Receipt | None:
        return self.tell(f"up/{journal}", encode_rows(some))

    def query(self, sql: str) -> list[Any]:
        return self.conn.execute(sql).fetchall()

    def reasons(self) -> list[str]:
        return [kept.reason for kept in quarantine.listed(self.conn)]


@pytest.fixture
def gateway(tmp_path: Path) -> Gateway:
    return Gateway(tmp_path / "readings.db")


def test_a_row_is_stored_with_its_time_its_flag_and_its_values_alone(gateway: Gateway) -> None:
    payload = b'[{"ts":1764000000000,"n":7,"q":3,"weir_distance_m":0.651,"odd":"kept"}]'
    gateway.tell(f"up/{JOURNAL}", payload)
    assert gateway.query("SELECT node, journal, n, ts, tq, q, received, times FROM reading") == [
        ("outlet", JOURNAL, 7, 1764000000000, None, 3, NOW_MS, 1)
    ]
    body = gateway.query("SELECT body FROM reading")[0][0]
    assert json.loads(body) == {"weir_distance_m": 0.651, "odd": "kept"}


def test_a_row_that_comes_again_is_counted_and_not_doubled(gateway: Gateway) -> None:
    gateway.hello(1, 13)
    for _ in range(3):
        gateway.up(rows(1, 12))
    assert gateway.query("SELECT count(*), min(times), max(times) FROM reading") == [(12, 3, 3)]
    assert gateway.reasons() == []


def test_the_same_number_written_differently_is_the_same_value(gateway: Gateway) -> None:
    gateway.tell(f"up/{JOURNAL}", b'[{"ts":1764000000000,"n":1,"air_c":21.0}]')
    gateway.tell(f"up/{JOURNAL}", b'[{"air_c":21.00,"n":1,"ts":1764000000000}]')
    gateway.tell(f"up/{JOURNAL}", b'[{"air_c":21,"n":1,"ts":1764000000000}]')
    assert gateway.query("SELECT times FROM reading") == [(3,)]


def test_other_values_under_the_same_number_are_a_conflict_and_kept(gateway: Gateway) -> None:
    gateway.hello(1, 2)
    gateway.up([Row(1, 1, {"air_c": 21.4}, NOW_MS - 1000)])
    receipt = gateway.up([Row(1, 1, {"air_c": 99.9}, NOW_MS - 1000)])
    assert receipt is not None
    assert receipt.upto == 1
    assert gateway.query("SELECT body, times FROM reading") == [('{"air_c":21.4}', 1)]
    kept = quarantine.listed(gateway.conn)[0]
    assert b"99.9" in kept.body
    assert "conflict" in kept.reason


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


def test_an_unreadable_row_costs_only_itself(gateway: Gateway) -> None:
    gateway.hello(1, 5)
    receipt = gateway.tell(
        f"up/{JOURNAL}",
        b'[{"ts":1764000000000,"n":1,"air_c":1.0},{"ts":1764000000001,"n":2,"air_c":[]},'
        b'{"n":3},{"ts":1764000000003,"n":4,"air_c":2.0},{"ts":5},7]',
    )
    assert receipt is not None
    assert (receipt.upto, receipt.missing) == (4, [])
    assert gateway.query("SELECT n FROM reading") == [(1,), (4,)]
    assert [(kept.n, b'"n":3' in kept.body) for kept in quarantine.listed(gateway.conn)] == [
        (2, True)
    ]


def test_an_up_over_4_kb_is_kept_whole_and_not_receipted(gateway: Gateway) -> None:
    gateway.hello(1, 200)
    big = b"[" + b",".join(b'{"ts":1764000000000,"n":%d,"air_c":1.0}' % n for n in range(1, 130))
    assert len(big) > 4096
    assert gateway.tell(f"up/{JOURNAL}", big + b"]") is None
    assert gateway.query("SELECT count(*) FROM reading") == [(0,)]
    assert quarantine.listed(gateway.conn)[0].body == big + b"]"


@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        (f"kahriz/v1/{SITE}/outlet/hello", b"\xff\xfe\x00"),
        (f"kahriz/v1/{SITE}/outlet/hello", b"null"),
        (f"kahriz/v1/{SITE}/outlet/hello", b'{"s":1,"journal":[],"first":{},"next":null}'),
        (f"kahriz/v1/{SITE}/outlet/hello", b"[" * 4000),
        (f"kahriz/v1/{SITE}/outlet/up/{JOURNAL}", b"x" * 1_000_000),
        (f"kahriz/v1/{SITE}/outlet/up/'; DROP TABLE reading; --", b"[]"),
        (f"kahriz/v1/{SITE}/outlet' OR '1'='1/hello", b"{}"),
        (f"kahriz/v1/{SITE}/outlet/ack", b'{"s":"5be1c07a"}'),
        (f"kahriz/v1/{SITE}/outlet/birth", b'{"v":2}'),
        ("kahriz/v1/another-site/outlet/hello", b"{}"),
        (f"kahriz/v1/{SITE}/gateway/hello", b"{}"),
        (f"kahriz/v1/{SITE}/stranger/up/{JOURNAL}", b'[{"ts":1764000000000,"n":1}]'),
        ("", b""),
    ],
)
def test_garbage_costs_only_itself(gateway: Gateway, topic: str, payload: bytes) -> None:
    assert gateway.raw(topic, payload) is None
    kept = quarantine.listed(gateway.conn)
    assert len(kept) == 1
    assert kept[0].topic == topic
    assert kept[0].body == payload[: quarantine.BODY_MOST]
    assert kept[0].reason
    gateway.hello(1, 13)
    receipt = gateway.up(rows(1, 12))
    assert receipt is not None
    assert receipt.upto == 12


def test_numbers_at_the_edge_of_32_bit_do_not_blind_the_ledger(gateway: Gateway) -> None:
    gateway.hello(1, 13)
    gateway.up([Row(0xFFFFFFFF, 1, {"air_c": 1.0}, NOW_MS)])
    receipt = gateway.up(rows(1, 12))
    assert receipt is not None
    assert (receipt.upto, receipt.missing) == (12, [])
    assert gaps(gateway.conn) == []


def test_the_same_garbage_every_hour_is_kept_once_and_counted(gateway: Gateway) -> None:
    for _ in range(50):
        gateway.tell("hello", b"garbage")
    assert [kept.times for kept in quarantine.listed(gateway.conn)] == [50]


def test_noise_is_bounded_and_receipted_rows_stay(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quarantine, "NOISE_MOST", 20)
    gateway.hello(1, 3)
    gateway.up([Row(1, 1, {"air_c": 21.4}, 946_684_800_000)])
    for i in range(300):
        gateway.tell("hello", b"garbage %d" % i)
    kept = quarantine.listed(gateway.conn)
    assert len(kept) < 120
    assert kept[0].n == 1, "what a node was receipted for is never thrown away"
    assert kept[-1].body == b"garbage 299"


def test_an_unknown_node_is_quarantined_and_not_served(gateway: Gateway) -> None:
    hello = encode_hello(Hello("5be1c07a", JOURNAL, 1, 2))
    assert gateway.tell("hello", hello, node="stranger") is None
    assert gateway.query("SELECT count(*) FROM session") == [(0,)]
    assert gateway.reasons() == ["node: stranger is not in the plan; add a point or a deployment"]


@pytest.mark.parametrize("kind", ["hello", f"up/{JOURNAL}", "ack"])
def test_what_is_retained_is_ignored(gateway: Gateway, kind: str) -> None:
    assert gateway.tell(kind, b"whatever", retained=True) is None
    assert gateway.reasons() == []


def test_a_retained_birth_is_taken_and_then_not_asked_for(gateway: Gateway) -> None:
    birth = Birth(4, "0.1", "esp32", 300, 12, {"weir": {"driver": "a02yyuw"}})
    assert gateway.hello(1, 1, birth=4).birth
    gateway.tell("birth", encode_birth(birth), retained=True)
    assert not gateway.hello(1, 1, birth=4).birth
    assert gateway.hello(1, 1, birth=5).birth, "another revision is asked for"


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
