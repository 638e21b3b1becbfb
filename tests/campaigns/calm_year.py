# SPDX-License-Identifier: MIT
"""A calm year of a simulated kahriz through interpretation, detectors and alarm loop, then a leak.

Readings arrive by the hour, as nodes bring them. Whoever is rung for nothing says so after six
hours. On the last day a reach loses 15 % of the usual flow, by the same settings.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from kahriz_alarms import kinds
from kahriz_detect.engine import Engine
from kahriz_detect.finding import RAISED, Finding, Sample
from kahriz_detect.parts import split
from kahriz_detect.site_plan import site_of
from kahriz_detect.source import fall
from kahriz_gateway.records.records import parse_records
from kahriz_gateway.village import alarms as village_alarms
from kahriz_gateway.village import store as village_store
from kahriz_gateway.village.watch import STORED
from kahriz_sim.scenario import Leak, Scenario
from kahriz_sim.series import START_MS, rows
from kahriz_water.interpret import Interpretation, Reading
from kahriz_water.plan import parse_plan
from kahriz_water.records import Records
from scripts.score_simulated import BASE, DT_S, WEIRS, Drawn, draw, site_text

from .alarm_run import PEOPLE, SITES
from .alarm_village import Village

NODES = (*WEIRS, "fields", "pool")
HOUR_MS, DAY_MS = 3_600_000, 86_400_000
LOSS = 0.15
SUSPECT = 3
REPEAT_MS = 24 * HOUR_MS  # the scorer takes what comes again within a day for the same alarm
NUMBERS_FROM = 200  # other kahrizes than those on which the detectors are scored


@dataclass
class Year:
    """`false` are urgent alarms as the scorer counts them, `rung` those that reached somebody."""

    number: int
    days: float
    reach: str
    lps: float
    false: list[str] = field(default_factory=list)
    rung: list[str] = field(default_factory=list)
    messages: int = 0
    leak_told_h: float | None = None
    faults: list[str] = field(default_factory=list)


def live(number: int, days: float, folder: Path) -> Year:
    """One kahriz, `days` of calm and a day of loss."""
    drawn = draw(NUMBERS_FROM + number)
    drawn.events = [e for e in drawn.events if e.at_h < 0]  # an offtake that has always been
    reach, lps = ("upper", "lower")[number % 2], LOSS * drawn.plan.gallery.base_lps
    drawn.events.append(Leak(at_h=days * 24.0, to_h=1e9, reach=reach, lps=lps))
    year = Year(number, days, reach, round(lps, 2))
    plan = parse_plan(site_text(drawn) + PEOPLE)
    site = site_of(plan)
    engines = [Engine(part) for part in split(site)]
    village = Village(folder / f"calm-{number}.db", plan, START_MS)
    leak_ms = START_MS + round(days * DAY_MS)
    last: dict[tuple[str, str], int] = {}
    mouths = {s.outlet: Mouth(s.place) for s in site.sources}
    for hour_ms, samples in by_the_hour(drawn, number, days + 1.0):
        alarms = village_alarms.open_alarms(village.conn)
        still = [(a.kind, a.place) for a in alarms if a.calm is None]
        found = fallen(mouths, samples)
        for engine in engines:
            engine.agree(still, [(a.kind, a.place) for a in alarms])  # as the village does
            for sample in samples:
                found += engine.update(sample)
            found += engine.advance(hour_ms)
        village.time.at_s = (hour_ms - START_MS) / 1000
        village.find(*found)
        village.live(60.0 if found else 1.0, step_s=1.0)
        if village_alarms.open_alarms(village.conn) or village.waiting():
            village.live(3000.0, step_s=600.0)
        if hour_ms <= leak_ms:
            year.false += counted(found, last)
            answer(village, hour_ms)
    judge(year, village, leak_ms)
    village.conn.close()
    return year


@dataclass
class Mouth:
    """A mouth as `kahriz_gateway.village.fall` sees it: its day, and what has been told."""

    place: str
    state: fall.State = field(default_factory=fall.State)
    day: list[tuple[int, float]] = field(default_factory=list)


def fallen(mouths: dict[str, Mouth], samples: list[Sample]) -> list[Finding]:
    """Asked at every reading, as if each had come in a hurry."""
    found = []
    for sample in samples:
        mouth = mouths.get(sample.point)
        if mouth is None or (sample.q >= SUSPECT and sample.bound != "lt"):
            continue
        mouth.day.append((sample.ts, sample.value))
        while mouth.day[0][0] < sample.ts - fall.DAY_MS - fall.SETTLED_MS:
            mouth.day.pop(0)
        mouth.state, news = fall.look(mouth.place, mouth.day, mouth.state, sample.ts)
        found += [] if news is None else [news]
    return found


def by_the_hour(drawn: Drawn, number: int, days: float) -> Iterator[tuple[int, list[Sample]]]:
    """The end of each hour with the samples of it, in order of time."""
    text = (SITES / BASE / "records.toml").read_text(encoding="utf-8")
    known = parse_plan(site_text(drawn))
    kept = "[[".join(part for part in text.split("[[") if 'point = "tank"' not in part)
    meaning = Interpretation(Records(deployments=tuple(parse_records(kept, known))), known)
    signals = {s.point: s for s in site_of(known).signals}
    scenario = Scenario("calm", "", tuple(drawn.events))
    samples: list[Sample] = []
    end = START_MS + HOUR_MS
    stream = rows(drawn.plan, scenario, number, days, events_from_day=0.0, dt_s=DT_S, nodes=NODES)
    for row in stream:
        ts = int(row.values["ts"])
        while ts >= end:
            yield end, sorted(samples, key=lambda s: s.ts)
            samples, end = [], end + HOUR_MS
        reading = Reading(row.node, ts, int(row.values["q"]), dict(row.values))
        for v in meaning.values(reading):
            signal = signals.get(v.point)
            if signal is None:
                continue
            for quantity, bound in STORED.get(signal.quantity, ((signal.quantity, None),)):
                if quantity == v.quantity:
                    samples.append(Sample(v.ts, v.point, signal.quantity, v.value, v.u, v.q, bound))
    yield end, sorted(samples, key=lambda s: s.ts)


def counted(found: list[Finding], last: dict[tuple[str, str], int]) -> list[str]:
    """Urgent alarms of a time in which nothing happens: each is false; repeats are one."""
    false = []
    for f in found:
        if f.what != RAISED or not kinds.of(f.kind).urgent:
            continue
        before = last.get((f.kind, f.place))
        if before is None or f.ts - before > REPEAT_MS:
            false.append(f"{f.kind} {f.place}")
        last[f.kind, f.place] = f.ts
    return false


def answer(village: Village, now_ms: int) -> None:
    """Somebody went there and found nothing."""
    for alarm in village_alarms.open_alarms(village.conn):
        if now_ms - alarm.stored >= 6 * HOUR_MS:
            with village_store.transaction(village.conn):
                data = {"cause": "nothing_there"}
                village_alarms.step(
                    village.conn, alarm, "closed", now_ms, {}, now_ms, who="rena", data=data
                )


def judge(year: Year, village: Village, leak_ms: int) -> None:
    """Which urgent alarms reached a person before the leak, and when the leak did."""
    rung: dict[int, str] = {}
    for at_s, message in village.mail.got:
        at_ms = START_MS + at_s * 1000
        for event in message.events:
            alarm = event.alarm
            about = f"{alarm.kind} {alarm.place}"
            if alarm.urgent and message.urgent and at_ms <= leak_ms:
                rung[alarm.id] = about
                year.messages += 1
            found = alarm.raised > leak_ms and alarm.kind == "leak" and alarm.place == year.reach
            if found and year.leak_told_h is None:
                year.leak_told_h = round((at_ms - leak_ms) / HOUR_MS, 2)
    year.rung = sorted(rung.values())
    if len(year.rung) > len(year.false):
        year.faults.append(f"{len(year.rung)} rung, the scorer counts {len(year.false)}")
    if year.leak_told_h is None or year.leak_told_h > 24:
        year.faults.append(f"a loss of {LOSS:.0%} was not told within a day")
