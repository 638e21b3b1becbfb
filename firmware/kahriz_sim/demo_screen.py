# SPDX-License-Identifier: MIT
"""What the demo says in the terminal: a line that moves on a terminal, plain lines in a log."""

import time
from datetime import UTC, datetime, timedelta
from typing import TextIO

BAKU = timedelta(hours=4)
PLAIN_EVERY_S = 15.0  # a log wants a line now and then, not one a second


def local(ms: int) -> str:
    """The kahriz's own time as people write it there."""
    return (datetime.fromtimestamp(ms / 1000, UTC) + BAKU).strftime("%d.%m.%Y %H:%M")


class Screen:
    """Progress on standard error; standard output is kept for the result."""

    def __init__(self, out: TextIO, *, quiet: bool) -> None:
        self.out = out
        self.moving = out.isatty() and not quiet
        self.quiet = quiet
        self._open = False
        self._last_plain = 0.0
        self._known_alarms = 0

    def say(self, text: str) -> None:
        """One line that stays."""
        if self._open:
            self.out.write("\r\x1b[K")
            self._open = False
        self.out.write(f"demo: {text}\n")
        self.out.flush()

    def _line(self, text: str) -> None:
        if self.moving:
            self.out.write(f"\r\x1b[K{text}")
            self.out.flush()
            self._open = True
        elif not self.quiet and time.monotonic() - self._last_plain > PLAIN_EVERY_S:
            self._last_plain = time.monotonic()
            self.say(text)

    def progress(self, what: str, done: int, of: int) -> None:
        """How far a long thing has come."""
        self._line(f"{what} {done} of {of}")

    def history(self, now_ms: int, start_ms: int, life_ms: int) -> None:
        """How far the days before have come."""
        share = (now_ms - start_ms) / max(1, life_ms - start_ms)
        self._line(f"history {share:4.0%}  {local(now_ms)}")

    def go_on(self, now_ms: int, alarms: list[tuple[str, str, float | None]]) -> None:
        """An earlier run goes on; what rang in it is no news."""
        self._known_alarms = len(alarms)
        before = "".join(f"; ALARM from before: {kind} at {place}" for kind, place, _ in alarms)
        self.say(f"going on from {local(now_ms)}{before}")

    def life(self, now_ms: int, stored: int, alarms: list[tuple[str, str, float | None]]) -> None:
        """The state of the moment, and each new alarm once."""
        for kind, place, lps in alarms[self._known_alarms :]:
            litres = "" if lps is None else f", {lps:.1f} L/s"
            self.say(f"ALARM {local(now_ms)}: {kind} at {place}{litres}")
        self._known_alarms = len(alarms)
        self._line(f"{local(now_ms)}  {stored} readings stored  {len(alarms)} alarms")
