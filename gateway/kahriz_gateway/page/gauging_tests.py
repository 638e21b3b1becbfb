# SPDX-License-Identifier: MIT
"""Gauging with the phone: a bucket, a pool that fills, salt past a conductivity probe."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from kahriz_gateway.page import api_alarms, forms, stores
from kahriz_gateway.page.gate import Asked, Gate
from kahriz_gateway.page.view import STORAGE
from kahriz_gateway.page.words import mark
from kahriz_gateway.records import store as records_store
from kahriz_gateway.records.gauging import device_beside
from kahriz_gateway.village import store as village_store
from kahriz_water.calibration import APART
from kahriz_water.gauging import RUNS, SPREAD, Gauging, read_runs
from kahriz_water.pool import area_m2
from kahriz_water.site import Plan, Point
from kahriz_water.strict import ConfigError

ANYONE = ("committee", "crew", "technician")
MOST_RUNS = 6
PATHS = {"bucket": "/tests/gauging", "pool": "/tests/filling", "salt": "/tests/salt"}
TITLES = {
    "bucket": mark("Measure with a bucket"),
    "pool": mark("Measure with a pool"),
    "salt": mark("Measure with salt"),
}
HOURS_OF_WAVE = 12

Raw = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Reminder:
    """A point that was gauged at one flow: another one is wanted, and whether it runs now."""

    point: Point
    below_lps: float
    above_lps: float
    now: bool


def reminders(conn: sqlite3.Connection, plan: Plan, now_ms: int) -> list[Reminder]:
    """Where the second water level is still to be gauged."""
    found = []
    for point in plan.points:
        if point.structure is None:
            continue
        if records_store.calibration_of(conn, point.id, now_ms).calibrated:
            continue
        flows = [g.lps() for g in records_store.gaugings(conn, point.id) if not g.complaints()]
        if not flows:
            continue
        below, above = (1 - APART) * max(flows), min(flows) / (1 - APART)
        lps, _ = device_beside(conn, point, now_ms)
        fit = lps is not None and (lps <= below or lps >= above)
        found.append(Reminder(point, below, above, fit))
    return found


class GaugingTests:
    """The three ways of gauging; each result is a dated record of the point."""

    def __init__(self, plan: Plan, gate: Gate, data_dir: Path) -> None:
        self._plan, self._gate, self._data_dir = plan, gate, data_dir

    def routes(self) -> list[Route]:
        """All behind the gate."""
        readers: dict[str, Callable[[Asked], Raw]] = {
            "bucket": self._bucket,
            "pool": self._pool,
            "salt": self._salt,
        }
        return [
            route
            for method, path in PATHS.items()
            for route in self._gate.form(
                path,
                lambda asked, m=method: self._ask(asked, m),  # type: ignore[misc]
                lambda asked, m=method: self._keep(asked, m, readers[m]),  # type: ignore[misc]
                *ANYONE,
            )
        ]

    def _ask(self, asked: Asked, method: str, wrong: str = "") -> Response:
        with stores.village(self._data_dir) as conn:
            probes = [
                p for p in self._plan.points if "us_cm" in village_store.quantities_of(conn, p.id)
            ]
            due = reminders(conn, self._plan, asked.now_ms)
        context: dict[str, object] = {
            "method": method,
            "path": PATHS[method],
            "title": TITLES[method],
            "points": [p for p in self._plan.points if p.kind == "weir"],
            "pools": [p for p in self._plan.points if p.kind in STORAGE and p.level_volume],
            "probes": probes,
            "reminders": due,
            "runs": MOST_RUNS,
            "least": RUNS,
        }
        return self._html(asked, f"test_{method}.html", context, wrong)

    def _keep(self, asked: Asked, method: str, raw_of: Callable[[Asked], Raw]) -> Response:
        words, now_ms = asked.words, asked.now_ms
        point = self._plan.point(asked.fields.get("point", ""))
        if point is None or point.kind != "weir":
            return self._ask(asked, method, words.text("Choose the place."))
        try:
            raw = raw_of(asked)
            runs = read_runs(method, raw, "run")
        except forms.FormError as error:
            return self._ask(asked, method, str(error))
        except ConfigError:
            text = words.text("A run is not possible: look at its numbers.")
            return self._ask(asked, method, text)
        with api_alarms.writer(self._data_dir) as conn:
            device_lps, stage_m = device_beside(conn, point, now_ms)
            kept = Gauging(
                point.id, now_ms, method, runs, asked.session.person, stage_m, device_lps
            )
            if kept.spread() > SPREAD:
                share = words.format.number(100 * kept.spread(), 0)
                apart = words.text("The runs are %(share)s %% apart, at most 5 %%.", share=share)
                return self._ask(asked, method, apart)
            with village_store.transaction(conn):
                records_store.put_gaugings(conn, [(kept, json.dumps(raw, sort_keys=True))])
            due = [r for r in reminders(conn, self._plan, now_ms) if r.point == point]
        self._write(asked, kept)
        context: dict[str, object] = {"kept": kept, "point": point, "reminders": due}
        return self._html(asked, "test_gauged.html", context | {"title": TITLES[method]}, "")

    @staticmethod
    def _write(asked: Asked, kept: Gauging) -> None:
        error = kept.device_error()
        body: dict[str, object] = {
            "place": kept.point,
            "method": kept.method,
            "lps": round(kept.lps(), 3),
            "u_lps": round(kept.u_lps(), 3),
            "device_error": None if error is None else round(error, 4),
            "complaints": kept.complaints(),
        }
        asked.write("gauging", body)

    def _bucket(self, asked: Asked) -> Raw:
        found = [
            {"litres": litres, "seconds": seconds}
            for litres, seconds in _pairs(asked, "litres", "seconds")
        ]
        text = asked.words.text("At least three runs: litres and seconds of each.")
        return _enough(found, text)

    def _pool(self, asked: Asked) -> Raw:
        pool = self._plan.point(asked.fields.get("pool", ""))
        if pool is None or not pool.level_volume:
            raise forms.FormError(asked.words.text("Choose the pool."))
        level = forms.number(asked.fields.get("level", ""))
        if level is None:
            raise forms.FormError(asked.words.text("The level of the pool, in metres."))
        area = area_m2(level, pool.level_volume)
        found = [
            {"area_m2": area, "rise_m": rise / 100, "seconds": 60 * minutes}
            for rise, minutes in _pairs(asked, "rise", "minutes")
        ]
        text = asked.words.text("At least three runs: centimetres and minutes of each.")
        return _enough(found, text)

    def _salt(self, asked: Asked) -> Raw:
        """The waves as the probe of a node has stored them."""
        words, form = asked.words, asked.fields
        probe = self._plan.point(form.get("probe", ""))
        factor = forms.number(form.get("factor", ""))
        if probe is None:
            raise forms.FormError(words.text("Choose the probe."))
        if factor is None:
            raise forms.FormError(words.text("The factor of this water is a number, such as 0,5."))
        found = []
        with stores.village(self._data_dir) as conn:
            for i in range(MOST_RUNS):
                grams = forms.number(form.get(f"grams{i}", ""))
                start, end = (forms.moment(form.get(f"{key}{i}", "")) for key in ("from", "until"))
                if grams is None or start is None or end is None:
                    continue
                if not 0 < end - start <= HOURS_OF_WAVE * 3_600_000:
                    text = words.text("Run %(n)s: the end after the start.", n=i + 1)
                    raise forms.FormError(text)
                values = village_store.values_between(conn, probe.id, "us_cm", start - 1, end)
                series = [[(v.ts - start) / 1000.0, v.value] for v in values if v.q < 4]
                if len(series) < 9:
                    text = words.text(
                        "Run %(n)s: the probe has %(count)s readings in that time, at least 9.",
                        n=i + 1,
                        count=len(series),
                    )
                    raise forms.FormError(text)
                found.append({"grams": grams, "factor": factor / 1000, "series": series})
        text = words.text("At least three runs: grams, from and until of each.")
        return _enough(found, text)

    def _html(self, asked: Asked, name: str, context: dict[str, object], wrong: str) -> Response:
        full = {**context, "wrong": wrong, "session": asked.session, "filled": asked.fields}
        body = self._gate.templates.render(name, asked.words, asked.request, full)
        return HTMLResponse(body, 400 if wrong else 200)


def _pairs(asked: Asked, first: str, second: str) -> list[tuple[float, float]]:
    return [
        (a, b)
        for i in range(MOST_RUNS)
        if (a := forms.number(asked.fields.get(f"{first}{i}", ""))) is not None
        and (b := forms.number(asked.fields.get(f"{second}{i}", ""))) is not None
    ]


def _enough(found: Raw, text: str) -> Raw:
    if len(found) < RUNS:
        raise forms.FormError(text)
    return found
