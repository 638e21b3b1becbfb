# SPDX-License-Identifier: MIT
"""Mutual TLS under the node's own mbedTLS: both sides are known, and every refusal has a word."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from kahriz_node.session import ROUND_MOST_MS

from .certs import Papers, Site
from .nodes import Node
from .peer import Faults, Peer

PATIENT_MS = 20_000


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    site = Site(tmp_path_factory.mktemp("site"))
    site.sign("broker", ["127.0.0.1", "gateway.lan"])
    site.sign("nameless", ["elsewhere.lan"])
    site.sign("old", ["127.0.0.1"], ends=datetime(2025, 6, 1, tzinfo=UTC))
    site.sign("outlet")
    stranger = Site(site.folder, "stranger-ca")
    stranger.sign("stranger")
    return site


@pytest.fixture
def node() -> Iterator[Node]:
    node = Node("micropython")
    yield node
    node.close()


def papers(site: Site, name: str = "outlet", ca: str = "ca") -> dict[str, str]:
    return {
        "ca": str(site.folder / f"{ca}.der"),
        "cert": str(site.folder / f"{name}.der"),
        "key": str(site.folder / f"{name}.key.der"),
    }


def context(site: Site, name: str = "broker") -> Any:
    return site.server(Papers(site.folder, name))


def test_a_session_with_certificates_on_both_sides(node: Node, site: Site) -> None:
    outcome, peer = node.session(rows=200, context=context(site), tls=papers(site))
    assert not peer.complaints
    assert not outcome["error"]
    assert outcome["open"] == []
    assert sorted(node.gateway.stored) == list(range(1, 201))
    assert peer.clean_ends == 1


def test_the_handshake_is_no_part_of_the_round_trip(node: Node, site: Site) -> None:
    late = Faults(late_s=ROUND_MOST_MS / 1000)
    outcome, _ = node.session(late, rows=1, context=context(site), tls=papers(site))
    assert outcome["now_ms"] is not None
    assert outcome["round_ms"] < ROUND_MOST_MS


def test_a_broker_called_by_its_address_may_have_a_name(node: Node, site: Site) -> None:
    named = papers(site) | {"name": "gateway.lan"}
    assert node.session(rows=1, context=context(site), tls=named)[0]["answered"]
    named["name"] = "other.lan"
    outcome, _ = node.session(rows=1, context=context(site), tls=named)
    assert outcome["error"] == "tls-name"


def test_while_the_site_changes_its_authority_both_are_believed(node: Node, site: Site) -> None:
    stranger = str(site.folder / "stranger-ca.der")
    both = papers(site, ca="stranger-ca") | {"ca2": str(site.folder / "ca.der")}
    assert node.session(rows=1, context=context(site), tls=both)[0]["answered"]
    both = papers(site) | {"ca2": stranger}
    assert node.session(rows=1, context=context(site), tls=both)[0]["answered"]


REFUSED = {
    "wrong CA": ("broker", {"ca": "stranger-ca"}, "tls-ca"),
    "expired certificate": ("old", {}, "tls-expired"),
    "another's name": ("nameless", {}, "tls-name"),
    "a node of another site": ("broker", {"name": "stranger"}, "tls-alert, socket 32, socket 104"),
    "no certificate on the node": ("broker", {"name": "absent"}, "tls-file"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_who_is_not_known_is_refused_in_a_word(node: Node, site: Site, what: str) -> None:
    broker, mine, word = REFUSED[what]
    outcome, peer = node.session(
        rows=3, context=context(site, broker), tls=papers(site, **mine), deadline_ms=PATIENT_MS
    )
    assert not outcome["answered"]
    assert outcome["error"] in word.split(", ")  # the alert, or that the line is gone
    assert peer.said == []
    outcome, _ = node.session(context=context(site), tls=papers(site))
    assert outcome["open"] == []


def test_a_key_that_belongs_to_nobody_is_named(node: Node, site: Site) -> None:
    (site.folder / "torn.der").write_bytes((site.folder / "outlet.der").read_bytes()[:200])
    (site.folder / "torn.key.der").write_bytes(b"not a key")
    outcome, _ = node.session(rows=1, context=context(site), tls=papers(site, "torn"))
    assert outcome["error"] in ("tls-cert", "tls-key")
    (site.folder / "torn.der").write_bytes((site.folder / "outlet.der").read_bytes())
    outcome, _ = node.session(rows=1, context=context(site), tls=papers(site, "torn"))
    assert outcome["error"] == "tls-key"


def test_a_plain_broker_is_no_broker(node: Node, site: Site) -> None:
    outcome, _ = node.session(
        Faults(close_at="connect"), rows=1, tls=papers(site), deadline_ms=1500
    )
    assert not outcome["answered"]
    assert outcome["error"]


class Slow:
    """A line to a peer that gives the node a byte at a time, or falls silent after some bytes."""

    def __init__(self, port: int, bytes_to_give: int | None) -> None:
        self._port = port
        self._left = bytes_to_give
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._lines: list[socket.socket] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._listener.close()
        for line in self._lines:
            with contextlib.suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)
            line.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            node, _ = self._listener.accept()
            broker = socket.create_connection(("127.0.0.1", self._port))
            node.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._lines += [node, broker]
            threading.Thread(target=self._up, args=(node, broker), daemon=True).start()
            self._down(node, broker)

    def _up(self, node: socket.socket, broker: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := node.recv(4096):
                broker.sendall(data)
            broker.shutdown(socket.SHUT_WR)

    def _down(self, node: socket.socket, broker: socket.socket) -> None:
        while data := broker.recv(4096):
            for byte in data:
                if self._left is not None:
                    if self._left == 0:
                        return
                    self._left -= 1
                node.sendall(bytes((byte,)))
                if self._left is None:
                    time.sleep(0.0002)


def through(node: Node, site: Site, given: int | None, **order: Any) -> dict[str, Any]:
    peer = Peer(node.gateway, None, context(site))
    slow = Slow(peer.port, given)
    try:
        return node.order(slow.port, tls=papers(site), **order)
    finally:
        slow.close()
        peer.close()


def test_a_handshake_that_dribbles_in_is_put_together(node: Node, site: Site) -> None:
    assert through(node, site, None, rows=5)["open"] == []


@pytest.mark.parametrize("given", [0, 1, 5, 60, 400, 800, 1000, 1400])
def test_a_handshake_that_stops_anywhere_ends_at_the_deadline(
    node: Node, site: Site, given: int
) -> None:
    begin = time.monotonic()
    outcome = through(node, site, given, rows=2, deadline_ms=700)
    assert outcome["error"] == "timeout"
    assert time.monotonic() - begin < 30
    assert outcome["open"] == [[1, 2]]


@pytest.mark.parametrize(
    "faults",
    [
        Faults(half_open=True),
        Faults(silent=True),
        Faults(deaf=True),
        Faults(connack=None, lose_receipts=99),
        Faults(lose_receipts=99),
        Faults(close_at="hello"),
        Faults(reset_at="up"),
        Faults(before_receipt=b"\xff" * 40),
    ],
    ids=["half open", "silent", "deaf", "connack", "receipts", "closed", "reset", "garbage"],
)
def test_inside_tls_every_accident_ends_the_session_too(
    node: Node, site: Site, faults: Faults
) -> None:
    outcome, _ = node.session(
        faults, rows=30, context=context(site), tls=papers(site), deadline_ms=1200
    )
    assert outcome["error"]
    outcome, _ = node.session(context=context(site), tls=papers(site))
    assert outcome["open"] == []
