# SPDX-License-Identifier: MIT
"""What is handed out holds what it needs; `make test-deb` installs the Debian package itself."""

import subprocess
import zipfile
from pathlib import Path

import pytest

from kahriz.cli import GROUPS
from scripts import deb
from scripts.uv import uv

ROOT = Path(__file__).parents[2]


def test_the_wheel_holds_templates_words_sites_and_the_chips_files(tmp_path: Path) -> None:
    uv("build", "--quiet", "--wheel", "--out-dir", str(tmp_path), str(ROOT))
    inside = set(zipfile.ZipFile(next(tmp_path.glob("*.whl"))).namelist())
    wanted = {"kahriz_tools/chip/main.py", "kahriz_tools/chip/boot.py"}
    for root, package in (("gateway", ""), ("firmware", ""), ("firmware/lib", "")):
        for kind in ("*.html", "*.mo", "*.css", "*.js", "*.toml"):
            for path in (ROOT / root / package).glob(f"kahriz_*/**/{kind}"):
                wanted.add(path.relative_to(ROOT / root).as_posix())
    assert sum(name.endswith(".mo") for name in wanted) >= 4
    assert not wanted - inside


def test_the_man_page_names_every_group_of_commands() -> None:
    page = (deb.PARTS / "kahriz.8").read_text("utf-8")
    assert [name for name in GROUPS if name not in page] == []


@pytest.mark.parametrize("name", [*deb.SCRIPTS, *sorted(deb.EXECUTABLE), "kahriz-return"])
def test_a_script_of_the_package_is_shell(name: str) -> None:
    subprocess.run(["sh", "-n", str(deb.PARTS / name)], check=True)


def test_the_units_start_the_program_that_the_package_builds() -> None:
    units = "".join(p.read_text("utf-8") for p in (deb.DEPLOY / "systemd").glob("*.service"))
    assert units.count("ExecStart=/opt/kahriz/bin/kahriz ") == 3
