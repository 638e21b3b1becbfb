# SPDX-License-Identifier: MIT
"""When intake starts: is the broker the one we ship? What differs is warned of, nothing stops.

The looking is a process of its own, gone after a second: its memory and its faults are not
intake's.
"""

from __future__ import annotations

import logging
import subprocess
import sys
import threading

from kahriz_gateway.config import Options
from kahriz_gateway.mqtt import Door

_TURN_S = 0.2  # how soon we notice that intake stops

log = logging.getLogger(__name__)


def begin(options: Options, door: Door, stop: threading.Event) -> threading.Thread:
    """Look once, beside the work, as soon as we are subscribed."""
    thread = threading.Thread(
        target=_await, args=(options, door, stop), name="broker self-test", daemon=True
    )
    thread.start()
    return thread


def _await(options: Options, door: Door, stop: threading.Event) -> None:
    while not door.subscribed.wait(_TURN_S):
        if stop.is_set():
            return
    argv = [sys.executable, "-m", "kahriz_gateway.broker.selftest", *options.argv()]
    try:
        child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    except OSError as error:
        log.warning("the broker self-test cannot start: %s", error)
        return
    while child.poll() is None:
        if stop.wait(_TURN_S):
            child.terminate()
            child.wait()


def look(options: Options) -> None:
    """Run the checks that tell our broker from others, and say what they found."""
    from kahriz_gateway.broker.visit import one_at_a_time
    from kahriz_gateway.checks import FAIL, SELF_TEST, About, examine

    with one_at_a_time(options.data):
        for result in examine(About(options), SELF_TEST):
            found = result.finding
            if found.state == FAIL:
                log.warning("%s: %s; mend: %s", result.name, found.says, found.mend)
            else:
                log.info("%s: %s", result.name, found.says)


def main() -> None:
    """The child process; options as intake has them."""
    from kahriz_alarms.service import logs
    from kahriz_gateway.intake.service import options_from

    logs.set_up("intake")
    logging.getLogger("kahriz_gateway.mqtt").setLevel(logging.ERROR)  # its visits are no news
    look(options_from(sys.argv[1:]))


if __name__ == "__main__":
    main()
