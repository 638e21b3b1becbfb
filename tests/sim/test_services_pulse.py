# SPDX-License-Identifier: MIT
"""What a folder tells of the services that work on it."""

import fcntl
import json
from pathlib import Path

from kahriz_sim.services_pulse import Pulse, running


def state(folder: Path, service: str, pid: int) -> None:
    (folder / f"{service}.state").write_bytes(json.dumps({"pid": pid}).encode().ljust(1024))


def test_a_service_that_is_another_process_has_begun_anew(tmp_path: Path) -> None:
    state(tmp_path, "intake", 7)
    pulse = Pulse(tmp_path)
    assert pulse.begun_anew() == [], "what ran before is no news"
    state(tmp_path, "village", 8)
    assert pulse.begun_anew() == [], "a first start is none either"
    state(tmp_path, "intake", 9)
    assert pulse.begun_anew() == ["intake"]
    assert pulse.begun_anew() == []
    (tmp_path / "village.state").write_bytes(b"{half")
    assert pulse.begun_anew() == []


def test_a_folder_with_a_living_intake_is_told(tmp_path: Path) -> None:
    assert not running(tmp_path)
    with (tmp_path / "intake.lock").open("a") as lock:
        assert not running(tmp_path)
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert running(tmp_path)
    assert not running(tmp_path)
