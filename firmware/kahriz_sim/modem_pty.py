# SPDX-License-Identifier: MIT
"""The simulated modem on a pseudo-terminal: programs open it like /dev/ttyUSB0.

python -m kahriz_sim.modem_pty        # prints the device, then each text and call
"""

from __future__ import annotations

import contextlib
import heapq
import os
import pty
import select
import threading
import time
import tty
from collections.abc import Iterator

from kahriz_sim.modem import Modem


class Terminal:
    """Carries bytes between the modem and whoever has opened `device`, until `close`."""

    def __init__(self, modem: Modem) -> None:
        self.modem = modem
        self._master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self.device = os.ttyname(self._slave)
        self._wake_r, self._wake_w = os.pipe()
        self._thread = threading.Thread(target=self._run, name="modem", daemon=True)
        self._thread.start()

    def close(self) -> None:
        os.write(self._wake_w, b"x")
        self._thread.join(5)
        for fd in (self._master, self._slave, self._wake_r, self._wake_w):
            os.close(fd)

    def _run(self) -> None:
        waiting: list[tuple[float, int, bytes]] = []
        count, last = 0, 0.0
        while True:
            now = time.monotonic()
            while waiting and waiting[0][0] <= now:
                self._write(heapq.heappop(waiting)[2])
            pause = max(0.0, waiting[0][0] - now) if waiting else None
            ready = select.select([self._master, self._wake_r], [], [], pause)[0]
            if self._wake_r in ready:
                return
            if self._master in ready:
                try:
                    data = os.read(self._master, 4096)
                except OSError:
                    continue
                for seconds, reply in self.modem.feed(data):
                    count += 1
                    last = max(last, time.monotonic()) + seconds
                    heapq.heappush(waiting, (last, count, reply))

    def _write(self, data: bytes) -> None:
        with contextlib.suppress(BlockingIOError):  # nobody reads: a wire loses it too
            os.write(self._master, data)


@contextlib.contextmanager
def terminal(modem: Modem) -> Iterator[Terminal]:
    made = Terminal(modem)
    try:
        yield made
    finally:
        made.close()


def main() -> None:
    """Stand there as a modem until Ctrl-C, and tell what is sent and dialled."""
    modem = Modem()
    with terminal(modem) as line, contextlib.suppress(KeyboardInterrupt):
        print(line.device, flush=True)
        told = [0, 0]
        while True:
            time.sleep(0.2)
            for part in modem.sent[told[0] :]:
                print(f"SMS to {part.to} ({part.part}/{part.parts}): {part.text}", flush=True)
            for call in modem.calls[told[1] :]:
                print(f"call to {call.number}", flush=True)
            told = [len(modem.sent), len(modem.calls)]


if __name__ == "__main__":
    main()
