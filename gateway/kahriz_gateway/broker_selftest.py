# SPDX-License-Identifier: MIT
"""When intake starts: is the broker the one we ship? What differs is warned of, nothing stops."""

from __future__ import annotations

import logging
import threading

from kahriz_gateway.checks import FAIL, SELF_TEST, About, examine
from kahriz_gateway.config import Options
from kahriz_gateway.mqtt import Door

log = logging.getLogger(__name__)


def begin(options: Options, door: Door, stop: threading.Event) -> threading.Thread:
    """Look once, beside the work, as soon as we are subscribed."""
    thread = threading.Thread(
        target=_look, args=(options, door, stop), name="broker self-test", daemon=True
    )
    thread.start()
    return thread


def _look(options: Options, door: Door, stop: threading.Event) -> None:
    while not door.subscribed.wait(0.5):
        if stop.is_set():
            return
    for result in examine(About(options), SELF_TEST):
        if stop.is_set():
            return
        found = result.finding
        if found.state == FAIL:
            log.warning("%s: %s; mend: %s", result.name, found.says, found.mend)
        else:
            log.info("%s: %s", result.name, found.says)
    log.info("broker self-test done")
