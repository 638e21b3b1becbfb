# SPDX-License-Identifier: MIT
"""The quick look at rows and at the broker's bytes says what the thorough look says."""

import json
import socket
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kahriz_gateway.intake.ledger import Ledger
from kahriz_gateway.intake.plain import plain_rows
from kahriz_gateway.intake.rows import values_text
from kahriz_gateway.mqtt_client import BufferedSocket
from kahriz_wire.messages import Row, WireError, decode_rows, encode_rows

NOW_MS = 1_795_000_000_000
LATEST_MS = NOW_MS + 86_400_000
EARLIEST_MS = 1_735_689_600_000


def quick(payload: bytes) -> Any:
    return plain_rows(payload, EARLIEST_MS, LATEST_MS)


words = st.sampled_from(["weir_distance_m", "air_c", "pool_level_m", "x", "tail_c", "a-1_v"])
odd_keys = st.sampled_from(["tq", "up_s", "boot", "weir_fault", "Ünlü", "", "n", "a" * 49, "x:y"])
numbers = st.one_of(
    st.floats(allow_nan=False),
    st.integers(-(10**17), 10**17),
    st.sampled_from([0.0, -0.0, 1e15, 1e16, -1e15, 2**70, 5.0]),
)
odd = st.one_of(st.none(), st.booleans(), st.text(max_size=3), st.lists(st.integers(), max_size=1))
bodies = st.dictionaries(
    st.one_of(words, words, words, odd_keys), st.one_of(numbers, numbers, numbers, odd), max_size=5
)


@st.composite
def row_objects(draw: st.DrawFn) -> dict[str, Any]:
    body: dict[str, Any] = {
        "ts": draw(st.sampled_from([NOW_MS, NOW_MS + 1, 0, LATEST_MS + 1, 1.5, "now"])),
        "n": draw(st.sampled_from([1, 2, 3, 4, 5, 0, -1, 2**32, 7.0])),
        "q": draw(st.sampled_from([1, 1, 1, 2, 3, 4, 9, 5, True, 1.0])),
    }
    if draw(st.booleans()):
        body.pop(draw(st.sampled_from(["ts", "n", "q"])))
    return {**body, **draw(bodies)} if draw(st.booleans()) else {**draw(bodies), **body}


@given(st.lists(row_objects(), max_size=4), st.sampled_from([None, (",", ":"), (" , ", ": ")]))
def test_what_is_plain_is_read_as_the_wire_contract_reads_it(
    rows: list[dict[str, Any]], separators: tuple[str, str] | None
) -> None:
    payload = json.dumps(rows, separators=separators).encode()
    found = quick(payload)
    if found is None:
        return
    good, bad = decode_rows(payload)
    assert bad == []
    assert [(row.n, row.ts, row.q) for row in good] == [row[:3] for row in found]
    assert [row.values for row in good] == [json.loads(body) for *_, body in found]
    assert all(row.tq is None and row.up_s is None and row.boot is None for row in good)


@given(st.binary(max_size=60), st.binary(max_size=20))
def test_bytes_that_are_no_rows_are_left_to_the_thorough_look(head: bytes, tail: bytes) -> None:
    for payload in (head, b"[" + head + b"]", b'[{"ts":' + head + b"}]" + tail):
        if quick(payload):
            decode_rows(payload)  # and is no WireError


def test_rows_as_a_node_writes_them_are_plain_and_kept_digit_for_digit() -> None:
    rows = [Row(n, 1, {"weir_distance_m": 0.6, "weir_echoes": 15.0}, NOW_MS + n) for n in (1, 2)]
    written = encode_rows(rows).replace(b"0.6", b"0.6000")
    found = quick(written)
    assert [body for *_, body in found] == ['{"weir_distance_m":0.6000,"weir_echoes":15.0}'] * 2
    rows = [Row(n, 1, {"air_c": n / 4, "echoes": 15.0}, NOW_MS + n) for n in range(1, 13)]
    assert [body for *_, body in quick(encode_rows(rows))] == [values_text(row) for row in rows]
    turned = json.dumps([{"air_c": 1.5, "q": 1, "n": 1, "ts": NOW_MS}]).encode()
    assert quick(turned) is None, "not as a node writes it: the thorough look takes it"


