# SPDX-License-Identifier: MIT
"""The office's door on real sockets: wrong keys, repeats, garbage, the slow, a full disk."""

from __future__ import annotations

import random
import socket
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from kahriz_alarms.heartbeat import beat as wire
from kahriz_alarms.heartbeat import key
from kahriz_alarms.loop import book, findings
from kahriz_detect.finding import RAISED, Finding
from kahriz_server.watch import store

from .office import DAY, PATIENCE_S, START, Bench, Door, Node, door

SITES = ("left", "right")


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    made.add(*SITES)
    yield made
    made.conn.close()


@pytest.fixture
def office(bench: Bench) -> Iterator[Door]:
    with door(bench) as made:
        yield made


def heard(bench: Bench, site: str = "left") -> int | None:
    found = store.gateway(bench.conn, site)
    assert found is not None
    return found.received


def raw(office: Door, sent: bytes) -> bytes:
    """What comes back for these bytes, to the end of the connection."""
    with socket.create_connection(("127.0.0.1", office.port), PATIENCE_S) as sock:
        try:
            sock.sendall(sent)
            sock.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: sock.recv(65_536), b""))
        except ConnectionError:
            return b""


def test_two_gateways_are_heard_each_by_its_own_key(bench: Bench, office: Door) -> None:
    for site in SITES:
        node = bench.nodes[site]
        assert office.beat(node, node.beat(START, alarms=3)) == (200, {"now": START})
    found = {each.site: each for each in store.gateways(bench.conn)}
    assert [found[site].received for site in SITES] == [START, START]
    assert all(each.beat is not None and each.beat.alarms == 3 for each in found.values())


def test_only_the_owner_of_the_key_speaks_for_a_gateway(bench: Bench, office: Door) -> None:
    left, right, stranger = bench.nodes["left"], bench.nodes["right"], Node("left")
    body = left.beat(START)
    assert office.beat(right, body)[0] == 401
    assert office.beat(stranger, body)[0] == 401
    assert office.beat(left, body, signed=body + b" ")[0] == 401
    assert office.beat(Node("nowhere"), Node("nowhere").beat(START))[0] == 401
    for header in ("", "ed25519=", "ed25519=AAAA", f"rsa={key.sign(left.seed, body)[8:]}", "é"):
        signed = {wire.SIGNATURE: header}
        assert office.ask("POST", wire.PATH, body, **signed)[0] == 401
    assert heard(bench) is None


def test_a_heartbeat_is_heard_once_and_what_was_recorded_is_refused(
    bench: Bench, office: Door
) -> None:
    node = bench.nodes["left"]
    old, new = node.beat(START), node.beat(START)
    assert office.beat(node, old)[0] == 200
    assert office.beat(node, new)[0] == 200
    bench.clock.ms += DAY
    for repeat in (old, new):
        assert office.beat(node, repeat) == (409, {"error": "heard before", "newest": node.n})
    assert heard(bench) == START


def test_a_clock_a_day_off_is_heard_and_told(bench: Bench, office: Door) -> None:
    node = bench.nodes["left"]
    assert office.beat(node, node.beat(START - DAY))[0] == 200
    found = store.gateway(bench.conn, "left")
    assert found is not None
    assert (found.received, found.off) == (START, -DAY)


def test_a_second_key_of_a_gateway_begins_its_counting_anew(bench: Bench, office: Door) -> None:
    old = bench.nodes["left"]
    old.n = 1000
    assert office.beat(old, old.beat(START))[0] == 200
    new = bench.nodes["left"] = Node("left")
    bench.add("left")
    assert office.beat(new, new.beat(START))[0] == 200
    assert office.beat(old, old.beat(START))[0] == 401


WORDS = '{"v":1,"site":"left","n":1,"at":1,"version":"0.1.0","trusted":true%s}'


