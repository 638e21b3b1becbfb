# SPDX-License-Identifier: MIT
"""Every accident of a session ends it inside its deadline, and loses nothing."""

import pytest

from .nodes import Node
from .peer import Faults

BAD = {
    "accepts and says nothing": (Faults(silent=True), "timeout"),
    "CONNACK lost, nothing after": (Faults(connack=None, lose_receipts=99), "timeout"),
    "refuses the connection": (Faults(connack=5), "refused 5"),
    "no receipt": (Faults(lose_receipts=99), "timeout"),
    "closes at CONNECT": (Faults(close_at="connect"), "closed"),
    "closes at hello": (Faults(close_at="hello"), "closed"),
    "reads nothing after CONNECT": (Faults(deaf=True), "timeout"),
    "a packet of 200 MB": (Faults(before_receipt=b"\x30\xff\xff\xff\x7f"), "packet too long"),
    "a short packet": (Faults(before_receipt=b"\x30\x01\x00"), "short packet"),
}


@pytest.mark.parametrize("what", BAD)
def test_a_session_ends_whatever_the_other_side_does(node: Node, what: str) -> None:
    faults, error = BAD[what]
    patience_ms = 1500 if error == "timeout" else 60_000
    outcome, _ = node.session(faults, rows=30, deadline_ms=patience_ms)
    assert not outcome["answered"]
    assert outcome["error"] == error or (error == "closed" and "socket" in outcome["error"])
    outcome, _ = node.session()
    assert outcome["answered"]
    assert sorted(node.gateway.stored) == list(range(1, 31))


def test_a_reset_connection_ends_the_session(node: Node) -> None:
    outcome, _ = node.session(Faults(reset_at="hello"), rows=3, deadline_ms=1500)
    assert not outcome["answered"]
    assert outcome["error"]


def test_nobody_listening_ends_the_session(node: Node) -> None:
    _, peer = node.session(rows=1)
    peer.close()
    node.peers.remove(peer)
    outcome = node.order(peer.port, rows=1, deadline_ms=1500)
    assert not outcome["answered"]
    assert outcome["error"]


def test_bytes_that_dribble_in_are_put_together(node: Node) -> None:
    outcome, _ = node.session(Faults(dribble=True), rows=30)
    assert outcome["answered"]
    assert len(node.gateway.stored) == 30


def test_lost_pubacks_change_nothing(node: Node) -> None:
    outcome, peer = node.session(Faults(lose_pubacks=True), rows=30)
    assert outcome["answered"]
    assert outcome["open"] == []
    assert peer.clean_ends == 1


def test_a_receipt_that_is_garbage_is_passed_over(node: Node) -> None:
    topic = b"kahriz/v1/banovshalar-gozlu/outlet/receipt"
    body = bytes((0, len(topic))) + topic + b'{"s":'
    garbage = Faults(before_receipt=bytes((0x30, len(body))) + body)
    outcome, _ = node.session(garbage, rows=3)
    assert outcome["answered"]
    assert outcome["open"] == []


def test_a_gateway_that_never_stores_a_row_is_left_alone_before_the_deadline(node: Node) -> None:
    outcome, peer = node.session(Faults(never_stores=True), rows=3, quiet_ms=2500)
    assert outcome["answered"]
    assert not outcome["error"]
    assert outcome["open"] == [[1, 3]]
    assert outcome["stuck"] == [[1, 3, 1]]
    assert peer.clean_ends == 1
