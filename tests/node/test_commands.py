# SPDX-License-Identifier: MIT
"""Commands of a receipt: done once, answered every time, refused with the reason."""

import json
from typing import Any

from .nodes import Node
from .peer import Faults, Peer


def answers(peer: Peer) -> list[dict[str, Any]]:
    """What the node's acks said of commands."""
    return [one for body in peer.bodies("ack") for one in json.loads(body).get("cmd", [])]


def asked(node: Node, op: object, **args: Any) -> dict[str, Any]:
    """The answer to one command."""
    ident = node.gateway.cmd[-1]["id"] + 1 if node.gateway.cmd else 1
    node.gateway.cmd = [{"id": ident, "op": op, **({"args": args} if args else {})}]
    _, peer = node.session(rows=1)
    (answer,) = answers(peer)
    assert answer["id"] == ident
    return answer


def test_what_a_node_cannot_do_is_refused_with_the_reason(node: Node) -> None:
    for op, args, why in (
        ("dance", {}, "unknown op"),
        (7, {}, "unknown op"),
        ("identify", {"times": 61}, "times: expected 1 to 60"),
        ("identify", {"times": "5"}, "times: expected 1 to 60"),
        ("resend", {"a": 5}, "expected a and b"),
        ("resend", {"a": 5, "b": 4}, "expected 1 to 2000 rows"),
        ("resend", {"a": 1, "b": 2001}, "expected 1 to 2000 rows"),
    ):
        answer = asked(node, op, **args)
        assert (answer["ok"], answer["why"]) == (0, why), op
    node.gateway.cmd = [{"id": 90, "op": "identify", "args": [1]}]
    _, peer = node.session(rows=1)
    assert answers(peer) == [{"id": 90, "ok": 0, "why": "args: expected an object"}]


def test_a_command_without_a_number_is_nobodys(node: Node) -> None:
    node.gateway.cmd = [{"op": "reboot"}, {"id": 0, "op": "reboot"}, {"id": True, "op": "reboot"}]
    _, peer = node.session(rows=1)
    assert answers(peer) == []


def test_rows_asked_for_come_again_though_they_were_receipted(node: Node) -> None:
    node.session(rows=30)
    node.gateway.cmd = [{"id": 4, "op": "resend", "args": {"a": 5, "b": 20}}]
    _, peer = node.session(rows=1)
    assert answers(peer) == [{"id": 4, "ok": 1}]
    counts = {n: node.gateway.arrivals.count(n) for n in range(1, 32)}
    assert {n for n, count in counts.items() if count == 2} == set(range(5, 21))
    assert set(counts.values()) == {1, 2}


def test_a_command_that_comes_again_is_answered_again_and_not_done_again(node: Node) -> None:
    node.session(rows=30)
    node.gateway.cmd = [{"id": 4, "op": "resend", "args": {"a": 5, "b": 20}}]
    for _ in range(3):
        _, peer = node.session(rows=1)
        assert answers(peer) == [{"id": 4, "ok": 1}]
    assert node.gateway.arrivals.count(7) == 2


def test_another_store_counts_its_commands_anew(node: Node) -> None:
    node.gateway.cmd = [{"id": 1, "op": "dance"}]
    node.session(rows=1)
    node.gateway.cmd = [{"id": 1, "op": "identify"}]
    _, peer = node.session(rows=1)
    assert answers(peer)[0]["ok"] == 0
    node.gateway.store = "0badcafe"
    _, peer = node.session(rows=1)
    assert answers(peer) == [{"id": 1, "ok": 1}]


def test_zero_names_the_reading_just_taken_or_why_there_is_none(node: Node) -> None:
    assert asked(node, "zero")["n"] == 1
    node.gateway.cmd = [{"id": 9, "op": "zero"}]
    _, peer = node.session(rows=1, readings={"weir": "no_echo", "air": "no_presence"})
    assert answers(peer) == [{"id": 9, "ok": 0, "why": "nothing was measured"}]


def test_a_command_whose_answer_was_lost_is_answered_in_the_next_session(node: Node) -> None:
    node.gateway.cmd = [{"id": 3, "op": "identify"}]
    node.session(Faults(close_at="ack"), rows=1)
    _, peer = node.session(rows=1)
    assert answers(peer) == [{"id": 3, "ok": 1}]
