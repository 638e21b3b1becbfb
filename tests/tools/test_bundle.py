# SPDX-License-Identifier: MIT
"""The bundle of the node's program: whole, the same bytes twice, signed as it lies there."""

import hashlib
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from kahriz_node.sensors import SENSORS
from kahriz_tools import bundle
from kahriz_tools import release as work
from kahriz_tools.cli import node as node_cli
from kahriz_tools.errors import BenchError
from kahriz_wire import release

EPOCH = {"SOURCE_DATE_EPOCH": "1795392000"}
CALL = "from kahriz_tools.cli import node; node()"


def said(*words: str) -> Result:
    return CliRunner(env=EPOCH).invoke(node_cli, ["release", *words])


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bundle")
    assert said("bundle", "--out", str(folder)).exit_code == 0
    return next(folder.glob("kahriz-node-*.zip"))


def inside(file: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(file) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def test_another_process_hour_and_folder_make_the_same_bytes(made: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.zip"
    words = [sys.executable, "-c", CALL, "release", "bundle", "--out", str(again)]
    environment = {"TZ": "Asia/Baku", "PYTHONHASHSEED": "7", **EPOCH}
    path = ":".join(sys.path)
    subprocess.run(words, check=True, cwd=tmp_path, env=environment | {"PYTHONPATH": path})
    assert again.read_bytes() == made.read_bytes()


def test_it_holds_the_starters_and_all_drivers_with_their_sums(made: Path) -> None:
    files = inside(made)
    sums = dict(reversed(line.split("  ")) for line in files["SHA256SUMS"].decode().splitlines())
    assert sums == {
        name: hashlib.sha256(data).hexdigest()
        for name, data in files.items()
        if name != "SHA256SUMS"
    }
    program = {name for name in files if name.startswith("program/")}
    assert program >= {"program/boot.py", "program/main.py", "program/lib/kahriz_node/node.mpy"}
    for name in SENSORS:
        assert f"program/lib/kahriz_node/sensors/{name}.mpy" in program


def test_the_list_of_parts_names_every_file_of_the_program(made: Path) -> None:
    files = inside(made)
    parts = json.loads(files["sbom.cdx.json"])
    told = {each["name"]: each["hashes"][0]["content"] for each in parts["components"]}
    assert told == {
        name: hashlib.sha256(data).hexdigest()
        for name, data in files.items()
        if name.startswith("program/")
    }
    assert parts["metadata"]["tools"]["components"][0]["name"] == "mpy-cross"


def test_a_release_of_the_bundle_holds_its_manifest_and_its_files(
    made: Path, tmp_path: Path
) -> None:
    key = tmp_path / "release.pem"
    work.make_key(key)
    out = tmp_path / "release"
    result = said("sign", "--key", str(key), "--out", str(out), "--bundle", str(made))
    assert result.exit_code == 0, result.output
    files = inside(made)
    manifest_bytes, files_bytes = release.head(out.read_bytes())
    begin = release.HEAD_BYTES + release.SIGNATURE_BYTES
    signed, body = files["MANIFEST"], b"".join(bundle.on_the_slot(files).values())
    assert (manifest_bytes, files_bytes) == (len(signed), len(body))
    assert out.read_bytes()[begin:] == signed + body


@pytest.mark.parametrize("how", ["changed", "missing", "more", "no zip", "older form", "huge"])
def test_a_bundle_that_is_not_whole_is_not_signed(made: Path, tmp_path: Path, how: str) -> None:
    files = inside(made)
    name = next(each for each in files if each.endswith("node.mpy"))
    if how == "changed":
        files[name] = bytes([files[name][0] ^ 1]) + files[name][1:]
    elif how == "missing":
        del files[name]
    elif how == "more":
        files["program/lib/kahriz_node/guest.mpy"] = b"M\x06"
    elif how == "older form":
        first, line, rest = files["MANIFEST"].partition(b"\n")
        files["MANIFEST"] = first[:-1] + b"1" + line + rest
    elif how == "huge":
        files["program/zeros"] = bytes(bundle.MOST_BYTES)
    bad = tmp_path / "bad.zip"
    with zipfile.ZipFile(bad, "w", zipfile.ZIP_DEFLATED) as opened:
        for each, data in files.items():
            opened.writestr(each, data)
    if how == "no zip":
        bad.write_bytes(b"PK" + bytes(100))
    with pytest.raises(BenchError, match="is no bundle of the node's program"):
        bundle.read(bad)


def test_a_bundle_has_its_own_version(made: Path, tmp_path: Path) -> None:
    words = ["--key", str(made), "--out", str(tmp_path / "x"), "--bundle", str(made)]
    assert said("sign", *words, "--version", "0.2.0").exit_code == 2
    assert said("bundle", "--out", str(tmp_path / "x.zip"), "--version", "new").exit_code == 3
    assert not (tmp_path / "x.zip").exists()
