# SPDX-License-Identifier: MIT
"""The gateway as a Debian package that installs without a network:

    make deb                       # dist/kahriz-gateway_<version>_<this machine>.deb
    make deb ARGS='--arch arm64'   # for a Raspberry Pi; wheels are fetched, nothing is compiled

Wheels are those of uv.lock with their sums, for Debian 12's Python 3.11; dpkg-deb packs.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
import tomllib
from collections.abc import Sequence
from pathlib import Path

from scripts import man, sbom
from scripts.uv import ROOT, uv

DEPLOY = ROOT / "gateway" / "deploy"
PARTS = DEPLOY / "deb"
PACKAGE = "kahriz-gateway"
MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}
GLIBC = ("2_36", "2_34", "2_28", "2_17", "2_5")  # Debian 12 has 2.36, and takes what is older
PYTHON = "3.11"  # Debian 12's
# pip works once at the installation and is no part of the program, so uv.lock does not name it.
PIP = "pip==26.3 --hash=sha256:f3b60b20ffaadd4415ed7957212a38ac63fa4c5fa375bd0f4a797777940fad13"
EXTRAS = ("gateway", "sms")
SCRIPTS = ("preinst", "postinst", "prerm", "postrm")
EXECUTABLE = {"build-program", "wait-for-life"}
# Of the whole machine, not of our services: conffiles, so that a change by hand stays.
MACHINE_WIDE = {
    "journald.conf": "etc/systemd/journald.conf.d/kahriz.conf",
    "watchdog.conf": "etc/systemd/system.conf.d/kahriz-watchdog.conf",
}


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--arch", choices=sorted(MACHINES), default=this_machine())
    parser.add_argument("--out", type=Path, default=ROOT / "dist")
    parser.add_argument(
        "--version", default=project_version(), help="such as 0.1.0+1, for a second try"
    )
    chosen = parser.parse_args(arguments)
    print(build(chosen.out, chosen.arch, chosen.version))


def project_version() -> str:
    found = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    assert isinstance(found, str)
    return found


def this_machine() -> str:
    return next((deb for deb, uname in MACHINES.items() if uname == os.uname().machine), "amd64")


def build(out: Path, arch: str, version: str) -> Path:
    """The package of one architecture; its path."""
    out.mkdir(parents=True, exist_ok=True)
    target = out / f"{PACKAGE}_{version}_{arch}.deb"
    with tempfile.TemporaryDirectory(dir=out) as folder:
        tree = Path(folder) / "tree"
        fill(tree, arch, version)
        pack(tree, target)
    return target


def pack(tree: Path, target: Path) -> None:
    """A filled tree into a .deb; the same tree gives the same bytes."""
    environment = {**os.environ, "SOURCE_DATE_EPOCH": str(sbom.source_date_s())}
    subprocess.run(
        ["dpkg-deb", "--root-owner-group", "-Zxz", "-z1", "--build", str(tree), str(target)],
        check=True, stdout=subprocess.DEVNULL, env=environment,
    )  # fmt: skip


def fill(tree: Path, arch: str, version: str) -> None:
    """Everything that will lie on the gateway, and what dpkg has to know."""
    share = tree / "usr/lib/kahriz"
    fetch(share / "wheels", share / "pip", arch)
    lay(tree, arch, version)


def lay(tree: Path, arch: str, version: str) -> None:
    """What stands around the wheels that lie in the tree already."""
    share, doc = tree / "usr/lib/kahriz", tree / "usr/share/doc" / PACKAGE
    (share / "version").write_text(f"{version}\n", "ascii")
    for name in sorted(EXECUTABLE):
        place(PARTS / name, share / name, 0o755)
    place(PARTS / "kahriz-return", tree / "usr/sbin/kahriz-return", 0o755)
    for unit in sorted((DEPLOY / "systemd").glob("kahriz*")):
        place(unit, tree / "usr/lib/systemd/system" / unit.name)
    for name, where in MACHINE_WIDE.items():
        place(DEPLOY / "systemd" / name, tree / where)
    command = tree / "usr/bin/kahriz"
    command.parent.mkdir(parents=True)
    command.symlink_to("/opt/kahriz/bin/kahriz")
    example = ROOT / "firmware/kahriz_sim/sites/aghjabadi-template/site.toml"
    place(example, tree / "etc/kahriz/site.toml.example")
    (tree / "var/backups/kahriz").mkdir(parents=True)
    (tree / "var/backups/kahriz").chmod(0o700)

    place(PARTS / "copyright", doc / "copyright")
    place(ROOT / "gateway/README.md", doc / "README.md")
    place(ROOT / "gateway/RUNBOOK.md", doc / "RUNBOOK.md")
    place(DEPLOY / "README.md", doc / "deploy.md")
    for name in ("mosquitto.conf", "kahriz.acl"):
        place(DEPLOY / "mosquitto" / name, doc / "examples/mosquitto" / name)
    place(DEPLOY / "systemd/modem.conf", doc / "examples/modem.conf")
    runbook = tree / "opt/kahriz/share/doc/kahriz/RUNBOOK.md"  # as the units name it
    runbook.parent.mkdir(parents=True)
    runbook.symlink_to(f"/usr/share/doc/{PACKAGE}/RUNBOOK.md")
    compress((ROOT / "CHANGELOG.md").read_bytes(), doc / "changelog.gz")
    compress((PARTS / "kahriz.8").read_bytes(), tree / "usr/share/man/man8/kahriz.8.gz")
    for name, text in man.pages(version).items():
        compress(text.encode(), tree / f"usr/share/man/man8/{name}.gz")
    (doc / "sbom.cdx.json").write_bytes(listed_parts(share, version))
    kahriz_return = tree / "usr/share/man/man8/kahriz-return.8.gz"
    kahriz_return.symlink_to("kahriz.8.gz")
    control(tree, arch, version)


def listed_parts(share: Path, version: str) -> bytes:
    """The list of the wheels that lie in the tree, and of the pip that installs them."""
    parts = sbom.of_wheels(sbom.locked(EXTRAS), (share / "wheels").glob("*.whl"))
    pip_version = PIP.split()[0].removeprefix("pip==")
    parts["components"].append(sbom.part("pip", pip_version, share / "pip/pip.whl"))
    return sbom.finished(parts, PACKAGE, version, sbom.source_date_s())


def fetch(wheels: Path, pip: Path, arch: str) -> None:
    """Our own wheel, and the locked ones that it needs on a gateway, with their sums."""
    with tempfile.TemporaryDirectory() as folder:
        wanted = Path(folder) / "wanted.txt"
        uv(
            "export", "--quiet", "--locked", "--no-dev", *(f"--extra={each}" for each in EXTRAS),
            "--no-emit-project", "--project", str(ROOT), "--output-file", str(wanted),
        )  # fmt: skip
        only_pip = Path(folder) / "pip.txt"
        only_pip.write_text(PIP + "\n", "ascii")
        for listed, where in ((wanted, wheels), (only_pip, pip)):
            download(listed, where, arch)
    next(pip.glob("*.whl")).rename(pip / "pip.whl")  # one name, whichever version lay there before
    uv("build", "--quiet", "--wheel", "--project", str(ROOT), "--out-dir", str(wheels), str(ROOT))
    (wheels / ".gitignore").unlink(missing_ok=True)
    for wheel in (*wheels.iterdir(), *pip.iterdir()):
        wheel.chmod(0o644)
    sums = [f"{sha256(path)}  {path.name}\n" for path in sorted(wheels.glob("*.whl"))]
    (wheels / "SHA256SUMS").write_text("".join(sums), "ascii")


def download(listed: Path, where: Path, arch: str) -> None:
    platforms = [f"--platform=manylinux_{glibc}_{MACHINES[arch]}" for glibc in GLIBC]
    uv(
        "tool", "run", "--quiet", "--from", PIP.split()[0], "pip", "download", "--quiet",
        "--no-deps", "--require-hashes", "--only-binary=:all:", "--implementation=cp",
        f"--python-version={PYTHON}",
        f"--abi=cp{PYTHON.replace('.', '')}", "--abi=abi3", "--abi=none", *platforms,
        f"--platform=manylinux2014_{MACHINES[arch]}", "--disable-pip-version-check",
        "--requirement", str(listed), "--dest", str(where),
    )  # fmt: skip


def control(tree: Path, arch: str, version: str) -> None:
    """DEBIAN/: the paragraph, the scripts, the conffiles and the sums of every file."""
    debian = tree / "DEBIAN"
    files = sorted(p for p in tree.rglob("*") if p.is_file() and not p.is_symlink())
    size_kb = sum(-(-path.stat().st_size // 1024) for path in files)
    text = (PARTS / "control").read_text("utf-8")
    for key, value in {"VERSION": version, "ARCH": arch, "SIZE_KB": str(size_kb)}.items():
        text = text.replace(f"@{key}@", value)
    assert not re.search("@[A-Z]", text)
    debian.mkdir()
    (debian / "control").write_text(text, "utf-8")
    for name in SCRIPTS:
        place(PARTS / name, debian / name, 0o755)
    inside = [path.relative_to(tree) for path in files]
    conffiles = [f"/{path}\n" for path in inside if path.parts[0] == "etc"]
    (debian / "conffiles").write_text("".join(conffiles), "utf-8")
    sums = [
        f"{hashlib.md5((tree / path).read_bytes(), usedforsecurity=False).hexdigest()}  {path}\n"
        for path in inside
    ]
    (debian / "md5sums").write_text("".join(sums), "utf-8")


def place(source: Path, target: Path, mode: int = 0o644) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    target.chmod(mode)


def compress(data: bytes, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(gzip.compress(data, 9, mtime=0))


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


if __name__ == "__main__":
    os.umask(0o022)
    main()
