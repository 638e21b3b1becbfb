# SPDX-License-Identifier: MIT
"""The whole way of a reading, as a node goes it: hello by its rights, disk, receipt."""

from __future__ import annotations

import time

from kahriz_gateway.broker.visit import ANSWER_S, Visit, VisitError
from kahriz_gateway.checks import About, Finding, bad, good, idle
from kahriz_water.strict import ConfigError
from kahriz_wire import WireError
from kahriz_wire.messages import Hello, decode_receipt, encode_hello

JOURNAL = "00d0c703"
TRIES = 3  # a node says hello again when the first receipt does not come


def receipt(about: About) -> Finding:
    """A hello of the test node is answered with a receipt for this very session."""
    try:
        with Visit(about.plan, "receipt") as visit:
            hello = encode_hello(Hello(visit.mark, JOURNAL, 1, 1))
            begin = time.monotonic()
            for _ in range(TRIES):
                visit.door.publish(visit.topic("hello"), hello)
                if _answered(visit):
                    took_ms = (time.monotonic() - begin) * 1000
                    return good(f"stored and receipted in {took_ms:.0f} ms")
    except (VisitError, ConfigError) as error:
        return idle(f"not proved: {error}")
    return bad(
        "a hello gets no receipt",
        "is intake running (`systemctl status kahriz-intake`), is its disk full, does "
        "kahriz.acl name gateway.intake and doctor (`kahriz site broker`)?",
    )


def _answered(visit: Visit) -> bool:
    deadline = time.monotonic() + ANSWER_S / TRIES
    while (arrival := visit.next(deadline - time.monotonic())) is not None:
        try:
            if decode_receipt(arrival.payload).s == visit.mark:
                return True
        except WireError:
            continue
    return False
