# SPDX-License-Identifier: MIT
"""A secret of our own: one, whole, whoever starts at once, is cut off or finds no room."""

from __future__ import annotations

import os
import re
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from kahriz_alarms.service.kept_secret import SecretError, kept

FORM = re.compile(r"[\w-]{43}")

MANY = """
import sys
from pathlib import Path
from kahriz_alarms.service.kept_secret import kept
print("here", flush=True)
sys.stdin.readline()
for n in range(int(sys.argv[2])):
    print(kept(Path(sys.argv[1]), f"secret{n}"))
"""

# Kills itself by -9 at the event with this number, as the interpreter tells them: each open, lock,
# change of size and rename.
CUT_OFF = """
import os, signal, sys
from pathlib import Path
from kahriz_alarms.service.kept_secret import kept
left = int(sys.argv[2])
def count(event, arguments):
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(count)
secret = kept(Path(sys.argv[1]), "link.key")
left = 0
print(secret)
"""


def files(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir())


def test_many_first_starts_at_once_have_the_same_secrets(tmp_path: Path) -> None:
    """Every second file was left empty by a start that was cut off."""
    names = [f"secret{n}" for n in range(60)]
    for name in names[::2]:
        (tmp_path / name).touch()
    started = [
        subprocess.Popen(
            [sys.executable, "-c", MANY, str(tmp_path), str(len(names))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(6)
    ]
    for each in started:
        assert each.stdout is not None
        assert each.stdout.readline() == "here\n"
    for each in started:
        assert each.stdin is not None
        each.stdin.write("\n")
        each.stdin.flush()
    said = [each.communicate()[0].split() for each in started]
    assert all(FORM.fullmatch(secret) for secret in said[0])
    assert len(set(said[0])) == len(names)
    assert all(each == said[0] for each in said)
    assert files(tmp_path) == sorted(names)
    assert {(tmp_path / name).stat().st_mode & 0o777 for name in names} == {0o600}


def test_a_start_that_is_killed_anywhere_leaves_no_half_secret(tmp_path: Path) -> None:
    killed = 0
    while True:
        folder = tmp_path / str(killed)
        folder.mkdir()
        found = subprocess.run(
            [sys.executable, "-c", CUT_OFF, str(folder), str(killed + 1)],
            capture_output=True,
            text=True,
        )
        if found.returncode == 0:
            break
        assert found.returncode == -signal.SIGKILL, found.stderr
        killed += 1
        left = (folder / "link.key").read_text() if (folder / "link.key").exists() else ""
        assert left == "" or FORM.fullmatch(left.strip())
        secret = kept(folder, "link.key")
        assert FORM.fullmatch(secret)
        assert left.strip() in ("", secret)
        assert kept(folder, "link.key") == secret
        assert files(folder) == ["link.key"]
    assert killed >= 4, "open, lock, size, rename"
    assert kept(folder, "link.key") == found.stdout.strip()


@pytest.mark.parametrize("room", [0, 20])
def test_on_a_full_disk_it_says_so_in_one_line_and_is_made_when_there_is_room(
    tmp_path: Path, room: int
) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, before[1]))
    try:
        with pytest.raises(SecretError) as caught:
            kept(tmp_path, "link.key")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert str(caught.value) == (
        f"{tmp_path}/link.key cannot be kept (File too large): "
        "this service must be able to write there"
    )
    assert not (tmp_path / "link.key").exists()
    assert FORM.fullmatch(kept(tmp_path, "link.key"))
    assert files(tmp_path) == ["link.key"]


def test_where_nothing_can_be_written_it_says_so_and_an_old_secret_is_read(tmp_path: Path) -> None:
    with pytest.raises(SecretError, match=r"^/proc/self/link.key cannot be kept \(.*\): this"):
        kept(Path("/proc/self"), "link.key")
    secret = kept(tmp_path, "link.key")
    tmp_path.chmod(0o500)
    try:
        assert kept(tmp_path, "link.key") == secret
    finally:
        tmp_path.chmod(0o700)


def test_what_is_no_secret_of_ours_is_left_alone_and_named(tmp_path: Path) -> None:
    (tmp_path / "link.key").write_bytes(b"\xff\xfe")
    with pytest.raises(SecretError, match="holds no secret of ours: move it away"):
        kept(tmp_path, "link.key")
    assert (tmp_path / "link.key").read_bytes() == b"\xff\xfe"
    (tmp_path / "api.token").mkdir()
    with pytest.raises(SecretError, match="Is a directory"):
        kept(tmp_path, "api.token")
    os.symlink("/dev/null", tmp_path / "heartbeat.key.new")
    with pytest.raises(SecretError, match=r"heartbeat\.key cannot be kept"):
        kept(tmp_path, "heartbeat.key")
