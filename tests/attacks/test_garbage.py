# SPDX-License-Identifier: MIT
"""Whatever comes from outside is read, or refused in words: nothing else ever comes out.

Messages of nodes, answers by SMS, releases, the plan, forms: bytes made by hypothesis, by bending
real ones, and the old favourites: a megabyte, ten thousand levels, names that are commands.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kahriz_alarms import replies
from kahriz_gateway.intake.rival import Rival
from kahriz_gateway.intake.waiting import Waiting
from kahriz_gateway.mqtt import Arrival
from kahriz_gateway.orders import ota
from kahriz_gateway.orders.node_config import NodeConfigError
from kahriz_gateway.orders.node_config import parse as node_config_parse
from kahriz_water.plan import parse_plan
from kahriz_water.strict import ConfigError
from kahriz_wire import topics
from kahriz_wire.errors import WireError
from kahriz_wire.messages import (
    decode_ack,
    decode_birth,
    decode_hello,
    decode_receipt,
    decode_rows,
    decode_status,
)
from tests.attacks.favourites import NASTY
from tests.gateway.conftest import Gateway

ROOT = Path(__file__).parents[2]
SITE = "banovshalar-gozlu"
PLAN = (ROOT / "firmware" / "kahriz_sim" / "sites" / SITE / "site.toml").read_text("utf-8")
ROW = b'[{"ts":1764000000000,"n":7,"q":1,"weir_distance_m":0.651,"weir_spread_m":0.001}]'
DECODERS: tuple[Callable[[bytes], object], ...] = (
    decode_ack,
    decode_birth,
    decode_hello,
    decode_receipt,
    decode_rows,
    decode_status,
)


def refused_in_words(kind: type[Exception], what: Callable[[], object]) -> str | None:
    """The words of a refusal; None when it was read. Any other exception passes through."""
    try:
        what()
    except kind as error:
        return str(error)
    return None


@st.composite
def bent(draw: st.DrawFn, whole: bytes) -> bytes:
    """A real message with some bytes changed, cut out or put in."""
    found = bytearray(whole)
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, max(0, len(found) - 1)))
        how = draw(st.sampled_from(("change", "cut", "put")))
        if how == "change" and found:
            found[at] = draw(st.integers(0, 255))
        elif how == "cut":
            del found[at : at + draw(st.integers(1, 20))]
        else:
            found[at:at] = draw(st.binary(min_size=1, max_size=20))
    return bytes(found)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=12), inner, max_size=5)
    ),
    max_leaves=20,
).map(lambda value: json.dumps(value).encode())


@pytest.mark.parametrize("decode", DECODERS)
@pytest.mark.parametrize("payload", NASTY, ids=lambda p: f"{p[:12]!r}x{len(p)}")
def test_the_old_favourites_are_refused_in_words(
    decode: Callable[[bytes], object], payload: bytes
) -> None:
    assert refused_in_words(WireError, lambda: decode(payload)) != ""


@given(st.binary(max_size=300) | JSON | bent(ROW))
@settings(max_examples=400)
def test_no_bytes_make_a_decoder_fail_otherwise(payload: bytes) -> None:
    for decode in DECODERS:
        refused_in_words(WireError, lambda: decode(payload))  # noqa: B023


@given(st.text(max_size=80))
@example("kahriz/1/../../x/up/9f3a01c2")
@example("kahriz/1/a/b/up/'; DROP TABLE reading;--")
def test_a_topic_is_ours_to_the_letter_or_none(topic: str) -> None:
    try:
        found = topics.parse(topic)
    except WireError:
        return
    assert all(part.isascii() and "'" not in part and "." not in part for part in found if part)


@pytest.mark.parametrize("kind", ["hello", "up/9f3a01c2", "ack", "birth"])
def test_intake_keeps_what_it_cannot_read_and_its_tables(tmp_path: Path, kind: str) -> None:
    gateway = Gateway(tmp_path / "readings.db")
    for payload in NASTY:
        gateway.tell(kind, payload)
    assert gateway.query("PRAGMA quick_check(1)") == [("ok",)]
    assert len(gateway.reasons()) >= len(NASTY) - 3
    gateway.hello(1, 2)
    assert gateway.tell("up/9f3a01c2", ROW) is not None  # and it goes on
    assert gateway.query("SELECT n FROM reading WHERE n=7") == [(7,)]


@given(st.text(max_size=200))
@example("4 " + "9" * 400)
@example("3 17 dolasov'; DROP TABLE alarm;--")
@settings(max_examples=400)
def test_any_text_is_an_answer_or_a_question_back(text: str) -> None:
    found = replies.parse(text)
    assert found.alarm is None or 0 <= found.alarm < 10**9


@given(st.binary(max_size=400) | bent(b"kahriz 1\n0.1.0 1 abcdef\n" + bytes(64)))
@settings(max_examples=200)
def test_a_release_is_whole_or_refused(data: bytes) -> None:
    with pytest.raises(ota.OtaError):
        ota.read(data)


@pytest.mark.parametrize("deep", ["[" * 10_000 + "]" * 10_000, "{a=" * 5_000 + "1" + "}" * 5_000])
def test_a_deep_plan_or_configuration_is_refused_in_words(deep: str) -> None:
    assert "nested" in (refused_in_words(ConfigError, lambda: parse_plan(f"x = {deep}")) or "")
    assert refused_in_words(NodeConfigError, lambda: node_config_parse(deep, SITE, "outlet"))


@pytest.mark.parametrize("payload", NASTY, ids=lambda p: f"{p[:12]!r}x{len(p)}")
def test_garbage_on_the_gateways_own_status_stops_nobody(payload: bytes) -> None:
    rival = Rival()
    rival.heard(json.dumps({"run": rival.run}).encode())
    rival.heard(payload)  # in the broker's thread, which an error would end for good
    rival.heard(b'{"run":"other","store":"c41d0001"}')
    assert "c41d0001" in (rival.words or "")


@pytest.mark.parametrize(
    "payload", [*NASTY, b'{"run":"x","connection":1,"sent_s":1%s}' % (b"0" * 400)]
)
def test_garbage_among_the_gateways_own_soundings_stops_nobody(payload: bytes) -> None:
    waiting = Waiting(SITE, lambda: 100.0)
    topic = topics.of(SITE, topics.GATEWAY, "hello")
    heard = waiting.arrives(Arrival(topic, payload, False, 1, 1, 1))  # in the broker's thread
    assert waiting.too_long(heard)


@given(bent(PLAN.encode()))
@settings(max_examples=150)
def test_a_bent_plan_is_read_or_refused_with_its_place(text: bytes) -> None:
    written = text.decode("utf-8", "replace")
    assert refused_in_words(ConfigError, lambda: parse_plan(written, "site.toml")) != ""


POISON = (
    '"\'; DROP TABLE value;--"',
    '"../../etc/passwd"',
    '"<script>alert(1)</script>"',
    '"a,b=1\\nwater m=1"',
    "9e999",
    "-1",
    "nan",
    "[[[[]]]]",
    "1979-05-27T07:32:00Z",
    f'"{"x" * 100_000}"',
)


@pytest.mark.parametrize("poison", POISON, ids=lambda p: p[:20])
def test_a_poisoned_value_in_any_table_of_the_plan_is_read_or_refused(poison: str) -> None:
    lines = PLAN.splitlines()
    for number, line in enumerate(lines):
        key, sign, _ = line.partition(" = ")
        if sign and key.strip().isidentifier():
            bad = "\n".join([*lines[:number], f"{key} = {poison}", *lines[number + 1 :]])
            why = refused_in_words(ConfigError, lambda: parse_plan(bad, "site.toml"))  # noqa: B023
            if why is not None:
                assert "site.toml" in why or key.strip() in why
                continue
            plan = parse_plan(bad, "site.toml")
            ids = [plan.id, *(p.id for p in plan.points), *(r.id for r in plan.reaches)]
            assert all(i.replace("-", "").replace("_", "").isalnum() for i in ids)