@pytest.mark.parametrize(
    "text",
    [
        '[{"ts":%d,"n":1,"q":1,"a_m":1.0,"a_m":2.0}]',
        '[{"ts":%d,"n":1,"q":1,"n":2}]',
        '[{"ts":%d,"n":2,"q":1},{"ts":1795000000000,"n":2,"q":1}]',
        '[{"ts":%d,"n":1,"q":1,"tq":"est"}]',
        '[{"ts":%d,"n":1,"q":1,"a_m":NaN}]',
        '[{"ts":%d,"n":1,"q":1,"a_m":1e999}]',
        '[{"ts":%d,"n":1,"q":1,"a_fault":3}]',
    ],
)
def test_two_of_one_key_and_other_oddities_are_no_other_reading(text: str) -> None:
    payload = (text % NOW_MS).encode()
    found = quick(payload)
    if found is not None:
        good, _ = decode_rows(payload)
        assert [(row.n, row.values) for row in good] == [(r[0], json.loads(r[3])) for r in found]


def test_four_kilobytes_are_the_most_for_both() -> None:
    payload = b'[{"ts":%d,"n":1,"q":1}%s]' % (NOW_MS, b" " * 4096)
    assert quick(payload) is None
    with pytest.raises(WireError):
        decode_rows(payload)


@given(st.lists(st.integers(1, 40), min_size=1, max_size=30, unique=True), st.integers(1, 6))
def test_numbers_held_at_once_are_held_as_one_by_one(numbers: list[int], size: int) -> None:
    one, other = Ledger(), Ledger()
    for at in range(0, len(numbers), size):
        group = sorted(numbers[at : at + size])
        if not other.hold_new(group):
            for n in group:
                other.hold(n)
        for n in group:
            one.hold(n)
        assert (one.top, one.missing) == (other.top, other.missing)


def publish(topic: bytes, payload: bytes, qos: int, mid: int) -> bytes:
    body = len(topic).to_bytes(2, "big") + topic + (mid.to_bytes(2, "big") if qos else b"")
    body += payload
    head, length = bytearray([0x30 | qos << 1]), len(body)
    while True:
        length, low = divmod(length, 128)
        head.append(low | (0x80 if length else 0))
        if not length:
            return bytes(head) + body


packets = st.lists(
    st.tuples(st.binary(min_size=1, max_size=9), st.binary(max_size=300), st.integers(0, 1)),
    max_size=8,
)


@given(packets, st.lists(st.integers(1, 400), max_size=12))
def test_packets_come_out_as_they_went_in_wherever_the_pieces_are_cut(
    sent: list[tuple[bytes, bytes, int]], cuts: list[int]
) -> None:
    """What `take_publish` does not hand out is read byte by byte, as paho does; nothing between."""
    wire = b"".join(publish(t, p, qos, i + 1) for i, (t, p, qos) in enumerate(sent))
    near, far = socket.socketpair()
    with near, far:
        reader = BufferedSocket(near)
        near.setblocking(False)
        seen, rest = [], b""
        for piece in [*cuts, len(wire)]:
            far.sendall(wire[:piece])
            wire = wire[piece:]
            while not wire or rest or reader.pending() or near_has(near):
                if not rest and near_has(near) and not reader.pending():
                    reader.fill()
                packet = None if rest else reader.take_publish()
                if packet is not None:
                    seen.append((packet[0], packet[1], packet[4]))
                    continue
                try:
                    more = reader.recv(1)
                except BlockingIOError:
                    break
                rest += more
                if whole(rest):
                    seen.append(taken_apart(rest))
                    rest = b""
        assert seen == sent


def near_has(near: socket.socket) -> bool:
    try:
        return bool(near.recv(1, socket.MSG_PEEK))
    except BlockingIOError:
        return False


def body_of(packet: bytes) -> tuple[int, int] | None:
    """Where the body begins and ends."""
    length = shift = 0
    for at, low in enumerate(packet[1:], 1):
        length |= (low & 0x7F) << shift
        shift += 7
        if low < 128:
            return at + 1, at + 1 + length
    return None


def whole(packet: bytes) -> bool:
    span = body_of(packet)
    return span is not None and len(packet) >= span[1]


def taken_apart(packet: bytes) -> tuple[bytes, bytes, int]:
    start, _ = body_of(packet) or (0, 0)
    qos, topic = packet[0] >> 1 & 1, start + 2
    end = topic + int.from_bytes(packet[start:topic], "big")
    return packet[topic:end], packet[end + 2 * qos :], qos
