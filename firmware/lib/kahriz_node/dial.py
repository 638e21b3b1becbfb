# SPDX-License-Identifier: MIT
"""The way to the broker, which is not needed once it stands: TCP, and the first packet."""

import errno
import select

from kahriz_node import mqtt

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kahriz_node.shapes import Any

KEEP_ALIVE_S = 60
DIAL_MS = 4000  # the gateway is next door: a SYN may be lost once


def connect(
    client: str,
    will_topic: str,
    will: bytes,
    user: "str | None" = None,
    password: "str | None" = None,
) -> bytes:
    """CONNECT with a clean session and a retained will of QoS 1."""
    flags = 0x2E  # clean session, will, QoS 1, retained
    body = mqtt.field(client.encode()) + mqtt.field(will_topic.encode()) + mqtt.field(will)
    if user is not None:
        flags |= 0x80
        body += mqtt.field(user.encode())
        if password is not None:
            flags |= 0x40
            body += mqtt.field(password.encode())
    return mqtt.packet(0x10, b"\x00\x04MQTT\x04" + bytes((flags, 0, KEEP_ALIVE_S)) + body)


def reach(sock: "Any", address: "Any", deadline: mqtt.Deadline) -> None:
    """Connect without blocking: on the chip connect() may hang 10 s whatever its timeout."""
    sock.setblocking(False)
    try:
        sock.connect(address)
    except OSError as error:
        if error.errno not in (errno.EINPROGRESS, errno.EAGAIN, errno.EALREADY):
            raise
    poll = select.poll()
    poll.register(sock, select.POLLOUT)
    events = poll.poll(min(DIAL_MS, deadline.left()))
    if not events:
        raise OSError(errno.ETIMEDOUT, "deadline")
    if events[0][1] & (select.POLLERR | select.POLLHUP):
        raise OSError(errno.ECONNREFUSED, "refused")
