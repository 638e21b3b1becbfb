# SPDX-License-Identifier: MIT
"""One upload's connection to the broker, and what came of the session on it.

`net`: socket() -> unconnected socket with setblocking, connect, write, read, close; resolve(host,
port) -> address; ticks_ms(), ticks_diff(later, earlier); random_hex8() -> 8 hexadecimal digits.

`plan`: site, node, host, port, deadline_ms, batch; user, password, tls (these three may be None).
"""

import errno
import sys

from kahriz_node import mqtt, unload
from kahriz_node.node import short
from kahriz_wire import outgoing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kahriz_node.session import Session
    from kahriz_node.shapes import Any, Book, Callable, Net, Plan
    from kahriz_wire.receipt import Receipt


class Outcome:
    """What came of a session."""

    def __init__(self) -> None:
        self.reached = False  # the broker took the connection
        self.answered = False  # a receipt for this session arrived
        self.receipt: Receipt | None = None
        self.error = ""
        self.rows = 0  # sent, the newest batch included
        self.now_ms: int | None = (
            None  # the gateway's time at the tick below, None when it is not to be had
        )
        self.now_tick = 0
        self.round_ms = 0
        self.sent: list[list[int]] = []  # ranges of rows


def run(
    net: "Net",
    journal: "Book",
    plan: "Plan",
    health: "dict[str, Any]",
    birth: "Callable[[], bytes] | None" = None,
    errands: "Callable[[Session], None] | None" = None,
) -> Outcome:
    """Hold one session; what went wrong is told in the outcome, never raised.

    `health` are the further keys of hello, `birth` is called for the body when it is asked for,
    `errands` with the session once its rows are through.
    """
    deadline = mqtt.Deadline(net, plan.deadline_ms)
    outcome = Outcome()
    stream = sock = None
    before = list(sys.modules)
    try:
        from kahriz_node import dial

        try:
            address = net.resolve(plan.host, plan.port)
        except OSError:
            raise mqtt.MqttError("dns") from None
        sock = net.socket()
        dial.reach(sock, address, deadline)
        outcome.reached = True
        client = "kahriz-" + plan.site + "-" + plan.node
        status = outgoing.topic(plan.site, plan.node, "status")
        connect = dial.connect(client, status, outgoing.OFFLINE, plan.user, plan.password)
        if plan.tls:
            from kahriz_node import tls

            stream = tls.wrap(sock, plan)
            del tls
        del dial
        unload(before)  # the way stands
        del address, client, status, before
        wire = mqtt.Wire(stream or sock, deadline)
        if plan.tls:  # the handshake first: it needs memory, and is no part of the round trip
            wire.write(connect)
            connect = b""
        from kahriz_node import session

        talk = session.Session(net, journal, plan, health, birth, errands, outcome)
        health.clear()  # it is in the hello
        talk.run(wire, deadline, connect)
    except Exception as error:  # noqa: BLE001 - told in the outcome: a receipt may have come before
        outcome.error = word_of(error, plan)
    finally:
        for line in (stream, sock):
            if line is not None:
                line.close()
    return outcome


def word_of(error: Exception, plan: "Plan") -> str:
    """A short word for hello."""
    if isinstance(error, mqtt.MqttError):
        return str(error)
    if isinstance(error, OSError) and (error.errno or 0) >= 0:
        return "timeout" if error.errno == errno.ETIMEDOUT else f"socket {error.errno}"
    if plan.tls and isinstance(
        error, (OSError, ValueError)
    ):  # mbedTLS on a certificate: a ValueError
        from kahriz_node import tls

        return tls.word(error)
    return short("session", error)
