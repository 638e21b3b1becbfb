# SPDX-License-Identifier: MIT
"""Twelve simulated kahrizes through the raw chain, written as a set that the scorer can judge.

Every reading is a distance and an air temperature as a node would send them, interpreted by the
gateway's own code with its records: a rating that is a little wrong, a zero that is knocked out,
leaves in the notch, sun on a thermometer, an offtake that nobody told of. What is drawn is drawn
from the number of the site alone; no detector is asked.
"""

from __future__ import annotations

import csv
import gzip
import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from kahriz_gateway.records.records import parse_records
from kahriz_sim.plan import SitePlan, load_plan
from kahriz_sim.scenario import (
    Blockage,
    Collapse,
    Drought,
    Event,
    Fouled,
    Leak,
    Scenario,
    SensorFault,
    Storm,
    Tapping,
)
from kahriz_sim.series import START_MS, rows
from kahriz_water.interpret import Reading, interpret
from kahriz_water.plan import parse_plan

BASE = "banovshalar-gozlu"
WEIRS = ("outlet", "middle", "inlet")
SITES, DAYS, DT_S = 12, 100.0, 600
QUIET_H = 14 * 24.0  # nothing is judged before that
HOUR_MS = 3_600_000
KEPT = {"discharge_lps", "discharge_lt_lps", "discharge_gt_lps", "level_m"}
NEVER_H = 1e9


@dataclass(frozen=True)
class Told:
    """A line of events.csv; hours from the first reading."""

    kind: str
    place: str
    at_h: float
    to_h: float
    size: float
    unit: str = "L/s"
    growth: str = "abrupt"
    peak_h: float | None = None
    counted: int = 1


@dataclass
class Drawn:
    """One site: what is true, what happens, what the gateway wrongly believes."""

    plan: SitePlan
    events: list[Event]
    told: list[Told]
    knocks: list[tuple[str, float, float, float]]  # node, from h, to h, mm
    angle_deg: dict[str, float]


def make_sites(folder: Path) -> Path:
    """Write the set (site.toml, readings.csv.gz, events.csv for each) into a folder."""
    for number in range(1, SITES + 1):
        site = folder / f"raw{number:02}"
        drawn = draw(number)
        if not (site / "events.csv").is_file():
            site.mkdir(parents=True, exist_ok=True)
            text = site_text(drawn)
            (site / "site.toml").write_text(text, encoding="utf-8")
            _write_readings(site / "readings.csv.gz", drawn, number, text)
        _write_events(site / "events.csv", drawn.told)
    return folder


def draw(number: int) -> Drawn:
    """A kahriz of its own size, and a season of trouble."""
    rng = random.Random(7_000 + number)
    base = load_plan(BASE)
    lps = rng.uniform(7.0, 26.0)
    reaches = {}
    for name in ("upper", "lower"):
        length = rng.uniform(400.0, 1800.0)
        speed = rng.uniform(1.4, 2.6)  # seconds a metre: the gateway guesses 2
        reaches[name] = replace(
            getattr(base, name), length_m=length, travel_s=length * speed, usual_lps=lps
        )
    nodes = tuple(
        replace(n, sun_c=n.sun_c * rng.uniform(0.3, 2.0)) if n.device == "ultrasonic" else n
        for n in base.nodes
    )
    turns = tuple(replace(t, lps=min(t.lps, 1.8 * lps)) for t in base.turns)
    plan = replace(
        base,
        gallery=replace(base.gallery, base_lps=lps),
        upper=reaches["upper"],
        lower=reaches["lower"],
        nodes=nodes,
        turns=turns,
    )
    angle = {w: 90.0 + rng.gauss(0.0, 1.0) for w in WEIRS}
    drawn = Drawn(plan, [], [], [], angle)
    _unknown_offtake(rng, drawn, lps)
    _trouble(rng, drawn, lps)
    return drawn


def _unknown_offtake(rng: random.Random, drawn: Drawn, lps: float) -> None:
    """A garden that has always drawn at its hours: it is no news."""
    if rng.random() < 0.5:
        from_hour, hours = rng.uniform(5.0, 18.0), rng.uniform(1.0, 3.0)
        drawn.events.append(
            Tapping(
                at_h=-NEVER_H / 2,
                to_h=NEVER_H,
                reach=rng.choice(("upper", "lower")),
                lps=0.06 * lps,
                from_hour=from_hour,
                hours=hours,
            )
        )


