# SPDX-License-Identifier: MIT
"""What is said over one schedule: a line of the report."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field


@dataclass
class Verdict:
    """What became of everything; `faults` are broken promises."""

    seed: int
    kinds: list[str] = field(default_factory=list)
    measured: int = 0
    stored: int = 0
    cut_short: int = 0
    pending: int = 0
    missing: int = 0  # named by the ledger, with a reason
    lost: int = 0
    doubled: int = 0
    late_stamps: int = 0
    redelivered: int = 0
    alarms_right: int = 0
    alarms_wrong: int = 0
    alarms_lost: int = 0
    alarms_unknowable: int = 0  # the loss was nobody's to know in time
    alarm_s: float | None = None
    texts: int = 0
    copies_marked: int = 0
    copies_unmarked: int = 0
    database_lacks: int = 0
    database_lacks_alarms: int = 0
    database_disordered: int = 0  # readings handed over before one that the gateway had earlier
    unreadable: int = 0  # messages that no one could read, handed to intake
    excused: list[str] = field(
        default_factory=list
    )  # those of them that went with a disk or broker
    bytes_a_row: float | None = None  # of a month without the server: how its stores grew
    objects_a_row: float | None = None  # … and the objects in memory
    recovery_s: dict[str, float] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, object]:
        return asdict(self)
