# SPDX-License-Identifier: MIT
"""The certificates on this machine: readable, secret, fitting, and not about to end."""

from __future__ import annotations

import ssl
import stat
from datetime import UTC, datetime

from cryptography import x509

from kahriz_gateway.authority.names import SERVICES
from kahriz_gateway.broker.tls import files
from kahriz_gateway.certificate_ends import DAYS_LEAST
from kahriz_gateway.checks import About, Finding, bad, good, idle
from kahriz_gateway.intake.probe import DOCTOR
from kahriz_water.site import Tls

_RENEW = "`kahriz site ca renew {name}`, then bring CA/gateway to this machine and restart"


def certificates(about: About) -> Finding:
    """Every service's key and certificate, the trust bundle; the one that ends first is named."""
    tls = about.plan.broker.tls
    if tls is None:
        return idle("none are used")
    now = datetime.fromtimestamp(about.clock.now_ms() / 1000, UTC)
    soonest: tuple[int, str] | None = None
    for service in (*SERVICES, DOCTOR):
        wrong = _wrong(tls, service)
        if wrong is not None:
            return wrong
        for name, ends in _ends(tls, service):
            days = (ends - now).days
            soonest = min(soonest or (days, name), (days, name))
    assert soonest is not None
    return judge_days(*soonest)


def judge_days(days: int, name: str) -> Finding:
    if days >= DAYS_LEAST:
        return good(f"the first to end is {name}, in {days} days")
    when = f"ends in {days} days" if days >= 0 else f"ended {-days} days ago"
    if name == "ca.pem":
        return bad(f"the authority {when}", "`kahriz site ca roll` (gateway/deploy/README.md)")
    return bad(f"{name} {when}", _RENEW.format(name=name.removesuffix(".pem")))


def _wrong(tls: Tls, service: str) -> Finding | None:
    ca, cert, key = files(tls, service)
    bring = "bring CA/gateway, as `kahriz site ca` made it, to this machine"
    for path in (ca, cert, key):
        try:
            path.read_bytes()
        except OSError as error:
            return bad(f"{path} cannot be read ({error.strerror})", bring)
    if stat.S_IMODE(key.stat().st_mode) & 0o077:
        return bad(f"others may read {key}", f"chmod 600 {key}; if strangers were here, renew it")
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain(cert, key)
    except ssl.SSLError as error:
        return bad(f"{cert.name} and {key.name} do not fit ({error.reason})", bring)
    return None


def _ends(tls: Tls, service: str) -> list[tuple[str, datetime]]:
    ca, cert, _ = files(tls, service)
    found: list[tuple[str, datetime]] = []
    for path in (ca, cert, cert.with_name("broker.pem")):
        if path.exists():
            each = x509.load_pem_x509_certificates(path.read_bytes())
            found += [(path.name, one.not_valid_after_utc) for one in each]
    return found
