# SPDX-License-Identifier: MIT
"""When the certificates on this machine end, read without a library for X.509: village is small.

The validity of a certificate is the only place in it where two times stand side by side.
"""

from __future__ import annotations

import re
import ssl
from datetime import UTC, datetime

from kahriz_gateway.broker.tls import files
from kahriz_water.site import Tls

DAYS_LEAST = 60  # a technician comes that often
DAY_MS = 86_400_000
_TIME = rb"(?:\x17\x0d(?:\d{12})Z|\x18\x0f(?:\d{14})Z)"
_VALIDITY = re.compile(_TIME + rb"(?:\x17\x0d(\d{12})Z|\x18\x0f(\d{14})Z)")
_BLOCK = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)


def ends_ms(pem: str) -> list[int]:
    """The ends of all certificates in a file."""
    found = []
    for block in _BLOCK.findall(pem):
        validity = _VALIDITY.search(ssl.PEM_cert_to_DER_cert(block))
        if validity is not None:
            short, long = validity.groups()
            text = long.decode() if short is None else f"20{short.decode()}"  # UTCTime: to 2049
            moment = datetime.strptime(text, "%Y%m%d%H%M%S").replace(tzinfo=UTC)
            found.append(round(moment.timestamp() * 1000))
    return found


def soonest(tls: Tls, service: str) -> tuple[str, int] | None:
    """The certificate that ends first, of the authority, this service and the broker beside it."""
    ca, cert, _ = files(tls, service)
    found = []
    for path in (ca, cert, cert.with_name("broker.pem")):
        try:
            found += [(end, path.name) for end in ends_ms(path.read_text(encoding="ascii"))]
        except (OSError, ValueError):  # the doctor says what is wrong with a file
            continue
    end, name = min(found, default=(0, ""))
    return (name, end) if found else None


def about_to_end(tls: Tls, service: str, now_ms: int) -> str | None:
    """What a person must hear of it in time; None while there is time."""
    first = soonest(tls, service)
    if first is None:
        return None
    name, end = first
    days = (end - now_ms) // DAY_MS
    if days >= DAYS_LEAST:
        return None
    when = f"ends in {days} days" if days >= 0 else f"ended {-days} days ago"
    mend = "roll" if name == files(tls, service)[0].name else f"renew {name.removesuffix('.pem')}"
    return f"{name} {when}: kahriz site ca {mend}"
