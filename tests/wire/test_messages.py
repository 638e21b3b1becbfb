# SPDX-License-Identifier: MIT
"""What is encoded decodes to the same, and no bytes make a decoder do anything but refuse."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kahriz_wire import WireError, fields, messages, topics

HEX = st.text("0123456789abcdef", min_size=8, max_size=8)
N = st.integers(1, 2**32 - 1)
SPAN = st.tuples(N, N).map(lambda ab: [min(ab), max(ab)])
KEYS = [f"weir_{name}" for name in fields.FIELDS]
VALUE = st.floats(-1e9, 1e9, allow_nan=False) | st.integers(-(10**9), 10**9)
DECODERS = [
    messages.decode_hello,
    messages.decode_rows,
    messages.decode_receipt,
    messages.decode_ack,
    messages.decode_birth,
    messages.decode_status,
]


@st.composite
def rows(draw: st.DrawFn) -> messages.Row:
    values = draw(st.dictionaries(st.sampled_from(KEYS), VALUE, max_size=4))
    q = draw(st.sampled_from(fields.QARTOD))
    if draw(st.booleans()):
        tq = draw(st.sampled_from([None, "est"]))
        return messages.Row(draw(N), q, dict(values), ts=draw(st.integers(1, 10**13)), tq=tq)
    up_s, boot = draw(st.integers(0, 10**6)), draw(st.integers(0, 10**4))
    return messages.Row(draw(N), q, dict(values), tq="unk", up_s=up_s, boot=boot)


@given(st.lists(rows(), max_size=8, unique_by=lambda row: row.n))
def test_rows_come_back_as_they_were(sent: list[messages.Row]) -> None:
    good, bad = messages.decode_rows(messages.encode_rows(sent))
    assert good == sent
    assert bad == []


@given(HEX, HEX, N, st.integers(0, 10**6), st.floats(0, 30), st.integers(-120, 0))
def test_a_hello_comes_back(s: str, journal: str, n: int, heap: int, v: float, dbm: int) -> None:
    hello = messages.Hello(s, journal, 1, n)
    hello.heap, hello.battery_v, hello.rssi_dbm, hello.error = heap, v, dbm, "no receipt"
    assert vars(messages.decode_hello(messages.encode_hello(hello))) == vars(hello)


@given(HEX, HEX, HEX, st.integers(0, 2**32 - 1), st.lists(SPAN, max_size=16), st.booleans())
def test_a_receipt_comes_back(
    s: str, journal: str, store: str, upto: int, missing: list[list[int]], birth: bool
) -> None:
    receipt = messages.Receipt(s, journal, store, upto, missing)
    receipt.birth, receipt.max_rows, receipt.now = birth, 0, 1764000000123
    receipt.cmd = [{"id": 1, "op": "identify"}]
    assert vars(messages.decode_receipt(messages.encode_receipt(receipt))) == vars(receipt)


@given(HEX, HEX, st.lists(SPAN, max_size=8))
def test_an_ack_comes_back(s: str, journal: str, spans: list[list[int]]) -> None:
    ack = messages.Ack(s, journal, [(a, b, "dropped") for a, b in spans], [{"id": 1, "ok": 1}])
    assert vars(messages.decode_ack(messages.encode_ack(ack))) == vars(ack)


def test_a_birth_comes_back() -> None:
    birth = messages.Birth(7, "0.1.0", "esp32-outlet-1", 300, 12, {"air": {"driver": "ds18b20"}})
    assert vars(messages.decode_birth(messages.encode_birth(birth))) == vars(birth)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=12,
)
LIKELY = st.dictionaries(
    st.sampled_from(["s", "journal", "store", "first", "next", "upto", "missing", "n", "ts", "q"]),
    JSON,
)


@given(
    st.sampled_from(DECODERS), st.binary() | (JSON | LIKELY).map(lambda v: json.dumps(v).encode())
)
def test_garbage_is_refused_in_words(decode: object, payload: bytes) -> None:
    refused = "nothing: nothing"
    try:
        decode(payload)  # type: ignore[operator]
    except WireError as error:
        refused = str(error)
    what, _, mend = refused.partition(": ")
    assert what
    assert mend


@given(st.lists(LIKELY, max_size=4))
def test_every_row_of_an_array_is_either_good_or_named_as_unreadable(raw: list[object]) -> None:
    payload = json.dumps(raw).encode()
    if len(payload) > messages.UP_MOST_BYTES:
        return
    good, bad = messages.decode_rows(payload)
    assert len(good) + len(bad) == len(raw)
    for row in good:
        numbers = [value for value in row.values.values() if not isinstance(value, str)]
        assert all(math.isfinite(value) for value in numbers)


@pytest.mark.parametrize("decode", DECODERS)
@pytest.mark.parametrize(
    "payload",
    [b"[" * 4000, b'{"a":' * 700, b"\xff\xfe", b'"\\ud800"', b"", None, "text", 5, b"1" * 4096],
    ids=[
        "deep array",
        "deep object",
        "not utf-8",
        "surrogate",
        "empty",
        "none",
        "str",
        "int",
        "huge",
    ],
)
def test_bytes_meant_to_harm_are_refused(decode: object, payload: object) -> None:
    with pytest.raises(WireError):
        decode(payload)  # type: ignore[operator]


def test_nan_costs_its_own_row_only() -> None:
    good, bad = messages.decode_rows(
        b'[{"n":1,"ts":5,"air_c":NaN},{"n":2,"ts":5,"air_c":1e999},{"n":3,"ts":5,"air_c":4}]'
    )
    assert [row.n for row in good] == [3]
    assert [row.n for row in bad] == [1, 2]


def test_a_lone_surrogate_never_gets_into_a_row() -> None:
    good, bad = messages.decode_rows(b'[{"n":1,"ts":5,"note":"\\ud800"}]')
    assert not good
    assert bad[0].n == 1


def test_an_up_of_more_than_4_kb_is_not_encoded() -> None:
    row = messages.Row(1, 1, {f"c{i}_c": 20.123456 for i in range(30)}, ts=1764000000000)
    with pytest.raises(WireError, match="split it"):
        messages.encode_rows([row] * 10)


@pytest.mark.parametrize(
    ("quantity", "scaled", "text"),
    [("distance_m", 6510, "0.6510"), ("c", -5, "-0.05"), ("echoes", 15, "15"), ("c", 0, "0.00")],
)
def test_a_scaled_integer_is_written_without_a_float(quantity: str, scaled: int, text: str) -> None:
    assert fields.text(quantity, scaled) == text


@given(st.sampled_from(sorted(fields.FIELDS)), st.integers(-(2**31), 2**31))
def test_the_text_of_a_scaled_integer_is_its_value(quantity: str, scaled: int) -> None:
    assert math.isclose(
        float(fields.text(quantity, scaled)) * 10 ** fields.FIELDS[quantity][1],
        scaled,
        abs_tol=1e-3,
    )


@given(st.sampled_from(sorted(fields.FIELDS)), st.sampled_from(["weir", "air", "ec", "loop-2"]))
def test_a_row_key_splits_into_channel_and_quantity(quantity: str, channel: str) -> None:
    assert fields.split(f"{channel}_{quantity}") == (channel, quantity)


def test_a_key_of_no_known_quantity_does_not_split() -> None:
    assert fields.split("weir_colour") is None
    assert fields.split("c") is None


def test_topics_are_made_and_taken_apart() -> None:
    topic = topics.parse(topics.up("banovshalar-gozlu", "outlet", "9f3a01c2"))
    assert (topic.site, topic.node, topic.kind, topic.rest) == (
        "banovshalar-gozlu",
        "outlet",
        "up",
        "9f3a01c2",
    )


@pytest.mark.parametrize(
    "topic",
    [
        "",
        "kahriz/v2/s/n/hello",
        "kahriz/v1/s/n",
        "kahriz/v1/s/n/unheard-of",
        "kahriz/v1/S/n/hello",
        "kahriz/v1/s/n/up",
        "kahriz/v1/s/n/up/9F3A01C2",
        "kahriz/v1/s/n/hello/more",
        "kahriz/v1/" + "s" * 33 + "/n/hello",
    ],
)
def test_a_topic_of_no_node_is_refused(topic: str) -> None:
    with pytest.raises(WireError):
        topics.parse(topic)
