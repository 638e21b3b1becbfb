# SPDX-License-Identifier: MIT
"""Recorded readings through the engine in time order, and the alarms as a table.

Rows are `time, sensor, quantity, value` and, if known, `q` (QARTOD) and `received`. Without
`received` all rows of one time are there at that time. With it they go through the watermark as
they came: what is behind it is too late, as in the village; and wrong clocks are told.
"""

from __future__ import annotations

import csv
import gzip
import heapq
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import chain, groupby
from operator import itemgetter
from pathlib import Path

from kahriz_detect.engine import Engine
from kahriz_detect.finding import CLEARED, RAISED, Finding, Sample
from kahriz_detect.parts import split
from kahriz_detect.replay.words import Words
from kahriz_detect.site import FLOW, Site
from kahriz_detect.watermark import Watermark

WANTED = ("time", "sensor", "quantity", "value")
KINDS = {  # words of the alarm table for the kinds that are not among them
    "source_drop": "collapse",
    "fouled_weir": "sensor_fault:fouled_weir",
    "pool_leak": "leak",
    "silent_node": "sensor_fault:silence",
}
EPOCH, EPOCH_UTC = datetime(1970, 1, 1), datetime(1970, 1, 1, tzinfo=UTC)
AT_ONCE = 3000  # rows that go through the detectors together
NOTICES = ("balance_doubt", "gateway", "use")  # told, but no alarm of the table
BOUNDS = {"discharge_lt_lps": "lt", "discharge_gt_lps": "gt"}  # less than, more than
Row = tuple[int, Sample]  # when it was there, and what


class ReplayError(ValueError):
    """The readings cannot be used; one line with the mend."""


@dataclass(slots=True)
class Raised:
    """A row of the alarm table; `start` is when it was raised."""

    start: int
    kind: str
    place: str
    end: int | None = None
    findings: list[Finding] = field(default_factory=list)


def rows(path: Path) -> Iterator[Row]:
    """The rows of a readings file as they came; an empty value is a gap."""
    with _open(path) as handle:
        late = "received" in next(csv.reader(handle), [])
    return arrivals(_rows(path)) if late else _rows(path)


def _rows(path: Path) -> Iterator[Row]:
    with _open(path) as handle:
        reader = csv.reader(handle)
        header = next(reader, [])
        if any(name not in header for name in WANTED):
            raise ReplayError(f"{path}: expected a first line {','.join(WANTED)}[,received]")
        at, who, what, how_much = (header.index(name) for name in WANTED)
        came = header.index("received") if "received" in header else None
        flag = header.index("q") if "q" in header else None
        known, known_ms = "", 0
        for row in reader:
            try:
                text = row[at]
                if text != known:
                    known, known_ms = text, ms_of(text)
                value = float(row[how_much])
                received = None if came is None else ms_of(row[came])
                q = 1 if flag is None else int(row[flag])
            except (ValueError, IndexError) as error:
                if len(row) > how_much and not row[how_much].strip():
                    continue
                raise ReplayError(
                    f"{path}, line {reader.line_num}: expected an ISO time and a number: {error}"
                ) from error
            if value == value:  # not NaN
                quantity = row[what]
                bound = BOUNDS.get(quantity)
                if bound is not None:
                    quantity = FLOW
                moment = known_ms if received is None else max(known_ms, received)
                yield (
                    moment,
                    Sample(known_ms, row[who], quantity, value, None, q, bound, received),
                )


def arrivals(readings: Iterable[Row]) -> Iterator[Row]:
    """The same in the order in which they came, whether the file has that order or time's.

    >>> a, b = Sample(0, "a", "flow_lps", 1.0), Sample(60_000, "b", "flow_lps", 1.0)
    >>> [sample.point for _, sample in arrivals([(90_000, a), (60_000, b)])]
    ['b', 'a']
    """
    held: list[tuple[int, int, Sample]] = []
    newest = 0
    for number, (received, sample) in enumerate(readings):
        newest = max(newest, sample.ts)
        while held and held[0][0] < newest:  # nothing that is still to be read came before it
            came, _, first = heapq.heappop(held)
            yield came, first
        heapq.heappush(held, (received, number, sample))
    while held:
        came, _, first = heapq.heappop(held)
        yield came, first


def _open(path: Path) -> io.TextIOBase:
    try:
        if path.suffix == ".gz":
            return gzip.open(path, "rt", newline="", encoding="utf-8")
        return path.open(newline="", encoding="utf-8")
    except OSError as error:
        raise ReplayError(f"{path}: {error.strerror}") from error


