# SPDX-License-Identifier: MIT
"""The broker's door: somebody listens, it is ours by its certificate, strangers stay outside."""

from __future__ import annotations

import socket
import ssl

from kahriz_gateway.broker.tls import context
from kahriz_gateway.checks import About, Finding, bad, good, idle
from kahriz_gateway.intake.probe import DOCTOR
from kahriz_water.site import Broker
from kahriz_water.strict import ConfigError

TIMEOUT_S = 5.0
_CONNECT = b"\x10\x0c\x00\x04MQTT\x04\x02\x00\x05\x00\x00"  # MQTT 3.1.1, clean session, no id
_WELCOME = b"\x20\x02\x00\x00"
_MAKE = "`kahriz site ca new`, then bring CA/gateway to this machine"


def reachable(about: About) -> Finding:
    broker = about.plan.broker
    try:
        _dial(broker).close()
    except OSError as error:
        mend = "start mosquitto (`systemctl status mosquitto`), or mend [broker] in site.toml"
        return bad(f"nobody at {broker.host}:{broker.port} ({error})", mend)
    return good(f"somebody listens at {broker.host}:{broker.port}")


def tls(about: About) -> Finding:
    """Our authority signed it, the name fits, it takes our certificate and refuses nobody's."""
    broker = about.plan.broker
    if broker.tls is None:
        if broker.plain:
            return bad("no TLS: everybody in that network can forge readings", _MAKE)
        return idle("no TLS; the broker is this machine's alone")
    try:
        ours, nobodys = context(broker, DOCTOR), context(broker, DOCTOR, bare=True)
    except ConfigError as error:
        return bad(str(error), _MAKE)
    assert ours is not None
    assert nobodys is not None
    try:
        welcome = _greeted(broker, ours)
    except ssl.SSLCertVerificationError as error:
        return bad(f"not the broker we know: {error.verify_message}", _FOREIGN)
    except (OSError, ssl.SSLError) as error:
        return bad(f"no TLS with the broker ({error})", f"{_FOREIGN}; is it the TLS port?")
    if not welcome:
        return bad("the broker refuses the doctor's certificate", _FOREIGN)
    if _stranger_is_greeted(broker, nobodys):
        return bad(
            "the broker lets in who has no certificate",
            "`kahriz site broker` writes a configuration with require_certificate",
        )
    return good("ours by its certificate; who has none is refused")


_FOREIGN = "`kahriz site ca show`: expired, revoked, of an old authority? renew, bring CA/gateway"


def _dial(broker: Broker) -> socket.socket:
    return socket.create_connection((broker.host, broker.port), TIMEOUT_S)


def _greeted(broker: Broker, how: ssl.SSLContext) -> bool:
    with _dial(broker) as sock, how.wrap_socket(sock, server_hostname=broker.host) as wire:
        wire.sendall(_CONNECT)
        return wire.recv(4) == _WELCOME


def _stranger_is_greeted(broker: Broker, how: ssl.SSLContext) -> bool:
    try:
        return _greeted(broker, how)
    except (OSError, ssl.SSLError):
        return False
