# SPDX-License-Identifier: MIT
"""The life of the Debian package in a Debian 12 of its own, without a network: `make test-deb`.

Install, make stores, upgrade, upgrades that fail, return, remove, purge. Needs root, debootstrap;
the bare Debian is kept in build/debian12 (the only step that asks a network).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from scripts import deb

ROOT = Path(__file__).parents[2]
BARE = ROOT / "build" / "debian12"
SITE = ROOT / "firmware/kahriz_sim/sites/banovshalar-gozlu/site.toml"
STORES = ROOT / "tests/data/stores"


class Debian:
    """A copy of the bare Debian; what runs in it has no network but its own loopback."""

    def __init__(self, root: Path) -> None:
        self.root = root
        subprocess.run(["cp", "-a", str(BARE), str(root)], check=True)

    def run(self, *command: str, **environment: str) -> tuple[int, str]:
        done = subprocess.run(
            [*("unshare", "--mount", "--net", "--pid", "--fork", f"--mount-proc={self.root}/proc"),
             *("chroot", str(self.root)), *command],
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", **environment},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=300,
        )  # fmt: skip
        return done.returncode, done.stdout

    def install(self, package: Path, **environment: str) -> tuple[int, str]:
        shutil.copy(package, self.root / "root" / package.name)
        return self.run("dpkg", "-i", f"/root/{package.name}", **environment)

    def status(self) -> str:
        return self.run("dpkg-query", "-Wf", "${Status} ${Version}", "kahriz-gateway")[1].strip()

    def program(self) -> str:
        return os.readlink(self.root / "opt/kahriz/bin")


def variant(package: Path, folder: Path, version: str, spoil: str = "") -> Path:
    """The same package with another version; `spoil` names what is wrong with it."""
    tree = folder / f"tree-{version}"
    subprocess.run(["dpkg-deb", "-R", str(package), str(tree)], check=True)
    share = tree / "usr/lib/kahriz"
    control = tree / "DEBIAN/control"
    text = control.read_text("utf-8").replace("Version: 0.1.0", f"Version: {version}")
    control.write_text(text, "utf-8")
    (share / "version").write_text(f"{version}\n")
    if spoil == "wheel":
        wheel = next((share / "wheels").glob("starlette*"))
        wheel.write_bytes(wheel.read_bytes()[:-100])
    if spoil == "missing":
        next((share / "wheels").glob("click-*")).unlink()
        sums = share / "wheels/SHA256SUMS"
        kept = [line for line in sums.read_text().splitlines(True) if "  click-" not in line]
        sums.write_text("".join(kept))
    target = folder / f"kahriz-gateway_{version}.deb"
    deb.pack(tree, target)
    shutil.rmtree(tree)
    return target


def life(debian: Debian, first: Path, folder: Path) -> None:
    expect(*debian.install(first), 0, "kahriz.target")
    expect(*debian.run("kahriz", "--version"), 0, "0.1.0")
    shutil.copy(SITE, debian.root / "etc/kahriz/site.toml")
    data = debian.root / "var/lib/kahriz"
    data.mkdir()
    shutil.copy(STORES / "readings-v1.db", data / "readings.db")
    shutil.copy(STORES / "village-v1.db", data / "village.db")
    where = "--config /etc/kahriz/site.toml --data /var/lib/kahriz"
    code, said = debian.run("sh", "-c", f"kahriz gateway check {where}")
    expect(code, said, 1, "pass  plan", "FAIL  broker", "pass  store")  # no broker runs there
    print(said, end="")
    old_program, stores = debian.program(), listing(data)

    for version, spoil, words in (
        ("0.1.1", "wheel", "the package is damaged"),
        ("0.1.2", "missing", "does not start"),
    ):
        expect(*debian.install(variant(first, folder, version, spoil)), 1, words)
        assert debian.status() == "install ok installed 0.1.0", debian.status()
        assert debian.program() == old_program
        assert listing(data) == stores
        expect(*debian.run("kahriz", "--version"), 0, "0.1.0")
        assert len(list((debian.root / "opt/kahriz/versions").iterdir())) == 1
    report("two broken upgrades: dpkg put the old package back, the stores are as they were")

    good = variant(first, folder, "0.1.3")
    (data / "readings.db").rename(data / "kept")
    (data / "readings.db").write_bytes(b"no store at all" * 300)
    expect(*debian.install(good), 1, "no backup could be made")
    assert debian.status() == "install ok installed 0.1.0", debian.status()
    (data / "kept").rename(data / "readings.db")
    report("no backup, no upgrade")

    expect(*debian.install(good), 0, "readings,", "checked")
    assert debian.status() == "install ok installed 0.1.3"
    assert debian.program() != old_program
    assert list((debian.root / "var/backups/kahriz").glob("*/manifest.json"))
    assert not list((debian.root / "var/backups/kahriz").glob(".try*"))
    report("upgraded, with a backup before")

    expect(*debian.run("kahriz-return"), 0, "works again")
    assert debian.program() == old_program
    expect(*debian.install(first), 0)
    assert debian.status() == "install ok installed 0.1.0"
    report("returned")

    (data / "readings.db").unlink()
    expect(*debian.install(good), 0)
    connect = "import sqlite3; sqlite3.connect('/var/lib/kahriz/readings.db')"
    newer = f"{connect}.execute('PRAGMA user_version=99')"
    expect(*debian.run("python3", "-c", newer), 0)
    expect(*debian.run("kahriz-return"), 0, "stores of", "The newer ones")
    assert (data / "readings.db").exists()
    report("returned with the stores of the backup, where they were too new")

    expect(*debian.run("dpkg", "-r", "kahriz-gateway"), 0)
    assert not (debian.root / "opt/kahriz/versions").exists()
    assert (data / "readings.db").exists()
    expect(*debian.run("dpkg", "-P", "kahriz-gateway"), 0, "is kept")
    assert (data / "readings.db").exists()
    assert (debian.root / "etc/kahriz/site.toml").exists()
    expect(*debian.install(first), 0)
    expect(*debian.run("dpkg", "-P", "kahriz-gateway", KAHRIZ_PURGE_DATA="yes"), 0, "are gone")
    left = [debian.root / each for each in ("var/lib/kahriz", "var/backups/kahriz", "opt/kahriz")]
    assert not any(each.exists() for each in left), left
    report("removed; purged with and without the data")


def listing(folder: Path) -> list[tuple[str, int]]:
    return sorted((path.name, path.stat().st_size) for path in folder.glob("*.db"))


def expect(code: int, said: str, wanted: int | None, *words: str) -> None:
    if wanted not in (None, code) or not all(word in said for word in words):
        raise SystemExit(f"FAIL: wanted {wanted} and {words}, got {code}:\n{said}")


def report(words: str) -> None:
    print(f"{time.monotonic() - STARTED:4.0f} s  {words}", flush=True)


def main() -> None:
    if os.geteuid():
        raise SystemExit("test-deb: a chroot needs root: sudo make test-deb")
    if not (BARE / "usr/bin/python3").exists():
        if not shutil.which("debootstrap"):
            raise SystemExit("test-deb: apt install debootstrap")
        shutil.rmtree(BARE, ignore_errors=True)
        subprocess.run(
            ["debootstrap", "--variant=minbase", "--include=python3,mosquitto", "bookworm",
             str(BARE), "http://deb.debian.org/debian"],
            check=True, stdout=subprocess.DEVNULL,
        )  # fmt: skip
    with tempfile.TemporaryDirectory(dir=BARE.parent) as name:
        folder = Path(name)
        given = [Path(each) for each in sys.argv[1:]]
        first = given[0] if given else deb.build(folder, deb.this_machine(), "0.1.0")
        report(f"{first.name}: {first.stat().st_size / 1e6:.1f} MB")
        life(Debian(folder / "debian"), first, folder)


STARTED = time.monotonic()
if __name__ == "__main__":
    main()
