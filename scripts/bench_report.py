# SPDX-License-Identifier: MIT
"""A table of what was measured: median, spread, goal, met or not; on paper and on the screen."""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

from kahriz_sim.services import find_program

READ = """\
## How to read it

- **The same messages, the same lines.** Both read the same twelve rows of four numbers from the
  same broker and write the same fields to the same InfluxDB, a weir's stage, discharge and
  uncertainty by the same formula (the means in InfluxDB are compared); each is alone on the broker
  and begins with an empty buffer. "Pipe" is a load whose four numbers a row nobody has to
  interpret; a weir makes three of its four.
- **Not the same work.** Node-RED acknowledges on arrival, holds up to 5,000 points in memory, and
  has zero and notch written into its function. Ours commits the message to disk before it
  acknowledges anything and commits the values again; on top it keeps the ledger and answers with
  receipts, looks up the records of the day, tests the quality of each number against its
  neighbours, runs the detectors, works out the hours and writes them to a second bucket, and
  publishes the newest values by MQTT. Its CPU buys that, and Node-RED is the faster forwarder.
- **The first commit is on the way to the acknowledgement, the rest is not**: "intake" is all that a
  node waits for.
- **What a village needs** is one message a node and hour: twenty nodes are 0.006 messages a second.
  The rate matters when weeks are caught up, the losses matter always.
- *lost* and *doubled* are counted row for row in the store and point for point in InfluxDB.
- The nodes of the kill runs wait for receipts and repeat, as the firmware does. A run "at 4,000
  msg/s" is offered so much; while a killed broker is away nobody can send.
- **An upload is not the same work either.** Ours is a whole session, to the gateway's receipt after
  its commit; umqtt.simple (1.3.4, the one on PyPI) has only the broker's word. It writes a packet
  in three to five pieces, of which each waits for the other side's TCP to acknowledge the one
  before (Nagle's rule beside a delayed acknowledgement, 40 ms on Linux): that, and not the link, is
  most of its time. A peer that acknowledges at once makes it quicker; MicroPython's later versions
  were not tried.
- The backlog's live traffic is counted with it."""


@dataclass
class Figure:
    """One measured thing; `goal` says what is enough, `met` None where there is no goal."""

    name: str
    values: Sequence[float]
    unit: str
    goal: str = ""
    most: float | None = None
    least: float | None = None

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def met(self) -> bool | None:
        if self.most is not None:
            return self.median <= self.most
        if self.least is not None:
            return self.median >= self.least
        return None

    def cells(self) -> list[str]:
        spread = f"{_short(min(self.values))} to {_short(max(self.values))}"
        count = len(self.values)
        return [
            self.name,
            f"{_short(self.median)} {self.unit}",
            spread if count > 1 else "one run",
            self.goal,
            {True: "met", False: "MISSED", None: ""}[self.met],
        ]


@dataclass
class Report:
    """What a run found, and what it did not look at."""

    figures: list[Figure] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)

    def add(self, figure: Figure) -> None:
        self.figures.append(figure)
        print("  ".join(each for each in figure.cells() if each), flush=True)

    def leave_out(self, text: str) -> None:
        self.left_out.append(text)
        print(f"not measured: {text}", flush=True)

    def markdown(self, how: str, load: str, peer: str = "") -> str:
        rows = [["what", "median", "spread", "goal", ""], ["---"] * 5]
        rows += [figure.cells() for figure in self.figures]
        table = "\n".join("| " + " | ".join(row) + " |" for row in rows)
        left = "\n".join(f"- {each}" for each in self.left_out)
        return (
            "# Speed and size\n\n"
            f"Written by `{how}`. Ratios are medians of runs taken in turn on one machine; numbers "
            "of another machine differ, their ratios less.\n\n"
            f"{machine()}\n{peer}\n\nLoad average before and after: {load}.\n\n{table}\n\n"
            f"{READ}\n\n## Not measured in this run\n\n{left}\n"
        )


def added(paper: str, report: Report, how: str, load: str) -> str:
    """What is on paper, with the rows of this run in it: in the place of older ones, or below."""
    lines = paper.splitlines()
    for figure in report.figures:
        row = "| " + " | ".join(figure.cells()) + " |"
        rows = [at for at, line in enumerate(lines) if line.startswith("| ")]
        same = [at for at in rows if lines[at].startswith(f"| {figure.name} |")]
        if same:
            lines[same[0]] = row
        else:
            lines.insert(rows[-1] + 1, row)
    note = f"`{how}` added rows: load average before and after {load}."
    notes = [at for at, line in enumerate(lines) if line.startswith(f"`{how}` added rows")]
    if notes:
        lines[notes[0]] = note
    else:
        first = next(at for at, line in enumerate(lines) if line.startswith("| "))
        lines[first:first] = [note, ""]
    return "\n".join(lines) + "\n"


def machine() -> str:
    model = "?"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
    lines = [
        f"- machine: {os.cpu_count()} cores of {model}, {platform.system()} {platform.release()}",
        f"- Python {platform.python_version()}, paho-mqtt {version('paho-mqtt')},"
        f" influxdb-client {version('influxdb-client')}",
        f"- mosquitto {_said('mosquitto', '-h')}; InfluxDB {_said('influxd', 'version')}",
    ]
    return "\n".join(lines)


def _said(program: str, argument: str) -> str:
    path = find_program(program)
    if path is None:
        return "absent"
    done = subprocess.run([path, argument], capture_output=True, text=True, check=False)
    words = (done.stdout or done.stderr).split()
    return next((w.lstrip("v") for w in words if w.lstrip("v")[:1].isdigit()), "?")


def _short(number: float) -> str:
    if number == 0:
        return "0"
    if abs(number) >= 100:
        return f"{number:,.0f}"
    return f"{number:.3g}"