GARBAGE = (
    b"",
    b"{}",
    b"null",
    b"\xff\xfe",
    b"[" * 4000,
    b'{"a":' * 800,
    (WORDS % "").replace('"v":1', '"v":2').encode(),
    (WORDS % ',"room_used":NaN').encode(),
    (WORDS % ',"room_used":1.5').encode(),
    (WORDS % ',"days_left":Infinity').encode(),
    (WORDS % ',"alarms":true').encode(),
    (WORDS % ',"alarms":-1').encode(),
    (WORDS % ',"mains":"yes"').encode(),
    (WORDS % f',"backlog":{"9" * 3500}').encode(),
    (WORDS % "").replace('"n":1', '"n":1.5').encode(),
    (WORDS % "").replace('"n":1', f'"n":{1 << 60}').encode(),
    (WORDS % "").replace("0.1.0", "+994501234567").encode(),
    (WORDS % "").replace('"left"', '"Əli Məmmədov"').encode(),
    (WORDS % "").replace('"left"', '"../../etc"').encode(),
)


def test_what_is_no_heartbeat_is_refused_in_words(bench: Bench, office: Door) -> None:
    for body in GARBAGE:
        status, said = office.ask("POST", wire.PATH, body)
        assert (status, bool(said["error"])) == (400, True), body
    assert heard(bench) is None


def test_what_is_not_known_is_not_kept(bench: Bench, office: Door) -> None:
    node = bench.nodes["left"]
    body = node.beat(START)[:-1] + b',"phone":"+994501234567"}'
    assert office.beat(node, body)[0] == 200
    kept = b"".join(path.read_bytes() for path in bench.data.iterdir())
    assert b"+994501234567" not in kept


def test_random_bytes_and_broken_http_harm_nobody(bench: Bench, office: Door) -> None:
    dice = random.Random(7)
    sent = [dice.randbytes(dice.randrange(1, 3000)) for _ in range(60)]
    sent += [
        b"POST /v1/heartbeat HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
        b"POST /v1/heartbeat HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\nContent-Length: 8\r\n\r\n",
        b"POST /v1/heartbeat HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
        b"GET /healthz HTTP/1.1\r\n" + b"X: y\r\n" * 5000 + b"\r\n",
        b"GET " + b"/" * 20_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST /v1/heartbeat HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc",  # a TLS hello
        b"",
    ]
    for each in sent:
        assert b"HTTP/1.1 200" not in raw(office, each)
    node = bench.nodes["left"]
    assert office.beat(node, node.beat(START))[0] == 200


def test_a_body_of_a_megabyte_is_refused_and_the_next_is_heard(bench: Bench, office: Door) -> None:
    node = bench.nodes["left"]
    large = node.beat(START) + b" " * 1_000_000
    assert office.beat(node, large)[0] == 413
    chunks = b"%x\r\n%s\r\n" % (len(large), large)
    head = b"POST /v1/heartbeat HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert raw(office, head + chunks).startswith(b"HTTP/1.1 413")
    assert office.beat(node, node.beat(START))[0] == 200


def test_those_who_drip_delay_nobody_and_lose_their_connection(bench: Bench, office: Door) -> None:
    """A heartbeat beside fifty that send half a request and wait; then some, with little time."""

    def half() -> socket.socket:
        sock = socket.create_connection(("127.0.0.1", office.port), PATIENCE_S)
        sock.sendall(b"POST /v1/heartbeat HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n")
        return sock

    slow = [half() for _ in range(50)]
    node = bench.nodes["left"]
    assert office.beat(node, node.beat(START))[0] == 200
    for sock in slow:
        sock.close()
    office.server.deadline_s = 0.1
    for _ in range(5):
        try:
            with half() as sock:
                assert sock.recv(1) == b""
        except ConnectionError:  # lost, and before all of it was sent
            continue


