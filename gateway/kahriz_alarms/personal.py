# SPDX-License-Identifier: MIT
"""What goes to one person and what comes back: messages, channels that reach a person, answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from kahriz_alarms.alarm import Event
from kahriz_alarms.people import Person


@dataclass(frozen=True, slots=True)
class Message:
    """`id` never changes, so that a repeat is harmless where the other side can tell it."""

    id: int
    events: tuple[Event, ...]
    first: str  # the first SMS part: it alone must do
    more: str | None = None
    subject: str = ""
    urgent: bool = False
    again: bool = False  # a try before may have got through
    chart_svg: bytes | None = None
    warns: bool = False  # the second part is sent, whatever the hurry: it holds the warning
    links: str | None = None  # answers by link, for this person alone: they go by e-mail only


@dataclass(frozen=True, slots=True)
class Health:
    """How a channel is; `says` is one line with the mend when it is not well."""

    ok: bool
    says: str = ""
    at_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Incoming:
    """What somebody sent us. `key` is unique on its channel: a replay is known by it."""

    channel: str
    sender: str  # telephone number, chat id, signed address
    text: str
    at_ms: int
    key: str


def storable(text: str) -> str:
    """Half a character of UTF-16, as a garbled text may hold, becomes a question mark.

    >>> storable("SU" + chr(0xD83D))
    'SU?'
    """
    return text.encode("utf-8", "replace").decode()


class PersonalChannel(Protocol):
    """Raises DeliveryError(text, permanent) when it could not send; may take its time.

    What `receive` gives comes again until `done` says that it is stored.
    A channel that hangs is given up by its caller after a deadline; it never stops the others.
    """

    name: str

    def send(self, message: Message, to: Person) -> None: ...
    def health(self) -> Health: ...
    def receive(self) -> list[Incoming]: ...
    def done(self, incoming: Incoming) -> None: ...
