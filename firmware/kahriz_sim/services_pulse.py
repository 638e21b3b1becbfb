# SPDX-License-Identifier: MIT
"""The gateway's two services seen from outside: whether they live, and whether they began anew.

`kahriz gateway run` starts a service again that has died; the folder tells of it.
"""

import contextlib
import fcntl
import json
from pathlib import Path

SERVICES = ("intake", "village")


def running(folder: Path) -> bool:
    """Whether an intake holds this folder: a run goes on there."""
    try:
        lock = (folder / "intake.lock").open()
    except OSError:
        return False
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return True
    return False


class Pulse:
    """Remembers the process of each service; what ran before this one looked is no news."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._pids: dict[str, int] = {}

    def begun_anew(self) -> list[str]:
        """The services that are another process than at the last look."""
        found = []
        for service in SERVICES:
            with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
                said = json.loads((self._folder / f"{service}.state").read_bytes())
                pid = int(said["pid"])
                if self._pids.setdefault(service, pid) != pid:
                    self._pids[service] = pid
                    found.append(service)
        return found
