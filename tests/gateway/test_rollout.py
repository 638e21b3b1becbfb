# SPDX-License-Identifier: MIT
"""A release goes to one node first, and to the others when that one has proved it."""

import json
from typing import Any

import pytest

from kahriz_gateway.orders import ota, rollout
from kahriz_wire.birth import Birth, encode_birth
from kahriz_wire.messages import Hello, encode_hello, encode_rows

from .conftest import JOURNAL, NOW_MS, Gateway, rows
from .test_node_orders import a_release

HOUR_MS = 3_600_000
OLD, NEW = 10_000, 10_100
RELEASE = a_release()


def say(gateway: Gateway, node: str = "outlet", ota: int = OLD, **more: Any) -> None:
    """A session of a node: hello, and its newest reading."""
    gateway.sessions += 1
    n = gateway.sessions
    hello = Hello(f"{n:08x}", JOURNAL, 1, n + 1)
    for key, value in {"ota": ota, "fw": "0.1.1" if ota == NEW else "0.1.0", **more}.items():
        setattr(hello, key, value)
    gateway.tell("hello", encode_hello(hello), node)
    if not more.get("error"):
        gateway.tell(f"up/{JOURNAL}", encode_rows(rows(n, n)), node)


def live(gateway: Gateway, hours: int, **more: Any) -> None:
    """So many sessions, an hour between them."""
    for _ in range(hours):
        gateway.clock.ms += HOUR_MS
        say(gateway, **more)


def offer(gateway: Gateway, *nodes: str, hours: int = 24) -> None:
    rollout.offer(gateway.conn, nodes, RELEASE, gateway.clock.now_ms(), hours)


def stands(gateway: Gateway, node: str = "outlet", hours: int = 24) -> rollout.Standing:
    return rollout.standing(gateway.conn, node, gateway.clock.now_ms(), hours)


@pytest.fixture
def begun(gateway: Gateway) -> Gateway:
    """The old program runs; the new one is offered to the outlet."""
    say(gateway)
    say(gateway, "middle")
    offer(gateway, "outlet")
    return gateway


def test_the_others_wait_until_the_first_has_run_it_for_a_day_with_receipts(begun: Gateway) -> None:
    assert stands(begun).in_words() == "waits: it has not spoken since the offer"
    live(begun, 1)
    assert stands(begun).in_words() == "waits: it fetches, piece by piece"
    live(begun, 24, ota=NEW)
    assert stands(begun).in_words() == "on trial: 23.0 of 24 h, 24 of 12 sessions"
    with pytest.raises(ota.OtaError, match=r"0\.1\.1 is not proved yet \(outlet on trial: 23\.0"):
        offer(begun, "middle", "inlet")
    assert ota.offered(begun.conn, "middle") is None
    live(begun, 1, ota=NEW)
    assert stands(begun).in_words() == "proved: 24.0 h, 25 sessions"
    offer(begun, "middle", "inlet")
    assert ota.offered(begun.conn, "middle") == ota.offered(begun.conn, "inlet") == NEW


def test_several_at_once_are_refused_and_so_is_a_second_first(begun: Gateway) -> None:
    with pytest.raises(ota.OtaError, match=r"nothing was offered to middle"):
        offer(begun, "middle")
    with pytest.raises(ota.OtaError, match=r"nothing was offered to inlet"):
        offer(begun, "outlet", "inlet")
    offer(begun, "outlet", "outlet")
    ota.withdraw(begun.conn, "outlet")
    with pytest.raises(ota.OtaError, match="goes to one node first, not to 2"):
        offer(begun, "middle", "outlet")
    offer(begun, "middle")


def test_said_twice_the_first_offer_counts(begun: Gateway) -> None:
    live(begun, 1)
    live(begun, 25, ota=NEW)
    offer(begun, "outlet")
    assert stands(begun).proved


@pytest.mark.parametrize(
    ("error", "state"),
    [
        ("ota: WireError release.signature: the signature is not ours", "refused"),
        ("release.room: no room on flash", "refused"),
        ("release 10100: no receipt, gone back", "gone back"),
        ("release 10100: battery too low", "waits"),
    ],
)
def test_what_a_node_said_once_is_told_though_it_keeps_quiet_after(
    begun: Gateway, error: str, state: str
) -> None:
    live(begun, 1, error=error)
    live(begun, 3)
    found = stands(begun)
    assert (found.state, found.why) == (state, error)
    assert found.runs == "0.1.0"


def test_a_node_that_went_back_without_a_word_has_gone_back(begun: Gateway) -> None:
    live(begun, 30, ota=NEW)
    live(begun, 1)
    assert stands(begun).state == "gone back"
    with pytest.raises(ota.OtaError, match="gone back: it says nothing of why"):
        offer(begun, "middle")


def test_a_silent_node_proves_nothing(begun: Gateway) -> None:
    live(begun, 1)
    live(begun, 30, ota=NEW)
    assert stands(begun).proved
    begun.clock.ms += 3 * HOUR_MS
    assert stands(begun).in_words().startswith("late: silent for 3 h; before that: proved")
    with pytest.raises(ota.OtaError, match="silent for 3 h"):
        offer(begun, "middle")


def test_hellos_without_readings_prove_nothing(begun: Gateway) -> None:
    live(begun, 1)
    live(begun, 30, ota=NEW, error="no receipt")
    assert stands(begun).in_words() == "on trial: no reading was receipted under it"


def test_a_clock_that_leapt_proves_nothing(begun: Gateway) -> None:
    live(begun, 1)
    live(begun, 1, ota=NEW)
    begun.clock.ms += 365 * 24 * HOUR_MS
    live(begun, 2, ota=NEW)
    assert stands(begun).state == "on trial"
    begun.clock.ms = NOW_MS
    assert stands(begun).why.startswith("it was last heard in the future")


def test_an_offer_dated_in_the_future_says_so(gateway: Gateway) -> None:
    gateway.clock.ms += 24 * HOUR_MS
    offer(gateway, "outlet")
    gateway.clock.ms = NOW_MS
    live(gateway, 2)
    assert "dated in the future" in stands(gateway).why


def test_a_program_that_came_by_cable_proves_nothing_of_the_air(gateway: Gateway) -> None:
    live(gateway, 2, ota=NEW)
    offer(gateway, "outlet")
    live(gateway, 30, ota=NEW)
    assert stands(gateway).state == "by cable"
    with pytest.raises(ota.OtaError, match="by cable"):
        offer(gateway, "middle")


def test_a_node_tells_its_own_rhythm(begun: Gateway) -> None:
    birth = Birth(1, "0.1.1", "esp32", 1200, 12, {"weir": {}})
    begun.tell("birth", encode_birth(birth))
    begun.clock.ms += 3 * HOUR_MS
    say(begun)
    begun.clock.ms += 4 * HOUR_MS
    assert stands(begun).state == "waits", "four hours are its batch"
    begun.clock.ms += HOUR_MS
    assert stands(begun).state == "late"


def test_the_table_names_nodes_of_the_plan_that_never_spoke(begun: Gateway) -> None:
    assert rollout.nodes(begun.conn, ["tank", "outlet"]) == ["tank", "outlet", "middle"]
    assert "never spoke" in stands(begun, "tank").why
    told = json.dumps(stands(begun, "middle").as_dict())
    assert json.loads(told)["state"] == "not offered"
