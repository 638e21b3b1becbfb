# SPDX-License-Identifier: MIT
"""A commissioning sheet's detached signature: checked by the site's authority, byte for byte.

commissioned/<node>/sheet.sig holds the statement that was signed, as text, and the signature. The
statement names who, when, and the SHA-256 of the sheet's files; nothing of it is secret.
"""

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from kahriz_tools.errors import BenchError

WHAT = "commissioning sheet"
BROKEN, UNKNOWN = 1, 10  # exit codes: it does not hold; not of this authority
Certificate = x509.Certificate


def statement(site: str, node: str, who: str, files: Mapping[str, bytes]) -> dict[str, Any]:
    """What the authority is asked to sign."""
    sums = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    return {"what": WHAT, "site": site, "node": node, "who": who, "files": sums}


def trusted(path: Path) -> list[Certificate]:
    """Certificates of an authority, the newest last: its folder, a PEM file, a node's ca.der."""
    mine = sorted(path.glob("[0-9]*/ca.pem"), key=lambda file: int(file.parent.name))
    files = [path] if not path.is_dir() else mine or [path / "ca.pem"]
    found: list[Certificate] = []
    for file in files:
        try:
            data = file.read_bytes()
            if b"BEGIN CERTIFICATE" in data:
                found += x509.load_pem_x509_certificates(data)
            else:
                found.append(x509.load_der_x509_certificate(data))
        except (OSError, ValueError) as error:
            raise BenchError(
                f"no authority's certificate in {file} ({error})",
                "--ca FOLDER of the site's authority, or its ca.pem",
                UNKNOWN,
            ) from error
    return found


def fingerprint(certificate: Certificate) -> str:
    return certificate.fingerprint(hashes.SHA256()).hex()


def check(
    signed: bytes, files: Mapping[str, bytes], authorities: Iterable[Certificate]
) -> dict[str, Any]:
    """The statement, when one of the authorities signed it and every file is the one it names."""
    said, text, signature = _read(signed)
    mine = [one for one in authorities if fingerprint(one) == said.get("fingerprint")]
    if not mine:
        raise BenchError(
            f"signed by {said.get('authority')}, fingerprint {short(said.get('fingerprint'))}, "
            "which is no authority of this site",
            "give that site's --ca; else somebody else made this sheet",
            UNKNOWN,
        )
    key = mine[0].public_key()
    try:
        assert isinstance(key, ec.EllipticCurvePublicKey)
        key.verify(signature, text, ec.ECDSA(hashes.SHA256()))
    except (InvalidSignature, AssertionError) as error:
        raise BenchError(
            "the signature is not under this statement", "it was changed: do not believe it", BROKEN
        ) from error
    sums = said["files"]
    for name in sorted({*sums, *files}):
        if name not in files:
            raise BenchError(f"{name} is missing", "it was signed too: bring it", BROKEN)
        if sums.get(name) != hashlib.sha256(files[name]).hexdigest():
            raise BenchError(f"{name} was changed after it was signed", "do not believe it", BROKEN)
    return said


def files_of(signed: bytes) -> list[str]:
    """Names that a signature speaks of; never a way out of its folder."""
    names = sorted(_read(signed)[0]["files"])
    for name in names:
        if Path(name).name != name:
            raise BenchError(f"the signature names {name!r}", "it is none of ours", BROKEN)
    return names


def short(digits: object) -> str:
    """A sum as people compare it.

    >>> short("0123456789abcdef" * 4)
    '0123 4567 89ab cdef 0123 4567 89ab cdef'
    """
    text = str(digits)[:32]
    return " ".join(text[at : at + 4] for at in range(0, len(text), 4))


def _read(signed: bytes) -> tuple[dict[str, Any], bytes, bytes]:
    try:
        outer = json.loads(signed)
        text = outer["statement"]
        said = json.loads(text)
        signature = base64.b64decode(outer["signature"], validate=True)
        if said["v"] != 1 or said["what"] != WHAT or not isinstance(said["files"], dict):
            raise ValueError("another version")
        return dict(said), text.encode(), signature
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BenchError(
            f"the signature cannot be read ({type(error).__name__} {error})",
            "`kahriz node provision` signs anew",
            BROKEN,
        ) from error
