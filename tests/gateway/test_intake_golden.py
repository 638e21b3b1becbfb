# SPDX-License-Identifier: MIT
"""The golden messages of the contract through the intake: good ones stored, bad ones kept whole."""

from collections.abc import Callable
from pathlib import Path

import pytest

from kahriz_gateway.intake import quarantine
from kahriz_sim.services import Broker
from kahriz_wire.messages import decode_rows

from .conftest import ROOT, Gateway, Node, Process, rows, wait_for

GOLDEN = ROOT / "tests" / "data" / "wire"
JOURNAL = "9f3a01c2"
FROM_NODES = sorted(
    path
    for path in GOLDEN.glob("*.json")
    if path.name.split(".")[0] in ("hello", "up", "ack", "birth")
)


def kind_of(path: Path) -> str:
    kind = path.name.split(".")[0]
    return f"up/{JOURNAL}" if kind == "up" else kind


def said(path: Path) -> str:
    return path.with_suffix(".expected").read_text(encoding="utf-8")


def refused(path: Path) -> bool:
    return said(path).startswith("WireError")


def test_there_are_golden_messages() -> None:
    assert {kind_of(path) for path in FROM_NODES} == {"hello", f"up/{JOURNAL}", "ack", "birth"}
    assert {refused(path) for path in FROM_NODES} == {True, False}


@pytest.mark.parametrize("path", FROM_NODES, ids=lambda path: path.stem)
def test_a_golden_message_is_taken_or_kept_as_it_came(path: Path, tmp_path: Path) -> None:
    gateway = Gateway(tmp_path / "readings.db")
    payload = path.read_bytes()
    gateway.tell(kind_of(path), payload)
    kept = quarantine.listed(gateway.conn)
    stored = gateway.query("SELECT count(*) FROM reading")[0][0]
    if refused(path):
        assert [one.body for one in kept] == [payload]
        assert stored == 0
        return
    if path.name.startswith("up."):
        good, bad = decode_rows(payload)
        assert stored == len(good)
        assert [one.body for one in kept] == ([payload] if bad else [])
    else:
        assert kept == []
        counts = gateway.query(
            "SELECT (SELECT count(*) FROM session), (SELECT count(*) FROM birth)"
        )[0]
        assert counts == {"hello": (1, 0), "birth": (0, 1), "ack": (0, 0)}[kind_of(path)]


def test_all_of_them_over_the_broker_hurt_nobody(
    broker: Broker, make_intake: Callable[..., Process], make_node: Callable[..., Node]
) -> None:
    intake = make_intake(broker.port)
    node = make_node(broker.port)
    bad = 0
    for path in FROM_NODES:
        node.publish(kind_of(path), path.read_bytes())
        bad += "unreadable" in said(path) or refused(path)
    other = make_node(broker.port, "middle")
    other.hello(1, 13)
    other.up(rows(1, 12))
    assert other.receipt(upto=12).missing == []
    wait_for(
        lambda: intake.query("SELECT count(*) FROM quarantine")[0][0] >= bad,
        "the bad ones are kept",
    )
    assert intake.child is not None
    assert intake.child.poll() is None
