# SPDX-License-Identifier: MIT
"""Starts again what died, as systemd would in the village."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from kahriz_sim.services import ServiceError

RESTART_AFTER_S = 0.5  # a program that crashes at once must not eat the machine
_LOOK_EVERY_S = 0.1


class Service(Protocol):
    """What can be watched: a Child, a Broker, an Influx."""

    @property
    def running(self) -> bool: ...
    def stop(self) -> None: ...


@dataclass
class _Watched:
    name: str
    service: Service
    again: Callable[[], None]
    kept: bool = True
    restarts: int = 0


@dataclass
class Keeper:
    """Watches services in a thread; both callbacks are called from that thread."""

    on_restart: Callable[[str], None] = lambda name: None
    on_failure: Callable[[str], None] = lambda text: None
    _watched: list[_Watched] = field(default_factory=list)
    _stopping: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def watch(self, name: str, service: Service, again: Callable[[], None]) -> None:
        """Call `again()` whenever the service is found dead."""
        self._watched.append(_Watched(name, service, again))
        if self._thread is None:
            self._thread = threading.Thread(target=self._look, name="keeper", daemon=True)
            self._thread.start()

    @property
    def restarts(self) -> dict[str, int]:
        return {each.name: each.restarts for each in self._watched if each.restarts}

    def _look(self) -> None:
        while not self._stopping.wait(_LOOK_EVERY_S):
            for each in list(self._watched):
                if each.service.running or not each.kept:
                    continue
                if self._stopping.wait(RESTART_AFTER_S):
                    return
                each.restarts += 1
                self.on_restart(each.name)
                try:
                    each.again()
                except ServiceError as error:  # a broker whose port was taken, say: tried again
                    self.on_failure(f"{each.name} cannot be started again yet: {error}")

    def let_end(self, prefix: str) -> None:
        """From now on services of these names may end by themselves."""
        for each in self._watched:
            if each.name.startswith(prefix):
                each.kept = False

    def rest(self) -> None:
        """Watch no more; what ends from now on has ended."""
        self._stopping.set()
        if self._thread:
            self._thread.join()

    def stop(self) -> None:
        """End everything, last started first."""
        self.rest()
        for each in reversed(self._watched):
            each.service.stop()
