# SPDX-License-Identifier: MIT
"""What intake makes of each kind of message, by the letter of the wire contract."""

import json

import pytest

from kahriz_gateway.intake import quarantine
from kahriz_gateway.intake.store import gaps
from kahriz_wire.messages import (
    Birth,
    Hello,
    Row,
    encode_birth,
    encode_hello,
)

from .conftest import JOURNAL, NOW_MS, SITE, Gateway, rows


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
        (f"kahriz/v1/{SITE}/gateway/ack", b"{}"),
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
