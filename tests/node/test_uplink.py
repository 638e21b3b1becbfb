# SPDX-License-Identifier: MIT
"""The session with the gateway, on both interpreters, over real sockets."""

import json

import pytest

from .nodes import Node
from .peer import NOW_MS, Faults, Gateway

QUIET_MS = 1000  # that a receipt is waited for in vain, instead of 2500


def test_a_session_is_hello_rows_sleep(node: Node) -> None:
    outcome, peer = node.session(rows=5, health={"heap": 61234, "error": None})
    assert outcome["answered"]
    assert not outcome["error"]
    assert peer.kinds() == ["hello", "up", "status"]
    assert sorted(node.gateway.stored) == [1, 2, 3, 4, 5]
    hello = json.loads(peer.bodies("hello")[0])
    assert (hello["first"], hello["next"], hello["heap"]) == (1, 6, 61234)
    assert "error" not in hello
    assert peer.said[-1][1:] == (b"sleep", True)
    assert peer.clean_ends == 1
    assert outcome["open"] == []


def test_rows_go_out_once(node: Node) -> None:
    node.session(rows=5)
    _, peer = node.session(rows=3)
    assert node.gateway.arrivals == [1, 2, 3, 4, 5, 6, 7, 8]
    assert json.loads(peer.bodies("hello")[0])["next"] == 9


def test_with_nothing_to_send_the_node_still_says_how_it_is(node: Node) -> None:
    outcome, peer = node.session()
    assert outcome["answered"]
    assert peer.kinds() == ["hello", "status"]


def test_the_newest_go_first_and_the_backlog_after_the_receipt(node: Node) -> None:
    outcome, _ = node.session(rows=200)
    assert node.gateway.arrivals[:12] == list(range(189, 201))
    assert node.gateway.arrivals[12:] == list(range(1, 189))
    assert outcome["open"] == []
    assert outcome["rows"] == 200


def test_a_dead_gateway_draws_the_newest_batch_and_no_more(node: Node) -> None:
    outcome, peer = node.session(Faults(lose_receipts=99), rows=100, deadline_ms=3000)
    assert not outcome["answered"]
    assert outcome["error"] == "timeout"
    assert outcome["rows"] == 12
    assert peer.kinds().count("up") == 1


def test_a_hello_that_came_before_the_subscription_is_said_once_more(node: Node) -> None:
    outcome, peer = node.session(Faults(lose_receipts=2), rows=3, again_ms=1000)
    assert outcome["answered"]
    assert peer.kinds() == ["hello", "up", "hello", "status"]
    first, second = peer.bodies("hello")
    assert first == second


def test_the_gateway_bounds_the_rows_of_a_session(node: Node) -> None:
    node.gateway.max_rows = 20
    outcome, _ = node.session(rows=100)
    assert outcome["rows"] == 32
    assert outcome["open"] == [[21, 88]]
    node.gateway.max_rows = 0
    outcome, _ = node.session(batch=12)
    assert outcome["rows"] == 12  # the newest of what is open


def test_what_is_asked_for_is_served(node: Node) -> None:
    node.session(rows=60)
    for n in (7, 8, 30):
        del node.gateway.stored[n]
    node.gateway.arrivals.clear()
    node.session(rows=1)
    outcome, _ = node.session()
    assert sorted(node.gateway.stored) == list(range(1, 62))
    assert node.gateway.arrivals[0] == 61
    assert sorted(node.gateway.arrivals[1:]) == [7, 8, 30]
    assert outcome["open"] == []


def test_a_restored_gateway_gets_everything_again(node: Node) -> None:
    node.session(rows=150)
    node.gateway = Gateway(store="d52e1b1c")
    outcome, _ = node.session()
    assert sorted(node.gateway.stored) == list(range(1, 151))
    assert outcome["open"] == []


def test_what_the_node_no_longer_has_is_said_with_its_reason(node: Node) -> None:
    node.gateway.max_rows = 0
    node.session(rows=60, small=True)
    node.gateway.max_rows = None
    _, peer = node.session(rows=0, drop=2)
    hello = json.loads(peer.bodies("hello")[0])
    first = hello["first"]
    assert first > 1
    held = set(range(first, 61))
    assert held <= set(node.gateway.stored)


