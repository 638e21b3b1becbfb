# SPDX-License-Identifier: MIT
"""`kahriz node provision` on a real terminal: it asks, hides, colours; NO_COLOR is obeyed."""

import os
import pty
import shutil
import subprocess
import sys
from pathlib import Path

from tests.gateway.conftest import SITE_TOML

SECRET = "su-gözü-12-litr"
PATIENCE = "no answer from the terminal"


def session(site: Path, **environment: str) -> str:
    """All that stands on the screen; the password is typed when it is asked for."""
    outer, inner = pty.openpty()
    command = [sys.executable, "-m", "kahriz", "node", "provision", "--node", "outlet"]
    given = {**os.environ, "TERM": "xterm-256color", **environment}
    given.pop("KAHRIZ_WIFI_PASSWORD", None)
    child = subprocess.Popen(
        [*command, "--site", str(site), "--wifi-ssid", "kahriz"],
        stdin=inner, stdout=inner, stderr=inner, env=given, start_new_session=True,
    )  # fmt: skip
    os.close(inner)
    seen, typed = b"", False
    while True:
        try:
            piece = os.read(outer, 4096)
        except OSError:  # EIO: everybody has left the terminal
            break
        if not piece:
            break
        seen += piece
        if b"Password of kahriz" in seen and not typed:
            typed = True
            os.write(outer, f"{SECRET}\n".encode())
    os.close(outer)
    assert child.wait(timeout=60) == 3, seen
    assert typed, PATIENCE
    return seen.decode("utf-8", "replace")


def test_a_terminal_is_asked_and_shows_colour_but_no_password(tmp_path: Path) -> None:
    shutil.copytree(SITE_TOML.parent / "nodes", tmp_path / "nodes")
    shutil.copy(SITE_TOML, tmp_path)
    screen = session(tmp_path)
    assert SECRET not in screen
    assert "\x1b[32mPASS" in screen
    assert "\x1b[31mFAIL" in screen
    assert "no MicroPython in" in screen
    plain = session(tmp_path, NO_COLOR="1")
    assert "\x1b[3" not in plain
    assert "FAIL     micropython" in plain
