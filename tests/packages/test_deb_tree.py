# SPDX-License-Identifier: MIT
"""The tree of the Debian package, looked over without installing it (see `make test-deb`)."""

from __future__ import annotations

import gzip
import json
import os
import re
import shutil
import stat
import subprocess
import zipfile
from collections.abc import Generator
from pathlib import Path

import pytest

from scripts import deb, man, sbom
from scripts.uv import uv

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Generator[Path, None, None]:
    """All that is laid around the wheels; of these only our own, as others need a network."""
    before = os.umask(0o022)
    try:
        tree = tmp_path_factory.mktemp("deb") / "tree"
        wheels, pip = tree / "usr/lib/kahriz/wheels", tree / "usr/lib/kahriz/pip"
        pip.mkdir(parents=True)
        uv("build", "--quiet", "--wheel", "--out-dir", str(wheels), str(ROOT))
        (wheels / ".gitignore").unlink(missing_ok=True)
        shutil.copy(next(wheels.glob("*.whl")), pip / "pip.whl")
        deb.lay(tree, "arm64", "0.1.0")
        yield tree
    finally:
        os.umask(before)


def files(tree: Path) -> dict[str, Path]:
    return {
        str(path.relative_to(tree)): path
        for path in tree.rglob("*")
        if path.is_file() and not path.is_symlink()
    }


def test_dpkg_takes_the_tree_and_reads_its_paragraph(tree: Path, tmp_path: Path) -> None:
    package = tmp_path / "package.deb"
    deb.pack(tree, package)
    said = subprocess.run(["dpkg-deb", "--field", str(package)], capture_output=True, text=True)
    assert "Version: 0.1.0\nArchitecture: arm64\n" in said.stdout
    assert "Depends: python3" in said.stdout
    again = tmp_path / "again.deb"
    deb.pack(tree, again)
    assert again.read_bytes() == package.read_bytes()


def test_nothing_is_writable_by_others_and_only_programs_can_be_run(tree: Path) -> None:
    for name, path in files(tree).items():
        mode = stat.S_IMODE(path.stat().st_mode)
        script = path.read_bytes()[:2] == b"#!"
        assert mode == (0o755 if script else 0o644), f"{name} {mode:o}"
    folders = [path for path in tree.rglob("*") if path.is_dir()]
    odd = {p.relative_to(tree).as_posix(): p.stat().st_mode & 0o777 for p in folders}
    odd = {name: mode for name, mode in odd.items() if mode != 0o755}
    assert odd == {"var/backups/kahriz": 0o700}


def test_every_unit_is_there_and_names_only_what_the_package_brings(tree: Path) -> None:
    units = tree / "usr/lib/systemd/system"
    ours = {path.name for path in (deb.DEPLOY / "systemd").glob("kahriz*")}
    assert {path.name for path in units.iterdir()} == ours
    words = "".join(path.read_text("utf-8") for path in units.iterdir())
    for name in re.findall(r"\bkahriz[a-z-]*\.(?:service|timer|target|path)\b", words):
        assert name in ours
    for document in re.findall(r"^Documentation=file:/(\S+)", words, re.M):
        target = tree / os.readlink(tree / document).lstrip("/")
        assert target.is_file()


def test_a_file_below_etc_is_a_conffile_and_nothing_else_is(tree: Path) -> None:
    told = (tree / "DEBIAN/conffiles").read_text("utf-8").split()
    assert sorted(told) == sorted(f"/{name}" for name in files(tree) if name.startswith("etc/"))
    assert len(told) == 3


def test_every_file_has_its_sum(tree: Path) -> None:
    done = subprocess.run(
        ["md5sum", "--check", "--quiet", "DEBIAN/md5sums"], cwd=tree, capture_output=True
    )
    assert done.returncode == 0, done.stdout
    listed = {line.split("  ")[1] for line in (tree / "DEBIAN/md5sums").read_text().splitlines()}
    assert listed == {name for name in files(tree) if not name.startswith("DEBIAN/")}


