# SPDX-License-Identifier: MIT
"""Output to InfluxDB: values become line protocol, written synchronously, nothing lost.

What the server refuses (400, 413, 422) is cut in half until the poison line is alone; that line
goes to quarantine with the server's reason and the rest is stored. Before a large batch is cut, a
few lines of it are tried alone: where none is taken the batch is kept whole. Everything else (no
answer, 401, 404, 429, 5xx) is a DeliveryError: the follower keeps its place and comes again.
Writing the same point twice is harmless, so a batch is simply sent again.
"""

import json
import logging
import os
import random
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from kahriz_gateway.outputs import DeliveryError
from kahriz_gateway.outputs.influx_lines import (
    AlarmMark,
    NodeHealth,
    TurnMark,
    WaterValue,
    alarm_lines,
    alarm_tags,
    health_lines,
    turn_lines,
    water_lines,
)
from kahriz_gateway.outputs.influx_login import login
from kahriz_water.plan import ConfigError, Plan
from kahriz_water.site import Point
from kahriz_wire.topics import GATEWAY

if TYPE_CHECKING:
    from kahriz_gateway.outputs.influx_client import LineWriter, Refusal

MAX_LINES = 5_000  # measured: 368,000 points/s; larger requests gain nothing
MAX_PAUSE_S = 300.0  # a server once said Retry-After: 3600; a village does not wait that long
MIN_LINES = 50
GROW_LINES = 100  # after each write that went through; a link that broke once is not trusted soon
MAX_POISON_ALONE = 20  # more lines refused and not one accepted: it is not the lines
SAMPLE = 40  # lines of a large batch that are tried alone: 10,000 requests would say no more
_HERE = ("127.0.0.1", "::1", "localhost")
_CUT = (400, 413, 422)
_CANNOT = (400, 403, 404, 405, 501)  # it does not know how to remove, or we may not
_NEEDS_A_PERSON = (401, 403, 404)  # wrong token, wrong bucket: waiting does not mend it

log = logging.getLogger(__name__)

Quarantine = Callable[[str, str], None]


def quarantine_file(path: Path) -> Quarantine:
    """A quarantine that appends one JSON object a line and is on the disk when it returns."""

    def keep(text: str, reason: str) -> None:
        with path.open("a", encoding="utf-8") as out:
            out.write(json.dumps({"line": text, "reason": reason}, ensure_ascii=False) + "\n")
            out.flush()
            os.fsync(out.fileno())

    return keep


def from_plan(plan: Plan, data_dir: Path) -> "InfluxOutput":
    """The output a plan asks for; ConfigError when its secret cannot be read."""
    return open_bucket(plan, data_dir)


def open_bucket(plan: Plan, data_dir: Path, suffix: str = "") -> "InfluxOutput":
    """The plan's bucket, or one beside it: a resolution has its own."""
    from kahriz_gateway.outputs.influx_client import LineWriter  # 280 ms and 39 MB: only if used

    settings = plan.influx
    if settings is None:
        raise ConfigError("influx", "an [influx] section with a url")
    url, secret, basic = login(settings)
    gzip = urlsplit(url).hostname not in _HERE  # within the machine it would only cost
    bucket = settings.bucket + suffix
    writer = LineWriter(url, settings.org, bucket, secret, basic=basic, gzip=gzip)
    nodes = {point.id: point.node for point in plan.points}
    quarantine = quarantine_file(data_dir / "influx-quarantine.jsonl")
    where = {"latitude_deg": plan.latitude_deg, "longitude_deg": plan.longitude_deg}
    place = {name: degrees for name, degrees in where.items() if degrees is not None}
    points = {point.id: point for point in plan.points}
    return InfluxOutput(writer, plan.id, nodes, quarantine, place=place, points=points)


