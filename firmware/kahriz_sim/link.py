# SPDX-License-Identifier: MIT
"""This machine's network as the node's session asks for it, and a look at the gateway's status."""

import errno
import secrets
import socket
import time
from typing import Any

from kahriz_node import dial, mqtt
from kahriz_wire import topics


class Stream(socket.socket):
    """A socket that reads and writes as MicroPython's streams do: None where it would block."""

    def read(self, most: int) -> bytes | None:
        try:
            return self.recv(most)
        except BlockingIOError:
            return None

    def write(self, data: bytes) -> int | None:
        try:
            return self.send(data)
        except BlockingIOError:
            return None


class Net:
    """What `kahriz_node.uplink` wants of a network."""

    def socket(self) -> Stream:
        return Stream()

    def resolve(self, host: str, port: int) -> tuple[str, int]:
        return host, port

    def ticks_ms(self) -> int:
        return time.monotonic_ns() // 1_000_000

    def ticks_diff(self, later: int, earlier: int) -> int:
        return later - earlier

    def random_hex8(self) -> str:
        return secrets.token_hex(4)


def listens(host: str, port: int, timeout_s: float) -> bool:
    """Whether a server takes connections there, in time."""
    end = time.monotonic() + timeout_s
    while time.monotonic() < end:
        try:
            with socket.create_connection((host, port), 1.0):
                return True
        except OSError:
            time.sleep(0.1)
    return False


def gateway_is_online(site: str, host: str, port: int, timeout_s: float) -> bool:
    """Whether the broker passes on, in time, that the gateway of this site is online."""
    topic = topics.of(site, topics.GATEWAY, "status")
    net: Any = Net()
    sock = net.socket()
    try:
        deadline = mqtt.Deadline(net, int(timeout_s * 1000))
        dial.reach(sock, (host, port), deadline)
        wire = mqtt.Wire(sock, deadline)
        name = f"kahriz-look-{net.random_hex8()}"
        hello = dial.connect(name, f"kahriz/look/{name}", b"")
        wire.write(hello + mqtt.subscribe(1, topic, 0))
        while True:
            packet = wire.read(deadline.left())
            if packet and packet[0] & 0xF0 == mqtt.PUBLISH and b"online" in packet[1]:
                wire.write(mqtt.DISCONNECT)
                return True
    except mqtt.MqttError:
        return False
    except OSError as error:
        if error.errno in (errno.ETIMEDOUT, errno.ECONNREFUSED, errno.ECONNRESET, errno.EPIPE):
            return False
        raise
    finally:
        sock.close()