def test_no_path_of_the_machine_that_built_it_is_inside(tree: Path) -> None:
    homes = {f"{ROOT}/", f"{Path.home()}/", "/tmp/"} - {"//"}
    texts = {n: p.read_bytes() for n, p in files(tree).items() if not p.name.endswith(".whl")}
    for name, path in files(tree).items():
        if path.suffix == ".gz":
            texts[name] = gzip.decompress(path.read_bytes())
    with zipfile.ZipFile(next((tree / "usr/lib/kahriz/wheels").glob("*.whl"))) as wheel:
        texts |= {name: wheel.read(name) for name in wheel.namelist()}
    found = [(n, home) for n, text in texts.items() for home in homes if home.encode() in text]
    assert [each for each in found if each[1] != "/tmp/"] == []
    allowed = {"kahriz_tools", "kahriz_sim"}  # a laptop's programs, which make their own folders
    assert [n for n, home in found if home == "/tmp/" and n.split("/")[0] not in allowed] == []


def test_no_cache_test_or_secret_came_along(tree: Path) -> None:
    with zipfile.ZipFile(next((tree / "usr/lib/kahriz/wheels").glob("*.whl"))) as wheel:
        inside = [*wheel.namelist(), *files(tree)]
    bad = re.compile(r"__pycache__|\.pyc$|(^|/)tests?/|\.key$|\.pem$|\.db$|credstore/|/\.git")
    assert [name for name in inside if bad.search(name)] == []


def test_the_list_of_parts_names_the_files_that_are_there(tree: Path) -> None:
    parts = json.loads((tree / "usr/share/doc/kahriz-gateway/sbom.cdx.json").read_text("utf-8"))
    share = tree / "usr/lib/kahriz"
    wheels = [*sorted((share / "wheels").glob("*.whl")), share / "pip/pip.whl"]
    told = [each["hashes"][0] for each in parts["components"]]
    assert told == [sbom.sum_of(path.read_bytes()) for path in wheels]
    assert parts["components"][0]["purl"] == "pkg:pypi/kahriz-monitor@0.1.0"
    assert parts["metadata"]["component"]["name"] == "kahriz-gateway"


def test_a_wheel_that_the_lock_does_not_know_is_refused(tmp_path: Path) -> None:
    stranger = tmp_path / "stranger-1.0-py3-none-any.whl"
    stranger.write_bytes(b"x")
    with pytest.raises(SystemExit, match=r"stranger-1\.0.*not in uv\.lock"):
        sbom.of_wheels(sbom.locked(deb.EXTRAS), [stranger])


@pytest.mark.parametrize("group", man.ON_A_GATEWAY)
def test_a_man_page_is_right_roff_and_named_by_the_first_one(tree: Path, group: str) -> None:
    folder = tree / "usr/share/man/man8"
    text = gzip.decompress((folder / f"kahriz-{group}.8.gz").read_bytes())
    lines = text.decode("utf-8").splitlines()
    macros = {line.split(" ")[0] for line in lines if line.startswith((".", "'"))}
    assert macros <= {".TH", ".SH", ".SS", ".TP", ".PP", ".B", ".BR", ".RI", ".nf", ".fi"}
    assert not any(re.search(r"\\[^e&-]", line) for line in lines)
    if shutil.which("groff"):  # with man-db on a Debian; the lines above hold without it
        words = ["groff", "-Kutf8", "-man", "-Tutf8", "-ww", "-z"]
        done = subprocess.run(words, input=text, capture_output=True)
        assert (done.returncode, done.stderr.decode()) == (0, "")
    first = gzip.decompress((folder / "kahriz.8.gz").read_bytes())
    assert f".BR kahriz-{group} (8)".encode() in first


def test_every_option_of_a_page_is_the_commands_own() -> None:
    page = man.page("gateway", "0.1.0")
    assert ".SS backup FOLDER\n" in page
    assert ".SS rating fit\n" in page
    assert "\\-\\-keep N\nRemove all but the newest N" in page
