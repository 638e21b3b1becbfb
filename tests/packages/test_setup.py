# SPDX-License-Identifier: MIT
"""`make setup` for a user whose home is none; this uv only says where it would keep its things."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("home", [None, "", "none"])
def test_a_user_without_a_home_keeps_the_tools_things_in_the_clone(
    tmp_path: Path, home: str | None
) -> None:
    clone, tools = tmp_path / "su dəftəri", tmp_path / "bin"
    (clone / "scripts").mkdir(parents=True)
    tools.mkdir()
    shutil.copy(ROOT / "scripts" / "setup", clone / "scripts")
    for name in ("uv.lock", "pyproject.toml"):
        (clone / name).write_text("")
    for name, words in (("uv", f'echo "$HOME" > "{tmp_path}/home"; exit 1'), ("getent", "exit 2")):
        (tools / name).write_text(f"#!/bin/sh\n{words}\n")
        (tools / name).chmod(0o755)
    env = {key: value for key, value in os.environ.items() if key != "HOME"}
    if home is not None:
        env["HOME"] = home and str(tmp_path / home)
    env["PATH"] = f"{tools}:{env['PATH']}"
    ended = subprocess.run([clone / "scripts" / "setup"], env=env, capture_output=True, check=False)
    assert ended.returncode == 1  # this uv does nothing
    assert (tmp_path / "home").read_text() == f"{clone}/.tools/home\n"
