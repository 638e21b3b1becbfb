# SPDX-License-Identifier: MIT
"""`kahriz site ca sign`: the authority's name under a statement, for everybody to check."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from kahriz_gateway.authority.cli import site as command
from kahriz_gateway.authority.site import found

SITE = "banovshalar-gozlu"
ASKED = {
    "what": "commissioning sheet",
    "site": SITE,
    "node": "outlet",
    "who": "R. Quliyev",
    "files": {"sheet.json": "ab" * 32},
}


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("authority") / "ca"
    found(folder, SITE, ["192.168.4.2"], b"secret words")
    return folder


def sign(folder: Path, asked: Any, words: str = "secret words") -> Result:
    text = asked if isinstance(asked, str) else json.dumps(asked)
    environment = {"KAHRIZ_CA_PASSPHRASE": words}
    return CliRunner().invoke(command, ["ca", "sign", "--ca", str(folder)], text, environment)


def test_the_very_text_is_signed_and_says_who_when_and_by_whom(authority: Path) -> None:
    result = sign(authority, ASKED)
    assert result.exit_code == 0, result.output
    signed = json.loads(result.stdout)
    certificate = x509.load_pem_x509_certificate((authority / "1" / "ca.pem").read_bytes())
    key = certificate.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    text, signature = signed["statement"].encode(), base64.b64decode(signed["signature"])
    key.verify(signature, text, ec.ECDSA(hashes.SHA256()))
    with pytest.raises(InvalidSignature):
        key.verify(signature, text.replace(b"Quliyev", b"Quliyew"), ec.ECDSA(hashes.SHA256()))
    said = json.loads(signed["statement"])
    assert {key: said[key] for key in ASKED} == ASKED
    assert said["at"].endswith("+00:00")
    assert said["fingerprint"] == certificate.fingerprint(hashes.SHA256()).hex()
    assert "secret words" not in result.output


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ({**ASKED, "site": "elsewhere"}, "this is the authority of banovshalar-gozlu"),
        ({**ASKED, "more": "x"}, "no more and no less"),
        ({**ASKED, "files": {}}, "needs its SHA-256"),
        ({**ASKED, "files": {"a": "12"}}, "needs its SHA-256"),
        ({**ASKED, "who": 7}, "holds texts"),
        ({**ASKED, "who": "x" * 5000}, "sign sums, not contents"),
        ("not json", "is not JSON"),
        ("[1]", "no more and no less"),
    ],
)
def test_what_is_no_statement_of_this_site_is_refused(
    authority: Path, asked: Any, why: str
) -> None:
    result = sign(authority, asked)
    assert result.exit_code == 1
    assert why in result.stderr
    assert result.stdout == ""


def test_without_the_words_of_the_key_nothing_is_signed(authority: Path) -> None:
    result = sign(authority, ASKED, "other words")
    assert result.exit_code == 1
    assert "--passphrase-file" in result.stderr
