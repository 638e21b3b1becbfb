# SPDX-License-Identifier: MIT
"""The door to the broker, the only place that knows paho.

A `Door` keeps a persistent session under a fixed client id, subscribes again after every
connect, hands each message to `on_arrival` in paho's thread and leaves the PUBACK to `ack()`:
what is not acknowledged the broker sends again after the next connect. `clean` is for a passing
visitor, whose session the broker need not keep.
"""

from __future__ import annotations

import logging
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from kahriz_gateway.mqtt_client import WideClient

KEEPALIVE_S = 30
RECONNECT_S = (1, 8)  # first and longest pause between two tries
_REFUSED = 0x80  # SUBACK codes from here on are refusals

log = logging.getLogger(__name__)


class Arrival(NamedTuple):
    """One message as it came; `epoch` is the connection it came by.

    `live_s` is when nothing was waiting for us before it came, where that is known; `again` that
    the broker has handed it out before and heard no PUBACK.
    """

    topic: str
    payload: bytes
    retained: bool
    mid: int
    qos: int
    epoch: int
    live_s: float | None = None
    again: bool = False


@dataclass(frozen=True, slots=True)
class Announcement:
    """A retained topic that says whether we are here; the broker says `offline` when we die."""

    topic: str
    online: bytes
    offline: bytes


