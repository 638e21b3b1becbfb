# SPDX-License-Identifier: MIT
"""The broker in memory: intake's persistent session, retained words, and what it loses and forgets.

As mosquitto does, it answers PUBACK before anybody has the message, hands intake again what was
not acknowledged, and keeps nothing for a node that is not connected. With `lost_state` its queue
and its sessions are gone, as after a kill between two of its savings.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable

from kahriz_gateway.mqtt import Announcement, Arrival, Door
from kahriz_sim.lone_talk import Fault, Talk

QUEUE_MOST = 200
Said = list[tuple[str, bytes]]  # topic and payload


class Broker:
    """`work()` lets intake take what it was handed."""

    def __init__(self, node: str, work: Callable[[], None]) -> None:
        self.up = True
        self.frozen = False
        self.kept: dict[str, bytes] = {}
        self.die_after: int | None = None  # packets of a node's next session
        self.on_death: Callable[[], None] = _nothing
        self.handed = 0  # publishes that intake was or will be handed
        self.door: IntakeDoor | None = None
        self._node = node
        self._work = work
        self._session = False  # intake's
        self._queue: deque[tuple[int, str, bytes]] = deque()
        self._unacked: dict[int, tuple[str, bytes]] = {}
        self._mid = 0
        self._to_node: list[tuple[str, bytes]] = []
        self.sessions = 0

    # -- its own life

    def die(self, lost_state: bool) -> None:
        self.up = False
        if self.door is not None:
            self.door.subscribed.clear()
        self._to_node.clear()
        if lost_state:
            self._queue.clear()
            self._unacked.clear()
            self._session = False
            self.kept.clear()

    def waiting(self) -> list[tuple[str, bytes]]:
        """What intake has not acknowledged."""
        return [(topic, body) for _, topic, body in self._queue] + list(self._unacked.values())

    def come_back(self) -> None:
        self.up = True
        if self.door is not None:
            self.attach(self.door)

    # -- intake's side

    def attach(self, door: IntakeDoor) -> None:
        """Intake connects and subscribes; what it never acknowledged comes again, first."""
        self.door = door
        if not self.up or self.frozen:
            return
        door.epoch += 1
        door.new_since_s = None if self._session else 0.0
        door.subscribed.set()
        self._session = True
        again = [(mid, topic, body) for mid, (topic, body) in self._unacked.items()]
        self._unacked.clear()
        self._queue.extendleft(reversed(again))
        if door.announcement is not None:
            self.kept[door.announcement.topic] = door.announcement.online

    def detach(self) -> None:
        """Intake's process is gone, or away."""
        self.door = None

    def hand_over(self) -> bool:
        """Give intake what waits for it; whether there was something."""
        if self.door is None or not self.up or self.frozen or not self._queue:
            return False
        while self._queue:
            mid, topic, body = self._queue.popleft()
            self._unacked[mid] = topic, body
            self.door.arrived(Arrival(topic, body, False, mid, 1, self.door.epoch))
        return True

    def puback(self, mids: Iterable[int]) -> None:
        for mid in mids:
            self._unacked.pop(mid, None)

    def from_gateway(self, topic: str, payload: bytes, retain: bool) -> None:
        if not self.up or self.frozen:
            return
        if retain:
            self.kept[topic] = payload
        elif topic.split("/")[3] == self._node:
            self._to_node.append((topic, payload))

    # -- the node's side

    def publish(self, topic: str, payload: bytes) -> None:
        """A message for intake, from the node or from anybody who may."""
        if topic.endswith("/status") or not self._session:
            return
        if self.door is not None and not self._queue and not self._unacked:
            self.door.idle()
        self._mid = self._mid % 65_535 + 1
        if len(self._queue) < QUEUE_MOST:
            self._queue.append((self._mid, topic, payload))
            self.handed += 1

    def talk(self, fault: Fault, answers: Callable[[Said], Said]) -> NodeTalk:
        """A session of the node; `answers` may change what it is told."""
        self.sessions += 1
        self._to_node.clear()

        def told() -> Said:
            self._work()
            found, self._to_node = self._to_node, []
            return answers(found)

        return NodeTalk(self, Talk(self.publish, told, fault, self.kept))


class NodeTalk:
    """What lone_line asks of a session; the broker may die or freeze within it."""

    def __init__(self, broker: Broker, talk: Talk) -> None:
        self._broker, self._talk = broker, talk

    def hear(self, data: bytes) -> tuple[bytes, bool]:
        broker = self._broker
        if broker.die_after is not None:
            broker.die_after -= 1
            if broker.die_after < 0:
                broker.die_after = None
                broker.on_death()
        if not broker.up:
            return b"", True
        if broker.frozen:
            return b"", False
        return self._talk.hear(data)


class IntakeDoor(Door):
    """What intake sees of the broker."""

    def __init__(self, broker: Broker, arrived: Callable[[Arrival], None],
                 announcement: Announcement) -> None:  # fmt: skip
        self.epoch, self.subscribed = 0, threading.Event()
        self.idle: Callable[[], None] = _nothing  # nothing has come for a while
        self.arrived = arrived
        self.announcement = announcement
        self._broker = broker

    def publish(self, topic: str, payload: bytes, retain: bool = False, qos: int = 0) -> None:
        self._broker.from_gateway(topic, payload, retain)

    def ack(self, arrivals: Iterable[Arrival]) -> None:
        self._broker.puback([a.mid for a in arrivals if a.epoch == self.epoch])

    def announce(self, online: bytes) -> None:
        self._broker.from_gateway(self.announcement.topic, online, True)

    def call_again(self) -> None:
        self._broker.attach(self)


def _nothing() -> None:
    """Nobody minds."""
