# SPDX-License-Identifier: MIT
"""Which way a message takes next: text first, then the ring, then the next channel, then nobody.

A ring says nothing but "look at your telephone": it is never an answer, and where a person has a
channel for text, the text goes first and it alone counts. All ways together have four minutes when
it is urgent, so that the next person is tried within five.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from kahriz_alarms.delivery import retry_after_ms
from kahriz_alarms.people import Person

CALL = "call"
RINGS = 2
RING_PAUSE_MS = 60_000  # between two rings
URGENT_MS = 240_000  # for all ways together: then the next person is tried
ROUTINE_MS = 86_400_000  # a message that can wait is given up after a day
TEXT_TRIES = {True: 3, False: 20}  # of one channel, by urgent

TRYING, DELIVERED, PASSING, PERMANENT = "trying", "delivered", "passing", "permanent"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try by one channel: `at` is when it began, on the gateway's clock."""

    channel: str
    state: str
    at: int


@dataclass(frozen=True, slots=True)
class Next:
    """`channels` to try now (text and ring may go side by side), or `outcome`: sent or failed.

    With neither: look again at `at`, or when a try that is under way has ended.
    """

    channels: tuple[str, ...] = ()
    outcome: str | None = None
    at: int | None = None


@dataclass(frozen=True, slots=True)
class _Way:
    """Of text or of the ring: none, now (by a channel), wait, delivered or over."""

    state: str
    channel: str = ""
    at: int | None = None


def next_way(
    person: Person,
    urgent: bool,
    attempts: Sequence[Attempt],
    available: Collection[str],
    now_ms: int,
) -> Next:
    """How a message to a person goes on, after these attempts."""
    text = _text(person, urgent, attempts, available, now_ms)
    ring = _ring(person, urgent, attempts, available, now_ms)
    ways = (text, ring)
    began = attempts[0].at if attempts else now_ms
    late = now_ms - began >= (URGENT_MS if urgent else ROUTINE_MS)
    if late or not any(w.state in ("now", "wait") for w in ways):
        told = ring if set(person.channels) == {CALL} else text  # a ring alone says nothing
        reached = told.state == DELIVERED
        return Next(outcome="sent" if reached else "failed")
    if text.state == DELIVERED and ring.state not in ("now", "wait"):
        return Next(outcome="sent")
    times = [w.at for w in ways if w.at is not None]
    return Next(tuple(w.channel for w in ways if w.state == "now"), at=min(times, default=None))


def _text(
    person: Person, urgent: bool, attempts: Sequence[Attempt], available: Collection[str], now: int
) -> _Way:
    """Every channel once in the person's order, then the same again after a pause."""
    if any(a.state == DELIVERED for a in attempts if a.channel != CALL):
        return _Way(DELIVERED)  # though its channel is busy by now
    ways = [c for c in person.channels if c != CALL and c in available]
    mine = [a for a in attempts if a.channel in ways]
    if not ways:
        return _Way("none")
    if any(a.state == TRYING for a in mine):
        return _Way("wait")
    for tries in range(TEXT_TRIES[urgent]):
        waits = []
        for channel in ways:
            own = [a for a in mine if a.channel == channel]
            if len(own) > tries or any(a.state == PERMANENT for a in own):
                continue
            due = own[-1].at + retry_after_ms(len(own)) if own else now
            if due <= now:
                return _Way("now", channel)
            waits.append(due)
        if waits:
            return _Way("wait", at=min(waits))
    return _Way("over")


def _ring(
    person: Person, urgent: bool, attempts: Sequence[Attempt], available: Collection[str], now: int
) -> _Way:
    """Only what is urgent rings, twice at most, after the text: it must be there to be read."""
    if not urgent or CALL not in person.channels or CALL not in available:
        return _Way("none")
    rings = [a for a in attempts if a.channel == CALL]
    if any(a.state == DELIVERED for a in rings):
        return _Way(DELIVERED)
    if any(a.state == TRYING for a in rings):
        return _Way("wait")
    if len(rings) >= RINGS or any(a.state == PERMANENT for a in rings):
        return _Way("over")
    has_text = any(c != CALL and c in available for c in person.channels)
    if has_text and not any(a.state != TRYING for a in attempts if a.channel != CALL):
        return _Way("wait")
    if rings and now - rings[-1].at < RING_PAUSE_MS:
        return _Way("wait", at=rings[-1].at + RING_PAUSE_MS)
    return _Way("now", CALL)
