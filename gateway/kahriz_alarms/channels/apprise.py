# SPDX-License-Identifier: MIT
"""Anywhere else, by apprise (https://github.com/caronc/apprise): ntfy, Matrix, WhatsApp, and so on.

    [[apprise]]
    url_file = "/etc/kahriz/ntfy.url"     # apprise's addresses, one a line; they hold passwords
    language = "az"

Optional (`pip install 'kahriz-monitor[apprise]'`). apprise loads all its services, 50 MB in five
seconds, so each message has a process of its own, which reads from its standard input.
"""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from collections.abc import Sequence

from kahriz_alarms import messages
from kahriz_alarms.alarm import Event
from kahriz_alarms.delivery import DeliveryError
from kahriz_water.site import Plan

TIMEOUT_S = 60.0
REFUSED = 3  # exit code of the process below: an address that nobody knows
NOT_SENT = 4
PROGRAM = (sys.executable, "-m", __name__)


class AppriseChannel:
    """Tells only whether all addresses took it: what failed is tried again."""

    tells: tuple[str, ...] = ("raised", "acknowledged", "silent", "cleared", "closed")

    def __init__(
        self,
        name: str,
        urls: str,
        language: str = "az",
        timeout_s: float = TIMEOUT_S,
        program: Sequence[str] = PROGRAM,
    ) -> None:
        self.name = name
        self._urls = [line for text in urls.splitlines() if (line := text.strip())]
        self._language = language
        self._timeout_s = timeout_s
        self._program = program

    def send(self, event: Event, plan: Plan) -> None:
        if importlib.util.find_spec("apprise") is None:
            text = "apprise is not installed: pip install 'kahriz-monitor[apprise]'"
            raise DeliveryError(text, permanent=True)
        said = {
            "urls": self._urls,
            "title": plan.name.of(self._language),
            "body": messages.short(event, plan, self._language),
        }
        try:
            done = subprocess.run(
                self._program,
                input=json.dumps(said).encode(),
                capture_output=True,
                timeout=self._timeout_s,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise DeliveryError("apprise: no end in time", permanent=False) from error
        if done.returncode == REFUSED:
            raise DeliveryError("apprise knows no such address: see url_file", permanent=True)
        if done.returncode:  # its words may hold a password: they are not told
            raise DeliveryError("apprise: not all addresses took it", permanent=False)


def main() -> int:
    """Send what stands on the standard input."""
    import apprise

    said = json.load(sys.stdin)
    sender = apprise.Apprise()
    if not said["urls"] or not all(sender.add(url) for url in said["urls"]):
        return REFUSED
    return 0 if sender.notify(title=said["title"], body=said["body"]) else NOT_SENT


if __name__ == "__main__":
    sys.exit(main())
