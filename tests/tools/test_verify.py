# SPDX-License-Identifier: MIT
"""`kahriz node verify`: who signed a commissioning sheet, when; a changed byte is refused."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from kahriz_gateway.authority.site import found, open_ca
from kahriz_tools import signature
from kahriz_tools.cli import node
from kahriz_tools.errors import BenchError
from tests.tools.commission import BEFORE_IMAGE, Commission, Prepared, told

SITE = "banovshalar-gozlu"
FACTS = {"site": SITE, "node": "outlet", "who": "R. Quliyev", "sha256": "0123456789abcdef" * 4}


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("authority") / "ca"
    found(folder, SITE, [])
    return folder


@pytest.fixture
def home(authority: Path, tmp_path: Path) -> Path:
    """A sheet as provision leaves it, and the site's authority where it looks for it."""
    shutil.copytree(authority, tmp_path / "ca")
    made = tmp_path / "commissioned" / "outlet"
    made.mkdir(parents=True)
    (made / "sheet.json").write_text(json.dumps(FACTS))
    (made / "sheet.pdf").write_bytes(b"%PDF drawn")
    put_signature(tmp_path, made)
    return made


def put_signature(site: Path, home: Path, **changes: Any) -> None:
    files = {name: (home / name).read_bytes() for name in ("sheet.json", "sheet.pdf")}
    asked = {**signature.statement(SITE, "outlet", "R. Quliyev", files), **changes}
    with open_ca(site / "ca") as ca:
        (home / "sheet.sig").write_text(ca.sign(json.dumps(asked)))


def verify(home: Path, *more: str) -> Result:
    return CliRunner().invoke(node, ["verify", str(home), *more, "--json"])


def test_it_says_who_signed_when_and_by_which_authority(home: Path) -> None:
    result = verify(home)
    assert result.exit_code == 0, result.output
    said = told(result)
    assert (said["who"], said["site"], said["node"]) == ("R. Quliyev", SITE, "outlet")
    assert said["at"].endswith("+00:00")
    assert said["authority"] == f"CN=kahriz {SITE} CA 1,O={SITE}"
    assert "sum on the paper: 0123 4567 89ab cdef" in result.stderr
    assert verify(home / "sheet.json").exit_code == 0, "a file of it will do"
    by_pem = verify(home, "--ca", str(home.parent.parent / "ca" / "gateway" / "ca.pem"))
    by_node = verify(home, "--ca", str(home.parent.parent / "ca" / "1" / "ca.pem"))
    assert by_pem.exit_code == by_node.exit_code == 0


def test_every_byte_counts(home: Path) -> None:
    for name in ("sheet.json", "sheet.pdf"):
        whole = (home / name).read_bytes()
        for at in range(len(whole)):
            changed = whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :]
            (home / name).write_bytes(changed)
            files = {n: (home / n).read_bytes() for n in ("sheet.json", "sheet.pdf")}
            with pytest.raises(BenchError, match=f"{name} was changed"):
                signature.check((home / "sheet.sig").read_bytes(), files, trusted(home))
        result = verify(home)
        assert result.exit_code == 1
        assert "do not believe it" in result.stderr
        (home / name).write_bytes(whole)
    assert verify(home).exit_code == 0


def trusted(home: Path) -> list[signature.Certificate]:
    return signature.trusted(home.parent.parent / "ca")


def test_no_byte_of_the_signature_can_be_another(home: Path) -> None:
    signed = (home / "sheet.sig").read_bytes()
    files = {name: (home / name).read_bytes() for name in ("sheet.json", "sheet.pdf")}
    right = signature.check(signed, files, trusted(home))
    authorities = trusted(home)
    for at in range(len(signed)):
        for flip in (1, 32):
            changed = signed[:at] + bytes([signed[at] ^ flip]) + signed[at + 1 :]
            try:
                same = signature.check(changed, files, authorities)
            except BenchError:
                continue
            assert same == right, "spaces between the parts, nothing else"


def test_a_file_that_is_missing_or_was_never_signed_is_told(home: Path) -> None:
    (home / "sheet.pdf").rename(home / "away")
    assert "sheet.pdf is missing" in verify(home).stderr
    (home / "away").rename(home / "sheet.pdf")
    (home / "sheet.sig").unlink()
    assert "`kahriz node provision` signs it" in verify(home).stderr


@pytest.mark.parametrize("garbage", [b"", b"{}", b"[]", b'{"statement": 5}', b"\xff\xfe"])
def test_garbage_instead_of_a_signature_is_refused_in_words(home: Path, garbage: bytes) -> None:
    (home / "sheet.sig").write_bytes(garbage)
    result = verify(home)
    assert result.exit_code == 1
    assert "the signature cannot be read" in result.stderr


def test_the_authority_of_another_site_does_not_speak_for_this_one(
    home: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    found(other, SITE, [])
    result = verify(home, "--ca", str(other))
    assert result.exit_code == 10
    assert "is no authority of this site" in result.stderr
    assert verify(home, "--ca", str(tmp_path / "nowhere")).exit_code == 10


def test_a_signature_for_another_node_does_not_fit(home: Path) -> None:
    put_signature(home.parent.parent, home, node="middle")
    assert "sheet and signature name two nodes" in verify(home).stderr


def test_a_signature_never_leads_out_of_its_folder(home: Path) -> None:
    (home.parent / "secret").write_text("x")
    put_signature(home.parent.parent, home, files={"../secret": "ab" * 32})
    assert "the signature names '../secret'" in verify(home).stderr


def test_the_paper_is_compared_with_the_file(home: Path) -> None:
    assert verify(home, "--sum", "0123 4567 89AB cdef 0123").exit_code == 0
    assert "has another sum" in verify(home, "--sum", "0123 4567 89ab 0000").stderr
    assert verify(home, "--sum", "0123").exit_code == 2


# --- as provision leaves it


@pytest.mark.needs("mosquitto")
def test_provision_signs_its_sheet_and_no_secret_is_in_it(
    field: Commission, first: tuple[dict[str, Any], str]
) -> None:
    home = field.folder / "commissioned" / "outlet"
    said = told(verify(home))
    assert (said["who"], said["node"]) == ("R. Quliyev", "outlet")
    kept = (home / "sheet.sig").read_bytes()
    assert b"PRIVATE" not in kept
    assert b"demo-only-not-secret" not in kept
    line = next(step for step in first[0]["steps"] if step["name"] == "sheet")
    assert "signed for R. Quliyev at " in line["says"]


@pytest.mark.needs("mosquitto")
def test_a_sheet_that_somebody_changed_is_made_and_signed_anew(
    field: Commission, first: object
) -> None:
    home = field.folder / "commissioned" / "outlet"
    page = (home / "sheet.pdf").read_bytes()
    (home / "sheet.pdf").write_bytes(page + b" ")
    assert "sheet.pdf was changed" in verify(home).stderr
    prepared = Prepared(field)
    for name in (*BEFORE_IMAGE, "records"):
        prepared.steps[name].verify()
    step = prepared.steps["sheet"]
    assert step.verify() is None
    assert step.do is not None
    step.do()
    assert step.verify() is not None
    assert verify(home).exit_code == 0