class InfluxOutput:
    """Writes the values of one site to one bucket."""

    def __init__(
        self,
        writer: "LineWriter",
        site: str,
        nodes: Mapping[str, str],
        quarantine: Quarantine,
        monotonic_s: Callable[[], float] = time.monotonic,
        place: Mapping[str, float] | None = None,
        points: Mapping[str, Point] | None = None,
    ) -> None:
        self.points = points or {}
        self._writer = writer
        self._site = site
        self._nodes = nodes
        self._quarantine = quarantine
        self._place = place or {}
        self._monotonic_s = monotonic_s
        self._not_before_s = 0.0
        self._max_lines = MAX_LINES

    def write(self, values: Iterable[WaterValue]) -> None:
        """Store interpreted values; hand in all quantities of a (point, ts) together."""
        self.write_lines(list(water_lines(self._site, self._nodes, values)))

    def write_health(self, healths: Iterable[NodeHealth]) -> None:
        """Store how the nodes are; the gateway's line says where on the map it stands."""
        told = (
            replace(each, figures={**each.figures, **self._place}) if each.node == GATEWAY else each
            for each in healths
        )
        self.write_lines(list(health_lines(self._site, told)))

    def write_alarms(self, marks: Iterable[AlarmMark]) -> None:
        """Store when alarms opened and closed."""
        self.write_lines(list(alarm_lines(self._site, marks)))

    def take_back_alarms(self, marks: Iterable[AlarmMark]) -> None:
        """Remove them; where the server removes nothing, they stand as over."""
        for mark in marks:
            self._wait()
            refusal = self._writer.delete("alarm", alarm_tags(self._site, mark), mark.ts)
            if refusal is None:
                continue
            if refusal.status not in _CANNOT:
                raise self._give_up(refusal)
            log.warning(
                "InfluxDB removes no point (%s): alarm %d of a wrong clock stands there as over",
                refusal.reason,
                mark.id,
            )
            self.write_alarms([replace(mark, active=False)])

    def write_turns(self, marks: Iterable[TurnMark]) -> None:
        """Store the water of turns that are over."""
        self.write_lines(list(turn_lines(self._site, marks)))

    def write_lines(self, lines: Sequence[str]) -> None:
        """Store ready lines (milliseconds), at most MAX_LINES a request."""
        self._wait()
        start = 0
        while start < len(lines):
            part = lines[start : start + self._max_lines]
            poison = self._send(part, [], len(part) > 2 * SAMPLE)
            if len(poison) == len(part) > MAX_POISON_ALONE:
                raise DeliveryError(f"InfluxDB refuses every line: {poison[0][1]}", True)
            for text, reason in poison:
                self._quarantine(text, reason)
            start += len(part)
        self._max_lines = min(self._max_lines + GROW_LINES, MAX_LINES)

    def close(self) -> None:
        self._writer.close()

    def _wait(self) -> None:
        left_s = self._not_before_s - self._monotonic_s()
        if left_s > 0:
            raise DeliveryError(f"InfluxDB asked to wait; again in {left_s:.0f} s", False)

    def _send(
        self, lines: Sequence[str], poison: list[tuple[str, str]], large: bool = False
    ) -> list[tuple[str, str]]:
        refusal = self._writer.write(lines)
        if refusal is None:
            return poison
        if refusal.status not in _CUT:
            raise self._give_up(refusal)
        if len(lines) == 1:
            return [*poison, (lines[0], f"{refusal.status}: {refusal.reason}")]
        if large:
            taken = self._try_some(lines)
            lines = [*lines[:taken], *lines[taken + 1 :]]
        middle = len(lines) // 2
        return self._send(lines[middle:], self._send(lines[:middle], poison))

    def _try_some(self, lines: Sequence[str]) -> int:
        """The place of the first line that is taken; DeliveryError when none is.

        The lines are others each time: one that would be taken is found in the end.
        Nothing is set aside on this evidence: the batch comes again, whole.
        """
        last, first_said = len(lines) - 1, ""
        chosen = {0, last, *random.sample(range(len(lines)), SAMPLE)}
        for index in sorted(chosen):
            refusal = self._writer.write([lines[index]])
            if refusal is None:
                return index
            if refusal.status not in _CUT:
                raise self._give_up(refusal)
            first_said = first_said or f"{refusal.status}: {refusal.reason}"
        told = f"InfluxDB refuses every line that was tried of {len(lines)}, all are kept"
        raise DeliveryError(f"{told}: {first_said}", True)

    def _give_up(self, refusal: "Refusal") -> DeliveryError:
        if refusal.status == 0:
            # Some servers hang up on a body that is too large: try a smaller one next time.
            self._max_lines = max(self._max_lines // 2, MIN_LINES)
        if refusal.retry_after_s is not None:
            pause_s = min(max(refusal.retry_after_s, 0.0), MAX_PAUSE_S)
            self._not_before_s = self._monotonic_s() + pause_s
        said = f"InfluxDB {refusal.status or 'unreachable'}: {refusal.reason}"
        return DeliveryError(said, refusal.status in _NEEDS_A_PERSON)
