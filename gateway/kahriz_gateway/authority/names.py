# SPDX-License-Identifier: MIT
"""Who may hold a certificate of a site, and under which name.

A common name is a broker user and a client id at once. A name with a dot can be no node's, so
that no node is ever taken for a service.
"""

from __future__ import annotations

from kahriz_gateway.authority.files import CaError
from kahriz_gateway.intake.probe import DOCTOR
from kahriz_wire import WireError, topics

BROKER = "broker"
SERVICES = ("intake", "village")
READER = "reader."  # a lamp, Home Assistant, a display: may read what the gateway says
NODE_YEARS = 10
SERVICE_YEARS = 5
BROKER_YEARS = 2  # nodes cannot read a revocation: what is stolen must end by itself
AUTHORITY_YEARS = 20


def service(name: str) -> str:
    """Common name of a service of the gateway (a node id has no dot)."""
    return f"gateway.{name}"


GATEWAY_NAMES = (BROKER, *map(service, SERVICES), DOCTOR)
_RESERVED = (topics.GATEWAY, BROKER)


def is_node(name: str) -> bool:
    """Whether a certificate of this name is an ESP32's."""
    return name not in GATEWAY_NAMES and not name.startswith(READER)


def years(name: str) -> int:
    if name == BROKER:
        return BROKER_YEARS
    return NODE_YEARS if is_node(name) else SERVICE_YEARS


def check(name: str) -> str:
    """Return the name when somebody may have a certificate for it."""
    bare = name.removeprefix(READER)
    if name in GATEWAY_NAMES:
        return name
    try:
        topics.check_id(bare, "name")
    except WireError:
        bare = ""
    if not bare or name in _RESERVED:
        raise CaError(
            f"no certificate for {name!r}: give a node id (a-z, 0-9, -), {READER}NAME, "
            f"or one of {', '.join(GATEWAY_NAMES)}"
        )
    return name