def _trouble(rng: random.Random, drawn: Drawn, lps: float) -> None:
    """Eight kinds in a drawn order, each with days of calm behind it; storms in between."""
    kinds = ["burst", "joint", "tapping", "blockage", "collapse", "leaf", "knock", "stuck"]
    rng.shuffle(kinds)
    at_h = QUIET_H + rng.uniform(0.0, 48.0)
    for kind in kinds:
        to_h = at_h + rng.uniform(3.0, 7.0) * 24.0
        if to_h > DAYS * 24.0 - 24.0:
            break
        _happens(kind, rng, drawn, lps, at_h, to_h)
        at_h = to_h + rng.uniform(2.5, 5.0) * 24.0
    if rng.random() < 0.25:
        drawn.events.append(Drought(at_h=0.0, per_month=0.06))
        for month_h in (0.0, 720.0, 1440.0, 2160.0):  # true, though slower than must be found
            to_h = min(month_h + 720.0, DAYS * 24.0)
            size = (6.0, "% of flow", "linear", to_h)
            drawn.told.append(Told("decline", "outlet", month_h, to_h, *size, counted=0))
    for _ in range(2):
        storm_h = rng.uniform(24.0, DAYS * 24.0)
        drawn.events.append(Storm(at_h=storm_h, peak=0.3, rise_h=6.0, fall_h=40.0))


def _happens(
    kind: str, rng: random.Random, drawn: Drawn, lps: float, at_h: float, to_h: float
) -> None:
    reach = rng.choice(("upper", "lower"))
    point = rng.choice(WEIRS)
    size = lps * rng.uniform(0.08, 0.25)
    events, told = drawn.events, drawn.told
    if kind == "burst":
        events.append(Leak(at_h=at_h, to_h=to_h, reach=reach, lps=size))
        told.append(Told("leak", reach, at_h, to_h, size))
    elif kind == "joint":
        grow_h = rng.uniform(48.0, 120.0)
        to_h = max(to_h, at_h + grow_h + 24.0)
        events.append(Leak(at_h=at_h, to_h=to_h, reach=reach, lps=size, grow_h=grow_h))
        told.append(Told("leak", reach, at_h, to_h, size, "L/s", "linear", at_h + grow_h))
    elif kind == "tapping":
        start = max(at_h, float(int(at_h / 24.0) * 24 + 22))  # two at night in Baku
        events.append(
            Tapping(at_h=at_h, to_h=to_h, reach=reach, lps=1.5 * size, from_hour=2.0, hours=4.0)
        )
        told.append(Told("tapping", reach, start, to_h, 1.5 * size))
    elif kind == "blockage":
        opening = rng.uniform(0.5, 0.75)
        events.append(Blockage(at_h=at_h, to_h=to_h, opening=opening))
        told.append(Told("blockage", "outlet", at_h, to_h, 100 * (1 - opening), "% of flow"))
    elif kind == "collapse":
        kept = rng.uniform(0.3, 0.7)
        events.append(Collapse(at_h=at_h, to_h=to_h, kept=kept))
        told.append(Told("collapse", "outlet", at_h, to_h, 100 * (1 - kept), "% of flow"))
    elif kind == "leaf":
        mm = rng.uniform(8.0, 14.0)
        events.append(Fouled(at_h=at_h, to_h=to_h, point=point, first_mm=2.0, last_mm=mm))
        told.append(Told("sensor_fault:fouled_weir", point, at_h, to_h, mm, "mm", "linear", to_h))
    elif kind == "knock":
        mm = rng.choice((-1.0, 1.0)) * rng.uniform(8.0, 15.0)
        drawn.knocks.append((point, at_h, to_h, mm))
        told.append(Told("sensor_fault:offset", point, at_h, to_h, abs(mm), "mm"))
    else:
        events.append(SensorFault(at_h=at_h, to_h=to_h, node=point, fault="stuck"))
        told.append(Told("sensor_fault:stuck", point, at_h, to_h, 0.0, "mm"))


