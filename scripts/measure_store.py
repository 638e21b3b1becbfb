# SPDX-License-Identifier: MIT
"""What a kahriz of six nodes writes to the SD card a day, and what a year of one node takes.

    .venv/bin/python scripts/measure_store.py [--days 14] [--json]

Readings of the simulated site go hour by hour through the real intake (one session a node: a hello
and a batch of 12, one commit each, synchronous=FULL) and the real village. Bytes written are the
kernel's own count for this process (write_bytes of /proc/self/io), journal of the file system
not included; what a node-year takes is how much the stores have grown.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from kahriz_gateway.intake.intake import Intake
from kahriz_gateway.mqtt import Arrival, Door
from kahriz_gateway.records import records
from kahriz_gateway.village import store as village_store
from kahriz_gateway.village.sender import Sender
from kahriz_gateway.village.village import Village
from kahriz_sim.series import START_MS, rows
from kahriz_water.plan import parse_plan
from kahriz_wire import topics
from kahriz_wire.messages import Hello, Row, encode_hello, encode_rows

SITE = Path(__file__).parents[1] / "firmware" / "kahriz_sim" / "sites" / "banovshalar-gozlu"
JOURNAL = "9f3a01c2"
HOUR_MS = 3_600_000
WARM_UP_DAYS = 2  # tables and logs reach their size; not counted


@dataclass(frozen=True)
class Measured:
    """What is printed; megabytes are 10^6 bytes."""

    days: float
    nodes: int
    rows: int
    commits_a_day: float
    intake_written_mb_a_day: float
    village_written_mb_a_day: float
    readings_mb_a_node_year: float
    village_mb_a_node_year: float
    seconds: float

    def in_words(self) -> str:
        written = self.intake_written_mb_a_day + self.village_written_mb_a_day
        stores = (self.readings_mb_a_node_year, self.village_mb_a_node_year)
        return (
            f"{self.rows} readings of {self.nodes} nodes in {self.days:g} days:\n"
            f"written to disk a day   {written:.1f} MB  (intake {self.intake_written_mb_a_day:.1f}"
            f" in {self.commits_a_day:.0f} commits, village {self.village_written_mb_a_day:.1f})\n"
            f"a node-year takes       {sum(stores):.1f} MB  (readings.db {stores[0]:.1f}, "
            f"village.db {stores[1]:.1f})"
        )


class Clock:
    """The simulated hour."""

    def __init__(self) -> None:
        self.ms = START_MS

    def now_ms(self) -> int:
        return self.ms

    def trusted(self) -> bool:
        return True

    def not_before(self, ms: int) -> None:
        pass


class Receipts(Door):
    """Takes intake's answers; a node waits for its own."""

    def __init__(self) -> None:
        self._acked = threading.Semaphore(0)
        self.subscribed, self.epoch = threading.Event(), 1

    def publish(self, topic: str, payload: bytes, retain: bool = False, qos: int = 0) -> None:
        pass

    def ack(self, arrivals: Iterable[Arrival]) -> None:
        self._acked.release(sum(1 for _ in arrivals))

    def wait(self, count: int) -> None:
        for _ in range(count):
            if not self._acked.acquire(timeout=60):
                raise SystemExit("intake does not store: see above")


def hourly(days: float) -> Iterator[tuple[int, dict[str, list[Row]]]]:
    """Each hour's end and what each node measured in it."""
    end = START_MS + HOUR_MS
    hour: dict[str, list[Row]] = {}
    for found in rows(SITE.name, "calm", 1, days):
        values = dict(found.values)
        ts, n, q = int(values.pop("ts")), int(values.pop("n")), int(values.pop("q"))
        while ts >= end:
            yield end, hour
            end, hour = end + HOUR_MS, {}
        hour.setdefault(found.node, []).append(Row(n, q, values, ts))
    yield end, hour


def written() -> int:
    """Bytes that this process has caused to be sent to the disk."""
    for line in Path("/proc/self/io").read_text().splitlines():
        if line.startswith("write_bytes:"):
            return int(line.split()[1])
    raise SystemExit("this system does not count the bytes a process writes (/proc/self/io)")


def measure(folder: Path, days: float) -> Measured:
    plan = parse_plan((SITE / "site.toml").read_text(encoding="utf-8"))
    clock, door, stop = Clock(), Receipts(), threading.Event()
    conn = village_store.open_village(folder / "village.db")
    records.import_records(conn, SITE / "records.toml", plan)
    village = Village(conn, plan, folder, clock, Sender(folder / "village.db", plan, clock, []))
    intake = Intake(folder / "readings.db", plan.id, lambda node: True, clock)
    thread = threading.Thread(target=intake.run, args=(door, stop))
    thread.start()
    started = time.monotonic()
    by = {"intake": 0, "village": 0}
    count = commits = mid = 0
    size_then: dict[str, int] = {}
    try:
        for end, hour in hourly(WARM_UP_DAYS + days):
            clock.ms = end
            counted = end > START_MS + WARM_UP_DAYS * 24 * HOUR_MS
            if counted and not size_then:
                size_then = sizes(folder)
            before = written()
            for node, batch in hour.items():
                s = f"{end // HOUR_MS & 0xFFFFFFFF:08x}"
                hello = encode_hello(Hello(s, JOURNAL, 1, batch[-1].n + 1))
                for kind, body in (("hello", hello), (f"up/{JOURNAL}", encode_rows(batch))):
                    mid += 1
                    topic = topics.of(plan.id, node, kind)
                    intake.arrived(Arrival(topic, body, False, mid, 1, 1))
                door.wait(2)
            middle = written()
            while village.step():
                pass
            after = written()
            if counted:
                by["intake"] += middle - before
                by["village"] += after - middle
                count += sum(len(batch) for batch in hour.values())
                commits += len(hour)
    finally:
        stop.set()
        thread.join()
        village.close()
    grown = {name: size - size_then[name] for name, size in sizes(folder).items()}
    conn.close()
    node_years = len(plan.nodes) * days / 365
    return Measured(
        days=days,
        nodes=len(plan.nodes),
        rows=count,
        commits_a_day=round(commits / days, 1),
        intake_written_mb_a_day=round(by["intake"] / days / 1e6, 2),
        village_written_mb_a_day=round(by["village"] / days / 1e6, 2),
        readings_mb_a_node_year=round(grown["readings.db"] / node_years / 1e6, 1),
        village_mb_a_node_year=round(grown["village.db"] / node_years / 1e6, 1),
        seconds=round(time.monotonic() - started, 1),
    )


def sizes(folder: Path) -> dict[str, int]:
    """The stores alone: their logs are of a fixed size."""
    return {name: (folder / name).stat().st_size for name in ("readings.db", "village.db")}


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--days", type=float, default=14.0)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    build = Path(__file__).parents[1] / "build"
    build.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="measure-", dir=build) as folder:
        found = measure(Path(folder), given.days)
    print(json.dumps(asdict(found)) if given.json else found.in_words())
    return 0


if __name__ == "__main__":
    sys.exit(main())
