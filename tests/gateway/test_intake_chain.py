# SPDX-License-Identifier: MIT
"""Intake over a real broker with a real paho on the node's side."""

import json
import threading
from collections.abc import Callable

import pytest

from kahriz_sim.services import Broker

from .conftest import NOW_MS, PATIENCE_S, Node, Process, rows, wait_for

MakeIntake = Callable[..., Process]
MakeNode = Callable[..., Node]


def test_a_session_is_stored_and_receipted(
    broker: Broker, make_intake: MakeIntake, make_node: MakeNode
) -> None:
    intake = make_intake(broker.port)
    node = make_node(broker.port)
    s = node.hello(1, 25, birth=1)
    node.up(rows(13, 24))
    receipt = node.receipt()
    assert (receipt.s, receipt.journal, receipt.now) == (s, node.journal, NOW_MS)
    assert receipt.birth, "a birth that we do not have is asked for"
    wait_for(lambda: intake.query("SELECT count(*) FROM reading") == [(12,)], "12 rows stored")
    node.up(rows(1, 12))
    assert node.receipt(upto=24).missing == []
    assert intake.query("SELECT a, b FROM gap") == []
    assert intake.query("SELECT min(n), max(n), count(*), max(times) FROM reading") == [
        (1, 24, 24, 1)
    ]


def test_killed_in_mid_stream_nothing_is_lost_and_nothing_doubled(
    broker: Broker, make_intake: MakeIntake, make_node: MakeNode
) -> None:
    """Publishers wait for receipts as nodes do; intake dies four times while they send."""
    intake = make_intake(broker.port)
    last = 600
    names = ["outlet", "middle", "inlet"]
    nodes = [make_node(broker.port, name) for name in names]

    def live(node: Node) -> None:
        """Send a batch, wait for its receipt; without one, say hello and send it again."""
        held = 0
        while held < last:
            top = min(held + 12, last)
            node.hello(1, top + 1)
            node.up(rows(held + 1, top))
            for _ in range(20):
                try:
                    receipt = node.receipt(timeout_s=0.5)
                except pytest.fail.Exception:
                    break  # intake is dead just now
                if receipt.upto >= top and not receipt.missing:
                    held = top
                    break

    threads = [threading.Thread(target=live, args=(node,)) for node in nodes]
    for thread in threads:
        thread.start()
    for share in (1, 2, 3, 4):
        wait_for(
            lambda share=share: (
                intake.query("SELECT count(*) FROM reading")[0][0] > share * len(names) * last // 6
            ),
            "rows come in",
        )
        intake.kill9()
        intake.start()
    for thread in threads:
        thread.join(PATIENCE_S)
        assert not thread.is_alive()
    assert intake.query(
        "SELECT node, count(*), count(DISTINCT n), min(n), max(n) FROM reading GROUP BY node"
    ) == [(name, last, last, 1, last) for name in sorted(names)]
    assert intake.query("SELECT count(*) FROM gap") == [(0,)]
    assert intake.query("SELECT count(*) FROM quarantine") == [(0,)]
    assert intake.query("PRAGMA integrity_check") == [("ok",)]


def test_a_broker_that_dies_is_found_again(
    broker: Broker, make_intake: MakeIntake, make_node: MakeNode
) -> None:
    intake = make_intake(broker.port)
    node = make_node(broker.port)
    node.hello(1, 13)
    node.up(rows(1, 12))
    node.receipt(upto=12)
    seen = intake.log.read_bytes().count(b"subscribed")
    broker.kill9()
    broker.restart()
    wait_for(lambda: intake.log.read_bytes().count(b"subscribed") > seen, "intake comes back")
    again = make_node(broker.port, "middle")
    again.hello(1, 13)
    again.up(rows(1, 12))
    again.receipt(upto=12)
    assert intake.query("SELECT node, count(*) FROM reading GROUP BY node") == [
        ("middle", 12),
        ("outlet", 12),
    ]


def test_status_says_online_and_the_broker_says_offline_for_the_dead(
    broker: Broker, make_intake: MakeIntake, make_node: MakeNode
) -> None:
    intake = make_intake(broker.port)
    heard: list[dict[str, str]] = []
    node = make_node(broker.port)
    node.client.message_callback_add(
        "kahriz/v1/+/gateway/status", lambda c, u, m: heard.append(json.loads(m.payload))
    )
    node.client.subscribe("kahriz/v1/+/gateway/status", 1)
    store = intake.query("SELECT value FROM meta WHERE key='store'")[0][0]
    wait_for(
        lambda: any(h.get("state") == "online" and h.get("store") == store for h in heard),
        "online is retained",
    )
    intake.kill9()
    wait_for(
        lambda: (heard[-1]["state"], heard[-1]["store"]) == ("offline", store), "the will speaks"
    )
    intake.start()
    wait_for(lambda: heard[-1]["state"] == "online", "online again")
    assert intake.stop() == 0
    wait_for(
        lambda: (heard[-1]["state"], heard[-1]["store"]) == ("offline", store),
        "a clean end says so",
    )


def test_what_waits_in_the_broker_is_taken_when_intake_returns(
    broker: Broker, make_intake: MakeIntake, make_node: MakeNode
) -> None:
    intake = make_intake(broker.port)
    assert intake.stop() == 0
    node = make_node(broker.port)
    node.hello(1, 101)
    node.up(rows(1, 100))
    intake.start()
    wait_for(lambda: intake.query("SELECT count(*) FROM reading") == [(100,)], "queued rows")
    assert node.receipt(upto=100).missing == []


def test_retained_hellos_and_rows_are_nobodys(
    broker: Broker, make_intake: MakeIntake, make_node: MakeNode
) -> None:
    node = make_node(broker.port)
    node.publish(
        "hello", b'{"s":"5be1c07a","journal":"9f3a01c2","first":1,"next":900}', retain=True
    )
    node.publish("up/9f3a01c2", b'[{"ts":1764000000000,"n":1,"q":1,"air_c":1.0}]', retain=True)
    intake = make_intake(broker.port)
    other = make_node(broker.port, "middle")
    other.hello(1, 2)
    other.receipt()
    assert intake.query("SELECT node FROM session") == [("middle",)]
    assert intake.query("SELECT count(*) FROM reading") == [(0,)]
    assert intake.query("SELECT count(*) FROM quarantine") == [(0,)]
