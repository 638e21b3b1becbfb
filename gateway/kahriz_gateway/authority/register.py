# SPDX-License-Identifier: MIT
"""The register of a site's certificates: every serial number ever given, in register.jsonl.

Lines are only ever appended; each is one event (issued, revoked, retired), on the disk before the
certificate leaves the house.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from kahriz_gateway.authority.files import SECRET, CaError

DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Entry:
    """One certificate as the register knows it now."""

    serial: int
    name: str
    generation: int
    issued: str
    ends: str
    revoked: str | None = None
    why: str | None = None

    @property
    def good(self) -> bool:
        return self.revoked is None

    def days_left(self, now: datetime) -> int:
        return int((datetime.fromisoformat(self.ends) - now).total_seconds() // DAY_S)

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "serial": f"{self.serial:x}"}


class Register:
    """Reads register.jsonl and appends to it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.entries: dict[int, Entry] = {}
        self.retired: set[int] = set()
        if path.exists():
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
                self._take(line, number)

    def issued(self, entry: Entry) -> None:
        self._append({"what": "issued", **entry.as_dict()})
        self.entries[entry.serial] = entry

    def revoke(self, entry: Entry, why: str, now: datetime) -> None:
        self._append(
            {"what": "revoked", "serial": f"{entry.serial:x}", "at": stamp(now), "why": why}
        )
        self.entries[entry.serial] = replace(entry, revoked=stamp(now), why=why)

    def retire(self, generation: int, now: datetime) -> None:
        self._append({"what": "retired", "generation": generation, "at": stamp(now)})
        self.retired.add(generation)

    def of(self, name: str) -> list[Entry]:
        """All certificates of a name, oldest first."""
        return [entry for entry in self.entries.values() if entry.name == name]

    def standing(self) -> Iterator[Entry]:
        """Certificates that are neither revoked nor of a retired authority."""
        return (e for e in self.entries.values() if e.good and e.generation not in self.retired)

    def newest(self, name: str) -> Entry | None:
        found = [entry for entry in self.standing() if entry.name == name]
        return found[-1] if found else None

    def _append(self, event: dict[str, Any]) -> None:
        handle = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, SECRET)
        with os.fdopen(handle, "wb") as out:
            out.write(json.dumps(event).encode() + b"\n")
            out.flush()
            os.fsync(handle)

    def _take(self, line: str, number: int) -> None:
        try:
            event = json.loads(line)
            what = event.pop("what")
            if what == "retired":
                self.retired.add(event["generation"])
                return
            serial = int(event.pop("serial"), 16)
            if what == "issued":
                self.entries[serial] = Entry(serial, **event)
            elif what == "revoked":
                entry = self.entries[serial]
                self.entries[serial] = replace(entry, revoked=event["at"], why=event["why"])
            else:
                raise ValueError(what)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise CaError(
                f"{self._path} line {number} cannot be read ({error!r}): restore it from its copy"
            ) from error


def stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds")