def test_other_paths_and_methods_are_named(office: Door) -> None:
    assert office.ask("GET", wire.PATH)[0] == 405
    assert office.ask("POST", "/healthz", b"")[0] == 405
    assert office.ask("GET", "/")[0] == 404
    assert office.ask("GET", "/../../etc/passwd")[0] == 404


def test_health_and_metrics_say_what_was_heard(bench: Bench, office: Door) -> None:
    node = bench.nodes["left"]
    assert office.beat(node, node.beat(START - 60_000, room_used=0.5))[0] == 200
    bench.clock.ms += 5000
    status, said = office.ask("GET", "/healthz")
    assert (status, said["ok"], said["gateways"]) == (200, True, 2)
    text = office.ask("GET", "/metrics")[1]["text"].decode()
    assert 'kahriz_office_heard_seconds{site="left"} 5\n' in text
    assert 'kahriz_office_clock_off_seconds{site="left"} -60\n' in text
    assert 'kahriz_office_room_used_ratio{site="left"} 0.5\n' in text
    assert 'kahriz_office_heard_seconds{site="right"}' not in text  # unknown is not 0
    assert 'kahriz_office_heartbeats_total{status="200"} 1\n' in text


def test_a_store_that_takes_nothing_is_said_and_goes_on_by_itself(
    bench: Bench, office: Door
) -> None:
    """SQLite itself refuses: no page more than there are."""
    node, fat = bench.nodes["left"], {"days_left": 123456.125, "battery_hours": 1234.0625}
    for at in range(200):  # every page is full of gateways
        bench.add(f"more-{at}")
    pages = office.conn.execute("PRAGMA page_count").fetchone()[0]
    office.conn.execute(f"PRAGMA max_page_count={pages}")
    answers = []
    for at in range(200):
        each = bench.nodes[f"more-{at}"]
        answers.append(office.beat(each, each.beat(START, **fat))[0])
        if answers[-1] == 503:
            break
    assert answers[-1] == 503
    assert office.ask("GET", "/healthz")[0] == 503
    office.conn.execute("PRAGMA max_page_count=1000000")
    assert office.beat(node, node.beat(START, **fat))[0] == 200
    assert office.ask("GET", "/healthz")[0] == 200


def test_a_store_that_is_locked_for_long_is_no_loss(bench: Bench, office: Door) -> None:
    office.conn.execute("PRAGMA busy_timeout=50")
    node = bench.nodes["left"]
    other = sqlite3.connect(bench.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    body = node.beat(START)
    assert office.beat(node, body)[0] == 503
    other.execute("ROLLBACK")
    other.close()
    assert office.beat(node, body)[0] == 200  # it was not counted as heard


def test_an_alarm_is_taken_by_the_link_in_the_mail_once(bench: Bench, office: Door) -> None:
    finding = Finding(RAISED, "gateway_silent", "left", START)
    with store.transaction(bench.conn):
        alarm = findings.raise_alarm(bench.conn, finding, bench.office.plan, START, {})
    link = "/a/" + office.links.make(alarm.id, "ack", "ayten", START // 1000 + 60)
    status, said = office.ask("GET", link)
    assert (status, b"<button>" in said["text"]) == (200, True)
    assert book.open_alarms(bench.conn)[0].owner is None  # a look has changed nothing
    assert office.ask("POST", link, b"")[0] == 200
    assert book.open_alarms(bench.conn)[0].owner == "ayten"
    for method in ("POST", "GET"):
        assert office.ask(method, link, b"" if method == "POST" else None)[0] == 410
    forged = office.links.make(alarm.id, "fixed", "ayten", START // 1000 + 60)
    old = office.links.make(alarm.id, "fixed", "ayten", START // 1000 - 1)
    for wrong in (old, forged[:-1] + "A", forged.replace("ayten", "quliyev"), "x", "", "../" * 9):
        assert office.ask("POST", f"/a/{wrong}", b"")[0] == 410
    assert len(book.steps(bench.conn, alarm.id)) == 2
