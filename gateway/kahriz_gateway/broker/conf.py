# SPDX-License-Identifier: MIT
"""The mosquitto configuration of a site and its access list, as text, from the plan.

The broker is transport: what it queues is a convenience, bounded, and what overflows costs a
resend. Who may say what is taken from the client certificate's common name alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from kahriz_gateway.authority.names import READER, SERVICES, service
from kahriz_gateway.intake.probe import DOCTOR
from kahriz_wire import topics

INFLIGHT = 1_000  # without PUBACK; on a card that flushes in 10 ms twice the rows of 20 or 200
QUEUED = 10_000  # messages for a service that is away: 20 nodes say 60 an hour, that is a week
QUEUED_BYTES = 16_000_000
PACKET_BYTES = 65_536  # an `up` has 4 kB at most, a piece of a program 16 kB
CONNECTIONS = 500  # who only connects is dropped after 90 s, but must not fill the house

_CONFIGURATION = """\
# Made by `kahriz site broker` for {site}; change site.toml and make it again. Instead of Debian's
# own /etc/mosquitto/mosquitto.conf, not beside it.
per_listener_settings false

listener {port}{bind}
cafile {tls}/ca.pem
certfile {tls}/broker.pem
keyfile {tls}/broker.key
crlfile {tls}/crl.pem
tls_version tlsv1.2
require_certificate true
# A name comes from the certificate alone; without the second line a node could take over the
# session of its neighbour by calling itself so.
use_identity_as_username true
use_username_as_clientid true
allow_anonymous false
acl_file {acl}

# A receipt must not wait 40 ms for a delayed TCP acknowledgement.
set_tcp_nodelay true
max_inflight_messages {inflight}
max_queued_messages {queued}
max_queued_bytes {queued_bytes}
queue_qos0_messages false
max_packet_size {packet_bytes}
max_connections {connections}
persistent_client_expiration 60d

persistence true
persistence_location {state}/
autosave_interval 900
sys_interval 0
log_dest stderr
log_type error
log_type warning
log_type notice
connection_messages true
"""

NODE_SAYS = ("hello", "up/+", "ack", "birth", "status")
NODE_HEARS = ("receipt", "config", "ota/#")


def configuration(
    site: str,
    tls: Path,
    acl: Path,
    state: Path = Path("/var/lib/mosquitto"),
    port: int = 8883,
    bind: str | None = None,
) -> str:
    """mosquitto.conf for a TLS listener on all addresses, or on `bind` alone."""
    return _CONFIGURATION.format(
        site=site,
        port=port,
        bind=f" {bind}" if bind else "",
        tls=tls,
        acl=acl,
        state=state,
        inflight=INFLIGHT,
        queued=QUEUED,
        queued_bytes=QUEUED_BYTES,
        packet_bytes=PACKET_BYTES,
        connections=CONNECTIONS,
    )


def access(site: str, nodes: Iterable[str], readers: Iterable[str] = ()) -> str:
    """The access list: a node its own topics, the gateway's services all, nobody else anything."""
    here = f"{topics.ROOT}/{site}"
    parts = [f"# Made by `kahriz site broker` for {site}. Who is not named here may nothing."]
    for name in SERVICES:
        parts.append(f"user {service(name)}\ntopic readwrite {here}/#")
    for node in nodes:
        parts.append(_node(here, node))
    echo = f"{here}/{DOCTOR}/echo/#"
    parts.append(
        f"# the test node of `kahriz doctor`\n{_node(here, DOCTOR)}\ntopic readwrite {echo}"
    )
    for name in readers:
        parts.append(f"user {READER}{name}\ntopic read {here}/{topics.GATEWAY}/#")
    return "\n\n".join(parts) + "\n"


def _node(here: str, node: str) -> str:
    lines = [f"user {node}"]
    lines += [f"topic write {here}/{node}/{kind}" for kind in NODE_SAYS]
    lines += [f"topic read {here}/{node}/{kind}" for kind in NODE_HEARS]
    return "\n".join(lines)
