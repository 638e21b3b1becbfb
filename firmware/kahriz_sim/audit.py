# SPDX-License-Identifier: MIT
"""Counts what became of every reading the world served: by the world's log, not by the gateway.

A reading is a wake of a node in which a sensor was served. It is stored (a row of the gateway's
database belongs to it), pending (still owed by the node's flash), cut short (the node's power was
cut in that very wake, before the reading was anybody's) or missing. A further stored row for the
same reading is a duplicate.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from kahriz_sim import kept
from kahriz_sim.flash_journal import owed_rows
from kahriz_sim.matching import Row, Sample, match
from kahriz_sim.world_log import lines_of


@dataclass(frozen=True)
class Audit:
    measured: int
    stored: int
    pending: int
    missing: int
    duplicates: int
    redelivered: int
    cut_short: int = 0
    lost: tuple[tuple[str, int], ...] = ()  # (node, time in ms) of each missing reading


def audit(data_dir: Path) -> Audit:
    """From world.jsonl, readings.db and flash/<node>.lfs in one data folder."""
    samples = _samples(data_dir / "world.jsonl")
    rows, store, redelivered = _stored(data_dir / "readings.db")
    stored = pending = duplicates = cut_short = 0
    lost: list[tuple[str, int]] = []
    for node in sorted(samples.keys() | rows.keys()):
        mine, seen = rows.get(node, []), samples.get(node, [])
        stored_of, spare = match(seen, mine)
        duplicates += spare
        stored += len(stored_of)
        left = [s for s in seen if s not in stored_of]
        owed = _owed(data_dir / "flash" / f"{node}.lfs", store, mine)
        pending_of, _ = match(left, owed)
        pending += len(pending_of)
        for sample in left:
            if sample in pending_of:
                continue
            if sample.cut:
                cut_short += 1
            else:
                lost.append((node, sample.t_ms))
    measured = sum(map(len, samples.values()))
    return Audit(
        measured, stored, pending, len(lost), duplicates, redelivered, cut_short, tuple(lost)
    )


def _samples(path: Path) -> dict[str, list[Sample]]:
    first: dict[tuple[str, int], int] = {}
    cut: set[tuple[str, int]] = set()
    for line in lines_of(path):
        if line.get("event") == "cut":
            cut.add((line["node"], line["wake"]))
        elif "device" in line:
            first.setdefault((line["node"], line["wake"]), line["t"])
    samples: dict[str, list[Sample]] = {}
    for (node, wake), t_ms in first.items():
        samples.setdefault(node, []).append(Sample(wake, t_ms, (node, wake) in cut))
    return samples


def _stored(path: Path) -> tuple[dict[str, list[Row]], str, int]:
    """(rows of each node, the store's id, how often rows came again)."""
    rows: dict[str, list[Row]] = {}
    again = 0
    for node, journal, n, ts, tq, times in kept.ask(
        path, "SELECT node, journal, n, ts, tq, times FROM reading"
    ):
        rows.setdefault(node, []).append(Row(journal, n, ts, tq))
        again += times - 1
    found = kept.ask(path, "SELECT value FROM meta WHERE key = 'store'")
    return rows, str(found[0][0]) if found else "", again


def _owed(flash: Path, store: str, stored: Iterable[Row]) -> list[Row]:
    if not flash.exists():
        return []
    known = {(row.journal, row.n) for row in stored}
    return [
        Row(row.journal, row.n, row.ts, row.tq)
        for row in owed_rows(flash, store)
        if (row.journal, row.n) not in known
    ]