class Door:
    """A connection that comes back by itself. `subscribed` is set while the filters stand.

    `new_since_s`: since when the broker has had our session; None when it had kept it, and maybe
    messages in it.
    """

    new_since_s: float | None = None

    def __init__(
        self,
        client_id: str,
        host: str,
        port: int,
        filters: Sequence[str] = (),
        on_arrival: Callable[[Arrival], None] | None = None,
        announcement: Announcement | None = None,
        tls: ssl.SSLContext | None = None,
        clean: bool = False,
        on_status: Callable[[bytes], None] | None = None,
    ) -> None:
        self.subscribed = threading.Event()
        self.epoch = 0
        self._where = f"{host}:{port}"
        self._filters = list(filters)
        self._on_arrival = on_arrival
        self._announcement = announcement
        self._on_status = on_status  # what anybody says on our own announcement's topic
        self._complained = False
        self._client = client = WideClient(
            CallbackAPIVersion.VERSION2,
            client_id,
            clean_session=clean,
            protocol=MQTTProtocolVersion.MQTTv311,
            manual_ack=True,
        )
        client.on_connect = self._connected
        client.on_connect_fail = self._unreachable
        client.on_disconnect = self._disconnected
        client.on_subscribe = self._stands
        client.on_message = self._message
        client.on_publish_in = self._received
        self._tls = tls is not None
        if tls is not None:
            client.tls_set_context(tls)
        client.reconnect_delay_set(*RECONNECT_S)
        if announcement is not None:
            client.will_set(announcement.topic, announcement.offline, qos=1, retain=True)
        client.connect_async(host, port, KEEPALIVE_S)

    def start(self) -> None:
        """Connect, and again after each loss, until `stop`."""
        self._client.loop_start()

    def stop(self) -> None:
        """Say that we go, disconnect, end the thread. The broker keeps our session."""
        if self._announcement is not None and self.subscribed.is_set():
            self.publish_surely(self._announcement.topic, self._announcement.offline, retain=True)
        self._client.disconnect()
        self._client.loop_stop()

    def publish(self, topic: str, payload: bytes, retain: bool = False, qos: int = 0) -> None:
        """Send once if we are connected (at QoS 0); nobody waits for the broker's word."""
        self._client.publish(topic, payload, qos=qos, retain=retain)

    def publish_surely(
        self, topic: str, payload: bytes, retain: bool = False, timeout_s: float = 5.0
    ) -> bool:
        """Send with QoS 1 and wait for the broker's word; False when none came in time."""
        if not self._client.is_connected():  # paho would pile it up for the next connect
            return False
        info = self._client.publish(topic, payload, qos=1, retain=retain)
        try:
            info.wait_for_publish(timeout_s)
        except (RuntimeError, ValueError):  # not connected, or paho's queue is full
            return False
        return info.is_published()

    def publish_many(self, topic: str, payloads: Sequence[bytes], timeout_s: float = 20.0) -> bool:
        """Send all with QoS 1, then wait for the broker's word on each."""
        if not self._client.is_connected():
            return False
        infos = [self._client.publish(topic, payload, qos=1) for payload in payloads]
        deadline = time.monotonic() + timeout_s
        try:
            for info in infos:
                info.wait_for_publish(max(0.0, deadline - time.monotonic()))
        except (RuntimeError, ValueError):
            return False
        return all(info.is_published() for info in infos)

    @property
    def complained(self) -> bool:
        """Whether the broker refused us or went away since we were last subscribed."""
        return self._complained

    @property
    def working(self) -> bool:
        """Whether paho's thread lives; it connects again by itself while it does."""
        thread = self._client._thread  # paho tells nobody when a callback has ended its thread
        return thread is not None and thread.is_alive()

    @property
    def standing(self) -> int | None:
        """The number of this connection; None while the filters do not stand."""
        return self.epoch if self.subscribed.is_set() else None

    def ack(self, arrivals: Iterable[Arrival]) -> None:
        """PUBACK each, unless it came by an older connection (message ids are used again)."""
        epoch = self.epoch
        self._client.puback([a.mid for a in arrivals if a.qos and a.epoch == epoch])

    def announce(self, online: bytes) -> None:
        """Change what the retained announcement says while we are here."""
        assert self._announcement is not None
        self._announcement = Announcement(
            self._announcement.topic, online, self._announcement.offline
        )
        if self.subscribed.is_set():
            self._client.publish(self._announcement.topic, online, qos=1, retain=True)

    def call_again(self) -> None:
        """Drop the connection so that the broker sends again what was never acknowledged."""
        self._client.hang_up()

    def _connected(
        self,
        client: Client,
        userdata: object,
        flags: ConnectFlags,
        reason: ReasonCode,
        properties: Properties | None,
    ) -> None:
        if reason.is_failure:
            self._complain(f"the broker at {self._where} refuses us: {reason}")
            return
        self.epoch += 1
        self.new_since_s = None if flags.session_present else time.monotonic()
        self._complained = False
        wanted = [(each, 1) for each in self._filters]
        if self._on_status is not None and self._announcement is not None:
            wanted.append((self._announcement.topic, 0))
        if wanted:
            client.subscribe(wanted)
        else:
            self._here()

    def _stands(
        self,
        client: Client,
        userdata: object,
        mid: int,
        reasons: list[ReasonCode],
        properties: Properties | None,
    ) -> None:
        refused = [
            name
            for name, reason in zip(self._filters, reasons, strict=False)
            if reason.value >= _REFUSED
        ]
        if refused:
            self._complain(f"the broker at {self._where} refuses to hand out {', '.join(refused)}")
            return
        self._here()

    def _here(self) -> None:
        self.subscribed.set()
        log.info("broker %s: connected and subscribed", self._where)
        if self._announcement is not None:
            topic, online = self._announcement.topic, self._announcement.online
            self._client.publish(topic, online, qos=1, retain=True)

    def _disconnected(
        self,
        client: Client,
        userdata: object,
        flags: DisconnectFlags,
        reason: ReasonCode,
        properties: Properties | None,
    ) -> None:
        self.subscribed.clear()
        if reason.is_failure:
            self._complain(f"broker {self._where}: connection lost ({reason}); trying again")

    def _unreachable(self, client: Client, userdata: object) -> None:
        if self._tls:
            self._complain(f"no TLS with a broker at {self._where}: `kahriz doctor` says why")
            return
        self._complain(f"no broker at {self._where}; trying again until there is one")

    def _complain(self, text: str) -> None:
        """One line for each loss, not one for each try."""
        if not self._complained:
            log.warning("%s", text)
        self._complained = True

    def _message(self, client: Client, userdata: object, message: MQTTMessage) -> None:
        """A message that paho has put together itself."""
        try:
            topic = message.topic.encode()
        except UnicodeDecodeError:
            topic = b"\xff"
        payload = bytes(message.payload)
        self._received(topic, payload, message.retain, message.mid, message.qos, message.dup)

    def _received(
        self, name: bytes, payload: bytes, retained: bool, mid: int, qos: int, again: bool
    ) -> None:
        try:
            topic = name.decode()
        except UnicodeDecodeError:
            topic = "(a topic that is not UTF-8)"
        status = self._announcement is not None and topic == self._announcement.topic
        if status and self._on_status is not None:
            self._on_status(payload)
        elif self._on_arrival is not None:
            epoch, new_since_s = self.epoch, self.new_since_s
            self._on_arrival(Arrival(topic, payload, retained, mid, qos, epoch, new_since_s, again))
