# SPDX-License-Identifier: MIT
"""Takes the power off a stick that hangs and gives it back, by a command of the plan.

    [modem]
    power_cycle = "uhubctl -l 1-1 -p 2 -a cycle -d 5"

Any program will do, such as one that pulls a pin; it is started without a shell.
"""

from __future__ import annotations

import logging
import shlex
import subprocess
from collections.abc import Callable

TIMEOUT_S = 30.0

log = logging.getLogger(__name__)


def switch(command: str | None) -> Callable[[], None] | None:
    """What cycles the power; None when the plan names no command."""
    if command is None:
        return None
    words = shlex.split(command)

    def cycle() -> None:
        log.warning("the modem hangs: %s", command)
        try:
            ended = subprocess.run(words, timeout=TIMEOUT_S, check=False, capture_output=True)
        except (OSError, subprocess.TimeoutExpired) as error:
            log.error("[modem] power_cycle: %s", error)
            return
        if ended.returncode:
            said = ended.stderr.decode(errors="replace").strip()
            log.error("[modem] power_cycle ended with %d: %s", ended.returncode, said)

    return cycle
