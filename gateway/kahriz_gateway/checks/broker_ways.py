# SPDX-License-Identifier: MIT
"""Whether the broker behaves like the one we ship; each proved by what arrives, never by PUBACK."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import wraps

from kahriz_gateway.broker.conf import INFLIGHT
from kahriz_gateway.broker.visit import ANSWER_S, Visit, VisitError
from kahriz_gateway.checks import About, Check, Finding, bad, good, idle
from kahriz_gateway.mqtt import Arrival
from kahriz_water.strict import ConfigError
from kahriz_wire import topics

INFLIGHT_LEAST = INFLIGHT // 2
QUEUE_TRIED = 1_500  # mosquitto's own default drops what exceeds 1,000
DELAY_MS = 30.0  # a delayed TCP acknowledgement takes 40
_ROUNDS = 12
_QUIET_S = 2.0  # nothing more for so long: the rest was dropped
_SHIPPED = "`kahriz site broker` writes the configuration that we ship"


def _by_visit(check: Callable[[About], Finding]) -> Check:
    @wraps(check)
    def guarded(about: About) -> Finding:
        try:
            return check(about)
        except (VisitError, ConfigError) as error:
            return idle(f"not proved: {error}")

    return guarded


@_by_visit
def access(about: About) -> Finding:
    """The test node hears itself, and is not heard where a neighbour or the gateway speaks."""
    if about.plan.broker.tls is None:
        return idle("no certificates, no access list: this machine's programs are all believed")
    with Visit(about.plan, "echo/#") as visit:
        own = visit.topic(f"echo/{visit.mark}")
        visit.door.publish_many(own, [b"own"])
        if visit.echo(own) is None:
            return bad("the test node is not heard on its own topics", f"{_SHIPPED}; kahriz.acl")
    try:
        with Visit(about.plan, "echo/#", node="+") as visit:
            own = visit.topic(f"echo/{visit.mark}")
            foreign = visit.topic(f"echo/{visit.mark}", topics.GATEWAY)
            visit.door.publish_many(foreign, [b"forged"])
            visit.door.publish_many(own, [b"own"])
            first = visit.next()
    except VisitError:  # the broker refuses a filter wider than the access list: as good
        return good("a node speaks and hears on its own topics alone")
    if first is None or first.topic != own:
        return bad(
            "no access list: a node can speak for its neighbour and for the gateway", _SHIPPED
        )
    return good("a node speaks and hears on its own topics alone")


@_by_visit
def retained(about: About) -> Finding:
    """Who comes later hears what was said to be kept: birth, status, alarms."""
    with Visit(about.plan, "echo/none") as visit:  # one at a time: both have the same name
        kept = visit.topic(f"echo/kept-{visit.mark}")
        if not visit.door.publish_surely(kept, b"kept", retain=True):
            return _forgets()
    with Visit(about.plan, f"echo/kept-{visit.mark}") as later:
        arrival = later.next()
        later.door.publish_surely(kept, b"", retain=True)
    if arrival is None or not arrival.retained:
        return _forgets()
    return good("keeps retained messages")


def _forgets() -> Finding:
    return bad("does not keep retained messages", f"{_SHIPPED}; retain_available true")


@_by_visit
def queue(about: About) -> Finding:
    """How many messages it holds for one who has not yet acknowledged, and how many at once."""
    with Visit(about.plan, "echo/#") as visit:
        topic = visit.topic(f"echo/{visit.mark}")
        held = _unacknowledged(visit, topic)
        total = len(held)
        visit.door.ack(held)
        while total < QUEUE_TRIED and (more := visit.next(_QUIET_S)) is not None:
            visit.door.ack([more])
            total += 1
    return judge_queue(total, len(held))


def _unacknowledged(visit: Visit, topic: str) -> list[Arrival]:
    """Send many to ourselves; those that arrive before a word that passes the queue (QoS 0)."""
    visit.door.publish_many(topic, [b"%d" % n for n in range(QUEUE_TRIED)])
    end = f"{topic}/end"
    visit.door.publish(end, b"")
    held = []
    while (arrival := visit.next()) is not None and arrival.topic != end:
        held.append(arrival)
    return held


def judge_queue(total: int, at_once: int) -> Finding:
    """What a figure means."""
    if total < QUEUE_TRIED:
        return bad(
            f"of {QUEUE_TRIED} messages for one that is slow it keeps {total}",
            f"{_SHIPPED}; max_queued_messages (lost ones come again, but late)",
        )
    if at_once < INFLIGHT_LEAST:
        return bad(
            f"hands out {at_once} messages at once",
            f"{_SHIPPED}; max_inflight_messages {INFLIGHT}: intake stores in groups",
        )
    return good(f"keeps {total} messages and more, hands out {at_once} at once")


@_by_visit
def no_delay(about: About) -> Finding:
    """Three messages at once come back without waiting for a delayed TCP acknowledgement."""
    with Visit(about.plan, "echo/#") as visit:
        topic = visit.topic(f"echo/{visit.mark}")
        rounds_ms = [_round_ms(visit, topic) for _ in range(_ROUNDS)]
    return judge_delay([each for each in rounds_ms if each is not None])


def _round_ms(visit: Visit, topic: str) -> float | None:
    begin = time.monotonic()
    visit.door.publish_many(topic, [b"1", b"2", b"3"])
    for _ in range(3):
        if visit.echo(topic, ANSWER_S) is None:
            return None
    return (time.monotonic() - begin) * 1000


def judge_delay(rounds_ms: list[float]) -> Finding:
    """What round trips mean; the first ones of a connection are acknowledged at once anyway."""
    if not rounds_ms:
        return idle("not proved: the broker did not answer")
    late = sorted(rounds_ms[len(rounds_ms) // 2 :])
    typical_ms = late[len(late) // 2]
    if typical_ms >= DELAY_MS:
        return bad(
            f"answers after {typical_ms:.0f} ms: it waits for TCP acknowledgements",
            f"{_SHIPPED}; set_tcp_nodelay true",
        )
    return good(f"answers in {typical_ms:.1f} ms")