def site_text(drawn: Drawn) -> str:
    """The gateway's plan: its lengths are right, its notches are a little wrong."""
    name = 'name = { az = "-", ru = "-", en = "-" }'
    lines = ["[site]", 'id = "raw"', name, 'district = "-"']
    for point in (*WEIRS, "fields"):
        angle = drawn.angle_deg.get(point, 90.0)
        lines += ["", "[[point]]", f'id = "{point}"', name, 'kind = "weir"', f"dt_s = {DT_S}"]
        lines += [f'structure = {{ kind = "v_notch", angle_deg = {angle:.2f} }}']
    area = drawn.plan.pool.area_m2
    lines += ["", "[[point]]", 'id = "pool"', name, 'kind = "pool"', f"dt_s = {DT_S}"]
    lines += [f"level_volume = [[0.0, 0.0], [3.0, {3.0 * area:.1f}]]", "spill_m = 2.5"]
    for ident, up, down, length in (
        ("upper", "outlet", "middle", drawn.plan.upper.length_m),
        ("lower", "middle", "inlet", drawn.plan.lower.length_m),
        ("fill", "inlet", "pool", 5.0),
        ("turn", "pool", "fields", 5.0),
    ):
        lines += ["", "[[reach]]", f'id = "{ident}"', name, f'from = "{up}"', f'to = "{down}"']
        lines += [f"length_m = {length:.0f}"]
    return "\n".join(lines) + "\n"


def _values(drawn: Drawn, number: int, text: str) -> Iterator[tuple[int, str, str, float, int]]:
    plan = parse_plan(text)
    records = Path(__file__).parents[1] / "firmware/kahriz_sim/sites" / BASE / "records.toml"
    deployments = parse_records(_without_tank(records.read_text(encoding="utf-8")), plan)
    scenario = Scenario("trouble", "", tuple(drawn.events))
    stream = rows(
        drawn.plan,
        scenario,
        number,
        DAYS,
        events_from_day=0.0,
        dt_s=DT_S,
        nodes=(*WEIRS, "fields", "pool"),
    )
    for row in stream:
        ts = int(row.values["ts"])
        body = dict(row.values)
        hour = (ts - START_MS) / HOUR_MS
        for node, from_h, to_h, mm in drawn.knocks:
            read = body.get("weir_distance_m")
            if node == row.node and from_h <= hour < to_h and isinstance(read, float):
                body["weir_distance_m"] = read + mm / 1000.0
        for v in interpret(Reading(row.node, ts, int(body["q"]), body), deployments, plan):
            if v.quantity in KEPT:
                yield ts, v.point, v.quantity, v.value, v.q


def _without_tank(records: str) -> str:
    """The tank is not part of these sites."""
    parts = records.split("[[")
    return "[[".join(p for p in parts if 'point = "tank"' not in p)


def _write_readings(path: Path, drawn: Drawn, number: int, text: str) -> None:
    with gzip.open(path, "wt", newline="", encoding="utf-8", compresslevel=1) as handle:
        writer = csv.writer(handle, lineterminator="\n")
        writer.writerow(["time", "sensor", "quantity", "value", "q"])
        for ts, point, quantity, value, q in _values(drawn, number, text):
            writer.writerow([_time(ts), point, quantity, f"{value:.4g}", q])


def _write_events(path: Path, told: list[Told]) -> None:
    with path.open("w", newline="", encoding="utf-8") as handle:
        writer = csv.writer(handle, lineterminator="\n")
        writer.writerow(
            [
                "event",
                "kind",
                "place",
                "start",
                "end",
                "peak",
                "size",
                "size_unit",
                "growth",
                "counted",
            ]
        )
        for number, t in enumerate(sorted(told, key=lambda t: t.at_h), start=1):
            times = (t.at_h, t.to_h, t.at_h if t.peak_h is None else t.peak_h)
            moments = [_time(START_MS + int(h * HOUR_MS)) for h in times]
            size = f"{t.size:.3f}"
            writer.writerow(
                [f"e{number}", t.kind, t.place, *moments, size, t.unit, t.growth, t.counted]
            )


def _time(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M")
