# SPDX-License-Identifier: MIT
"""Statements signed by the site's authority: ECDSA P-256 over the very text that is kept.

    {"statement": "{\"at\": …, \"files\": {name: sha256}, …}", "signature": base64 of DER}

Whoever has the authority's certificate can check it; nothing secret is in it. A statement begins
with a brace and no certificate does, so that neither can ever be taken for the other.
"""

from __future__ import annotations

import base64
import json
import re
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from kahriz_gateway.authority import issue as ca_issue
from kahriz_gateway.authority.files import CaError
from kahriz_gateway.authority.register import stamp

SUM = re.compile(r"[0-9a-f]{64}")
TEXTS = ("what", "site", "node", "who")
MOST_BYTES = 4096


def sign(authority: ca_issue.Authority, site: str, asked: str, now: datetime) -> str:
    """The signed statement as JSON; `asked` is a statement without moment and authority."""
    said = _read(asked)
    if said["site"] != site:
        raise CaError(f"this is the authority of {site}, not of {said['site']!r}")
    certificate = authority.certificate
    statement = {
        **said,
        "v": 1,
        "at": stamp(now),
        "authority": certificate.subject.rfc4514_string(),
        "fingerprint": certificate.fingerprint(hashes.SHA256()).hex(),
    }
    text = json.dumps(statement, sort_keys=True, ensure_ascii=False)
    signature = authority.key.sign(text.encode(), ec.ECDSA(hashes.SHA256()))
    signed = {"statement": text, "signature": base64.b64encode(signature).decode()}
    return json.dumps(signed, indent=1, ensure_ascii=False)


def _read(asked: str) -> dict[str, Any]:
    if len(asked.encode()) > MOST_BYTES:
        raise CaError(f"a statement of more than {MOST_BYTES} bytes: sign sums, not contents")
    try:
        said = json.loads(asked)
    except ValueError as error:
        raise CaError(
            f"the statement is not JSON ({error}): see `kahriz node provision`"
        ) from error
    wanted = {*TEXTS, "files"}
    if not isinstance(said, dict) or said.keys() != wanted:
        raise CaError(f"a statement has {', '.join(sorted(wanted))}, no more and no less")
    files = said["files"]
    if not all(isinstance(said[key], str) for key in TEXTS) or not isinstance(files, dict):
        raise CaError("a statement holds texts, and files with their sums")
    if not files or not all(SUM.fullmatch(str(one)) for one in files.values()):
        raise CaError("each file of a statement needs its SHA-256 in hexadecimal")
    return said
