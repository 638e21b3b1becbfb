# SPDX-License-Identifier: MIT
"""How a service hears that it shall end: SIGTERM from systemd, Ctrl-C from a person."""

from __future__ import annotations

import signal
import threading


def stop_at_signal() -> threading.Event:
    """An event that SIGTERM and SIGINT set; call it in the main thread.

    A handler runs in the main thread, between two of its steps: when that thread is just inside
    `stop.wait()` it holds the event's own lock, and a `set()` there would wait for itself for
    ever. So another thread sets it.
    """
    stop = threading.Event()

    def ask(*_: object) -> None:
        threading.Thread(target=stop.set, name="stop", daemon=True).start()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, ask)
    return stop