def test_a_hole_in_the_middle_is_acknowledged_as_gone(node: Node) -> None:
    node.gateway.closed = [(1, 15, "waits")]  # as if the gateway had 1 to 15 still to ask for
    node.session(rows=60, small=True)
    node.gateway.closed = []
    quiet = {"deadline_ms": 20000, "quiet_ms": 2500}
    node.session(Faults(never_stores=True), **quiet)  # the mark knows that 1-15 are open
    outcome, _ = node.session(Faults(refuses=frozenset(range(1, 16))), drop=1, **quiet)
    for n in range(16, 31):
        node.gateway.stored.pop(n)
    outcome, peer = node.session()
    gone = [one for body in peer.bodies("ack") for one in json.loads(body)["gone"]]
    assert gone
    assert all(word == "dropped" and a > 15 for a, _, word in gone)
    assert outcome["open"] == [one[:2] for one in gone]
    told = {n for a, b, _ in gone for n in range(a, b + 1)}
    assert told | set(node.gateway.stored) == set(range(1, 61))
    outcome, peer = node.session()
    assert outcome["open"] == []
    assert "ack" not in peer.kinds()


def test_rows_of_unknown_time_go_in_an_array_of_their_own(node: Node) -> None:
    node.session(Faults(silent=True), rows=4, unknown=True, deadline_ms=1000)
    _, peer = node.session(rows=4)
    arrays = [json.loads(body) for body in peer.bodies("up")]
    assert [[row["n"] for row in rows] for rows in arrays] == [[1, 2, 3, 4], [5, 6, 7, 8]]
    assert all("ts" not in row and row["boot"] == 3 for row in arrays[0])
    assert all("ts" in row for row in arrays[1])


def test_no_up_is_over_4_kb(node: Node) -> None:
    _, peer = node.session(rows=300, batch=100)
    assert max(len(body) for body in peer.bodies("up")) <= 4096
    assert len(node.gateway.stored) == 300


@pytest.mark.parametrize("wrong", ["s", "journal"])
def test_receipts_of_others_are_not_obeyed(node: Node, wrong: str) -> None:
    outcome, _ = node.session(Faults(wrong_first=wrong), rows=5)
    assert outcome["answered"]
    assert outcome["next"] == 6  # the wrong one spoke of 500 more
    assert sorted(node.gateway.stored) == [1, 2, 3, 4, 5]


def test_a_birth_is_sent_when_asked_for(node: Node) -> None:
    _, peer = node.session(birth=True)
    assert "birth" not in peer.kinds()
    node.gateway.birth = True
    _, peer = node.session(birth=True)
    assert [retained for topic, _, retained in peer.said if topic.endswith("/birth")] == [True]


def test_an_unknown_command_is_answered_once(node: Node) -> None:
    node.gateway.cmd = [{"id": 7, "op": "dance"}]
    _, peer = node.session(rows=30)
    acks = [json.loads(body) for body in peer.bodies("ack")]
    assert [ack["cmd"] for ack in acks] == [[{"id": 7, "ok": 0, "why": "unknown op"}]]


def test_the_gateways_time_is_taken_with_half_the_round_trip(node: Node) -> None:
    outcome, _ = node.session(rows=1)
    assert outcome["now_ms"] == NOW_MS + outcome["round_ms"] // 2
    node.gateway.now = None
    outcome, _ = node.session(rows=1)
    assert outcome["now_ms"] is None


def test_rows_that_never_pass_block_nobody(node: Node) -> None:
    poison = Faults(refuses=frozenset({15}))
    node.session(Faults(silent=True), rows=30, deadline_ms=1000, batch=12)
    for _ in range(3):
        outcome, _ = node.session(poison, deadline_ms=8000, quiet_ms=QUIET_MS)
    assert outcome["open"] != []
    outcome, _ = node.session(poison, rows=2, deadline_ms=8000, quiet_ms=QUIET_MS)
    assert outcome["open"] == [[15, 15]]
    assert {n for n in range(1, 33) if n != 15} == set(node.gateway.stored)
