# SPDX-License-Identifier: MIT
"""Words to systemd (sd_notify): ready, alive, going. Nothing happens where nobody listens.

The beat comes from the loop that does the work, never from a timer beside it: a service whose
loop hangs is started again by systemd.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping


def tell(words: str, environ: Mapping[str, str] = os.environ) -> bool:
    """Send `READY=1` and the like to systemd; whether somebody was there to hear it."""
    address = environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return False
    if address.startswith("@"):  # Linux' abstract names
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
        try:
            sock.sendto(words.encode(), address)
        except OSError:  # systemd is being restarted: the next beat finds it again
            return False
    return True


class Notifier:
    """One service's words: `ready` once, `beat` as often as the loop turns, `stopping` once."""

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        self._environ = environ
        self._ready = False
        self._beat_s = 0.0
        usec = environ.get("WATCHDOG_USEC", "")
        for_us = environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        self._every_s = int(usec) / 4e6 if usec.isdigit() and for_us else None

    def ready(self, status: str) -> None:
        """The service does its work now."""
        if not self._ready:
            self._ready = True
            tell(f"READY=1\nSTATUS={status}", self._environ)

    def status(self, text: str) -> None:
        """What `systemctl status` shows."""
        tell(f"STATUS={text}", self._environ)

    def beat(self) -> None:
        """The loop has turned; told four times in a watchdog's time."""
        now_s = time.monotonic()
        if self._every_s is not None and now_s - self._beat_s >= self._every_s:
            self._beat_s = now_s
            tell("WATCHDOG=1", self._environ)

    def stopping(self) -> None:
        """The service goes of its own will or because it was told to."""
        tell("STOPPING=1\nSTATUS=stopping", self._environ)
