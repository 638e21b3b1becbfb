# SPDX-License-Identifier: MIT
"""What the wire contract takes from a broker, on mosquitto and on the embedded one."""

import queue
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from kahriz_sim.services import Broker, start_broker

WAIT_S = 60.0
ROWS = 300


@pytest.fixture(params=[pytest.param("mosquitto", marks=pytest.mark.needs("mosquitto")), "nats"])
def broker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Broker]:
    running = start_broker(tmp_path, request.param)
    yield running
    running.stop()


class Peer:
    """A client whose messages and subscriptions can be waited for."""

    def __init__(self, broker: Broker, name: str, clean: bool = True, will: str = "") -> None:
        self.messages: queue.Queue[MQTTMessage] = queue.Queue()
        self._ready: queue.Queue[str] = queue.Queue()
        self.client = Client(CallbackAPIVersion.VERSION2, client_id=name, clean_session=clean)
        self.client.on_message = lambda _client, _user, message: self.messages.put(message)
        self.client.on_subscribe = lambda *_: self._ready.put("subscribed")
        self.client.on_connect = lambda *_: self._ready.put("connected")
        if will:
            self.client.will_set(will, b"offline", qos=1, retain=True)
        self.client.connect(broker.host, broker.port)
        self.client.loop_start()
        assert self._ready.get(timeout=WAIT_S) == "connected"

    def subscribe(self, topic: str) -> None:
        self.client.subscribe(topic, qos=1)
        assert self._ready.get(timeout=WAIT_S) == "subscribed"

    def publish(self, topic: str, body: bytes, retain: bool = False) -> None:
        self.client.publish(topic, body, qos=1, retain=retain).wait_for_publish(WAIT_S)

    def next(self) -> MQTTMessage:
        return self.messages.get(timeout=WAIT_S)

    def leave(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()

    def vanish(self) -> None:
        """Break the connection without a DISCONNECT, as a node whose battery is pulled."""
        sock = self.client.socket()
        assert isinstance(sock, socket.socket)
        self.client.loop_stop()
        sock.shutdown(socket.SHUT_RDWR)


def test_what_was_sent_while_the_gateway_was_away_waits_for_it(broker: Broker) -> None:
    gateway = Peer(broker, "gateway", clean=False)
    gateway.subscribe("kahriz/v1/site/+/up/+")
    gateway.leave()
    node = Peer(broker, "node")
    for number in range(ROWS):
        node.publish("kahriz/v1/site/outlet/up/9f3a01c2", str(number).encode())
    node.leave()
    gateway = Peer(broker, "gateway", clean=False)
    got = {int(gateway.next().payload) for _ in range(ROWS)}
    gateway.leave()
    assert got == set(range(ROWS))


def test_a_birth_is_kept_for_who_comes_later_and_can_be_cleared(broker: Broker) -> None:
    topic = "kahriz/v1/site/outlet/birth"
    node = Peer(broker, "node")
    node.publish(topic, b'{"v":1}', retain=True)
    late = Peer(broker, "late")
    late.subscribe(topic)
    message = late.next()
    assert (message.payload, message.retain) == (b'{"v":1}', True)
    late.leave()
    node.publish(topic, b"", retain=True)
    later = Peer(broker, "later")
    later.subscribe(topic)
    node.publish(topic, b"now", retain=False)
    assert later.next().payload == b"now"
    later.leave()
    node.leave()


def test_the_will_of_a_vanished_node_is_published_and_kept(broker: Broker) -> None:
    topic = "kahriz/v1/site/outlet/status"
    gateway = Peer(broker, "gateway")
    gateway.subscribe(topic)
    node = Peer(broker, "node", will=topic)
    node.vanish()
    assert gateway.next().payload == b"offline"
    gateway.leave()
    late = Peer(broker, "late")
    late.subscribe(topic)
    assert late.next().payload == b"offline"
    late.leave()