def ms_of(text: str) -> int:
    """ISO 8601, UTC when it has no zone.

    >>> ms_of("1970-01-01T00:10"), ms_of("1970-01-01 04:10:00+04:00")
    (600000, 600000)
    """
    moment = datetime.fromisoformat(text)
    since = moment - (EPOCH if moment.tzinfo is None else EPOCH_UTC)
    return since.days * 86_400_000 + since.seconds * 1000 + round(since.microseconds / 1000)


def text_of(ms: int) -> str:
    """
    >>> text_of(600_000)
    '1970-01-01T00:10:00'
    """
    return datetime.fromtimestamp(ms / 1000, UTC).replace(tzinfo=None).isoformat(timespec="seconds")


class Replay:
    """The parts of a site, each with its engine and its watermark.

    Examples
    --------
    >>> from kahriz_detect.site import Signal, Site
    >>> run = Replay(Site("x", (Signal("a", "a", FLOW),)))
    >>> list(run.run([(0, Sample(0, "a", FLOW, 1.0)), (600_000, Sample(600_000, "a", FLOW, 1.0))]))
    []
    """

    def __init__(self, site: Site) -> None:
        self.engines = [Engine(part) for part in split(site)]
        self._marks = [Watermark(engine.site) for engine in self.engines]
        self._words = Words(site)

    def run(self, readings: Iterable[Row]) -> Iterator[tuple[int, Finding]]:
        """What was found, with the moment at which it was known."""
        rest, waits, last = iter(readings), list[Sample](), None
        for moment, sample in rest:
            if sample.came is not None or sample.ts != moment:
                rest = chain([(moment, sample)], rest)
                break
            if moment != last:
                self._check_order(last, moment)
                last = moment
                if len(waits) >= AT_ONCE:
                    yield from self._now(waits)
                    waits = []
            waits.append(sample)
        yield from self._now(waits)
        prompt = True  # every row came at its own time so far
        for moment, arrived in groupby(rest, key=itemgetter(0)):
            self._check_order(last, moment)
            last = moment
            batch = [sample for _, sample in arrived]
            for finding in self._words.hear(batch):
                yield moment, finding
            prompt = prompt and {sample.ts for sample in batch} == {moment}
            yield from self._now(batch) if prompt else self._held(batch, moment)

    def _check_order(self, last: int | None, moment: int) -> None:
        if last is not None and moment < last:
            raise ReplayError(f"rows are not in order of time at {text_of(moment)}: sort them")

    def _now(self, batch: list[Sample]) -> list[tuple[int, Finding]]:
        """All that came of some moments, at its own time."""
        found = [news for engine in self.engines for news in engine.follow(batch)]
        found.sort(key=itemgetter(0))
        return found

    def _held(self, batch: list[Sample], moment: int) -> list[tuple[int, Finding]]:
        """As in the village: each part up to its watermark."""
        found: list[Finding] = []
        for engine, mark in zip(self.engines, self._marks, strict=True):
            for sample in batch:
                mark.hold(sample)
            found += engine.take(mark.release())
            if mark.at is not None:
                found += engine.advance(mark.at)
        return [(moment, finding) for finding in found]


class Table:
    """Collects the alarms of a replay.

    Examples
    --------
    >>> table = Table()
    >>> table.told(600_000, Finding("raised", "leak", "upper", 0))
    >>> table.told(1_200_000, Finding("cleared", "leak", "upper", 0))
    >>> table.lines()
    [['1970-01-01T00:10:00', '1970-01-01T00:20:00', 'leak', 'upper']]
    """

    def __init__(self) -> None:
        self.alarms: list[Raised] = []
        self.notices: list[Raised] = []  # told by --explain
        self._open: dict[tuple[str, str], Raised] = {}

    def told(self, moment: int, finding: Finding) -> None:
        key = (finding.kind, finding.place)
        if finding.what == RAISED:
            alarm = Raised(moment, KINDS.get(finding.kind, finding.kind), finding.place)
            self._open[key] = alarm
            notice = finding.kind.partition(":")[0] in NOTICES
            (self.notices if notice else self.alarms).append(alarm)
        alarm = self._open.get(key)  # type: ignore[assignment]
        if alarm is None:
            return
        if finding.what in (RAISED, CLEARED) or len(alarm.findings) < 2:
            alarm.findings.append(finding)
        else:
            alarm.findings[-1] = finding
        if finding.what == CLEARED:
            alarm.end = moment
            del self._open[key]

    def lines(self) -> list[list[str]]:
        return [
            [text_of(a.start), "" if a.end is None else text_of(a.end), a.kind, a.place]
            for a in self.alarms
        ]

    def write(self, path: Path) -> None:
        with path.open("w", newline="", encoding="utf-8") as handle:
            writer = csv.writer(handle, lineterminator="\n")
            writer.writerow(["start", "end", "kind", "place"])
            writer.writerows(self.lines())
