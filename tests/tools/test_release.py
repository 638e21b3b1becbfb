# SPDX-License-Identifier: MIT
"""The signing key and the signed release; a board that learns whose signature it trusts."""

import hashlib
from pathlib import Path

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from kahriz_node import stamp
from kahriz_tools import release as work
from kahriz_tools.board import Board
from kahriz_tools.cli import node as node_cli
from kahriz_wire import release
from tests.tools.fake_board import FakeBoard
from tests.tools.test_flash import flash, told


@pytest.fixture(scope="module")
def key_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("key") / "release.pem"
    said = CliRunner().invoke(node_cli, ["release", "key", str(file), "--public", f"{file}.pub"])
    assert said.exit_code == 0, said.output
    return file


def test_the_key_is_its_owners_alone_and_never_overwritten(key_file: Path) -> None:
    assert key_file.stat().st_mode & 0o077 == 0
    before = key_file.read_bytes()
    assert CliRunner().invoke(node_cli, ["release", "key", str(key_file)]).exit_code == 3
    assert key_file.read_bytes() == before
    assert work.modulus(key_file) == work.modulus(Path(f"{key_file}.pub"))


def test_a_release_is_what_the_manifest_says_and_signed(key_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "release"
    words = ["release", "sign", "--key", str(key_file), "--out", str(out), "--version", "0.2.0"]
    said = CliRunner().invoke(node_cli, [*words, "--driver", "ds18b20"])
    assert said.exit_code == 0, said.output
    data = out.read_bytes()
    size, _ = release.head(data)
    begin = release.HEAD_BYTES + release.SIGNATURE_BYTES
    manifest = data[begin : begin + size]
    public = serialization.load_pem_public_key(Path(f"{key_file}.pub").read_bytes())
    assert isinstance(public, rsa.RSAPublicKey)
    signature = data[release.HEAD_BYTES : begin]
    public.verify(signature, manifest, padding.PKCS1v15(), hashes.SHA256())
    first, *lines = manifest.decode().splitlines()
    assert release.first_line(first) == (20000, 6, "0.2.0")
    at = begin + size
    names = []
    for line in lines:
        sha256, length, name = release.file_line(line)
        assert hashlib.sha256(data[at : at + length]).hexdigest() == sha256
        at += length
        names.append(name)
    assert at == len(data)
    assert "kahriz_node/sensors/ds18b20.mpy" in names
    assert "kahriz_node/sensors/a02yyuw.mpy" not in names
    assert not {"boot.mpy", "main.mpy"} & set(names)


@pytest.mark.parametrize("version", ["new", "1.2.3.4.5", "0.100", "42"])
def test_a_version_that_cannot_grow_is_refused(key_file: Path, version: str) -> None:
    words = ["release", "sign", "--key", str(key_file), "--out", "x", "--version", version]
    assert CliRunner().invoke(node_cli, words).exit_code == 3


def test_the_programs_own_number_is_that_of_its_version() -> None:
    assert release.number(stamp.VERSION) == stamp.NUMBER


def test_what_comes_by_cable_runs_instead_of_what_came_over_the_air(
    key_file: Path, tmp_path: Path
) -> None:
    with FakeBoard(tmp_path / "flash.lfs") as board:
        with Board(board.port) as session:
            session.write("/sel", b"b g a", lambda _: None)
        said = told(flash(board.port, "--release-key", str(key_file)))
        assert said["removed"] == ["/sel"]
        with Board(board.port) as session:
            assert session.read("/sel") is None
            assert session.read("/release.key") == work.modulus(key_file)
