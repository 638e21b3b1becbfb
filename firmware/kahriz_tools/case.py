# SPDX-License-Identifier: MIT
"""One node being commissioned: what was asked for, what was found, and what is kept of it.

Kept in <site>/commissioned/<node>/state.json, without any secret: which board it is, whether its
flash was begun and not finished, what it proved.
"""

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kahriz_tools import node_config
from kahriz_tools.errors import BenchError
from kahriz_tools.neighbours import Authority, Gateway

HOME = "commissioned"
STATE = "state.json"


@dataclass(frozen=True)
class Wish:
    """What the technician said."""

    site: Path
    node: str
    port: str | None
    port_filters: tuple[str, ...]
    by_hand: bool
    authority: Authority
    gateway: Gateway
    said: node_config.Wanted
    broker_name: str
    zeros: dict[str, float]
    spans: dict[str, float]
    who: str
    place: str
    photo: Path | None
    release_key: Path | None
    least_dbm: int
    plain: bool
    discard: bool
    again: bool
    other_board: bool


@dataclass
class Case:
    """What a run knows; `state` is what is kept."""

    wish: Wish
    dry_run: bool = False
    state: dict[str, Any] = field(default_factory=dict)

    @property
    def home(self) -> Path:
        return self.wish.site / HOME / self.wish.node

    def load(self) -> None:
        """What an earlier run kept."""
        file = self.home / STATE
        try:
            self.state = dict(json.loads(file.read_text(encoding="utf-8")))
        except FileNotFoundError:
            self.state = {}
        except (OSError, ValueError, TypeError) as error:
            raise BenchError(
                f"{file} cannot be read ({error})",
                "move it away: the board is then looked at anew",
                node_config.CONFIG_CODE,
            ) from error

    def keep(self, **news: Any) -> None:
        """Write down what is new; nothing new, or a dry run, writes nothing."""
        state = {**self.state, **news}
        if state != self.state and not self.dry_run:
            self.state = state
            text = json.dumps(state, indent=1, sort_keys=True, ensure_ascii=False)
            self.put(STATE, f"{text}\n".encode())

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Two runs for one node at once would spoil each other's state."""
        if self.dry_run:
            yield
            return
        self.home.mkdir(parents=True, exist_ok=True)
        folder = os.open(self.home, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
            try:
                yield
            finally:  # closing is not enough: a program being started may hold a copy
                fcntl.flock(folder, fcntl.LOCK_UN)
        except BlockingIOError as error:
            raise BenchError(
                f"another run works on {self.wish.node}", "let it end", node_config.CONFIG_CODE
            ) from error
        finally:
            os.close(folder)

    def put(self, name: str, data: bytes) -> Path:
        """A file beside the state, whole or not at all."""
        path = self.home / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            beside = path.with_name(f".{path.name}.{os.getpid()}")
            try:
                beside.write_bytes(data)
                beside.replace(path)
            finally:
                beside.unlink(missing_ok=True)
        except OSError as error:
            raise BenchError(
                f"cannot write {path} ({error.strerror})",
                "make room, or own the site's folder",
                node_config.CONFIG_CODE,
            ) from error
        return path

    def others(self) -> dict[str, str]:
        """MAC of every board of the site -> its node."""
        found = {}
        for file in sorted((self.wish.site / HOME).glob(f"*/{STATE}")):
            try:
                mac = json.loads(file.read_text(encoding="utf-8")).get("mac")
            except (OSError, ValueError, AttributeError):
                continue
            if mac:
                found[str(mac)] = file.parent.name
        return found


def now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
