# SPDX-License-Identifier: MIT
"""Storm water at the mouth: both signs together, and nothing else, is a storm."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from random import Random

import pytest

from kahriz_detect.engine import Engine
from kahriz_detect.finding import Finding, Sample
from kahriz_detect.frame import Frame
from kahriz_detect.parts import split
from kahriz_detect.site_plan import site_of
from kahriz_detect.source.storm import Storm
from kahriz_water.plan import parse_plan

STEP_MS, DAY = 600_000, 144
PLAN = parse_plan("""
[site]
id = "here"
name = { az = "a", ru = "b", en = "c" }
district = "x"
timezone = "Asia/Baku"

[[point]]
id = "outlet"
name = { az = "a", ru = "b", en = "c" }
kind = "flow"
node = "outlet"

[[point]]
id = "salt"
name = { az = "a", ru = "b", en = "c" }
kind = "conductivity"
node = "outlet"
""")


def water(
    days: float, seed: int = 1, salt: float = 0.0, flow: float = 0.0, from_day: float = 10.0
) -> Iterator[tuple[Sample, ...]]:
    """Ten-minute readings; from a day on a wave of so large a share that fades in two days."""
    chance = Random(seed)
    for i in range(round(days * DAY)):
        day = i / DAY
        wave = 0.0 if day < from_day else min(1.0, (day - from_day) * 6) * math.exp(from_day - day)
        season = 1 + 0.1 * math.sin(2 * math.pi * day / 365)
        lps = 12 * season * (1 + flow * wave) * chance.gauss(1, 0.01)
        us_cm = 900 / season * (1 + salt * wave) * chance.gauss(1, 0.004)
        ts = (i + 1) * STEP_MS
        yield (
            Sample(ts, "outlet", "discharge_lps", lps),
            Sample(ts, "salt", "conductivity_us_cm", us_cm),
        )


def storms(stream: Iterator[tuple[Sample, ...]], restart: bool = False) -> list[Finding]:
    """Through the engine of the part that has both."""
    (part,) = split(site_of(PLAN))
    engine = Engine(part)
    found: list[Finding] = []
    for number, samples in enumerate(stream):
        for sample in samples:
            found += engine.update(sample)
        if restart and number % DAY == 0:
            kept, engine = json.dumps(engine.dump()), Engine(part)
            engine.load(json.loads(kept))
    return [f for f in found if f.kind == "storm"]


def test_a_storm_is_told_within_hours_and_ends_when_the_water_is_as_before() -> None:
    began, ended = storms(water(30, salt=-0.3, flow=0.5))
    assert (began.what, began.place, ended.what) == ("raised", "outlet", "cleared")
    hours = began.ts / 3_600_000 - 240
    assert 0 < hours < 4
    assert 3 < (ended.ts - began.ts) / 86_400_000 < 9


def test_a_restart_every_day_changes_nothing() -> None:
    assert storms(water(20, salt=-0.3, flow=0.5), restart=True) == storms(
        water(20, salt=-0.3, flow=0.5)
    )


@pytest.mark.parametrize(("salt", "flow"), [(-0.3, 0.0), (0.0, 0.6), (0.3, -0.4)])
def test_one_sign_alone_is_no_storm(salt: float, flow: float) -> None:
    assert storms(water(25, salt=salt, flow=flow)) == []


def test_a_calm_year_of_both_has_none() -> None:
    assert storms(water(365)) == []


def test_what_never_goes_back_ends_as_the_new_normal() -> None:
    storm = Storm("outlet", "outlet", "salt", "conductivity_us_cm")
    found: list[Finding] = []
    for samples in water(60):
        flow, salt = (s.value for s in samples)
        wet = samples[0].ts > 10 * DAY * STEP_MS
        values = {"outlet": flow * (1.5 if wet else 1), "salt": salt * (0.7 if wet else 1)}
        number = samples[0].ts // STEP_MS
        found += storm.step(Frame(number, samples[0].ts, values))
    assert [f.what for f in found] == ["raised", "cleared"]
    assert found[1].evidence == {"explained_by": "lasts"}


def test_gaps_neither_raise_nor_clear() -> None:
    dark = [s for n, s in enumerate(water(40, salt=-0.3, flow=0.5)) if not 11 < n / DAY < 14]
    assert [f.what for f in storms(iter(dark))] == ["raised", "cleared"]
    cut = [s for n, s in enumerate(water(40, salt=-0.3, flow=0.5)) if n / DAY < 11]
    assert [f.what for f in storms(iter(cut))] == ["raised"]


def test_a_trace_that_cannot_be_meant_is_refused() -> None:
    with pytest.raises(ValueError, match="trace"):
        Storm("a", "a", "a", "flow_lps")
