# SPDX-License-Identifier: MIT
"""What people told to be closed: nothing rings nor is learned, and what outlives it is told."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from kahriz_detect.closure import Closure
from kahriz_detect.engine import Engine
from kahriz_detect.finding import RAISED, Finding, Sample
from kahriz_detect.replay.cli import replay_command
from kahriz_detect.replay.run import text_of

from . import waters

DAY_MS, HOUR_MS = waters.DAY_MS, waters.HOUR_MS
BEGINS = 24.0  # days
PLACES = {"outlet": "here", "upper": "upper", "pool": "pool", "taps": "village"}
HOURS = {"outlet": 20.0, "upper": 20.0, "pool": 30.0, "taps": 12.0}


def _happens(place: str, lasts: bool) -> waters.Trouble:
    """The water of a closure; `lasts` for what is still wrong when it is over."""

    def happens(v: waters.Values, hours: float) -> None:
        shut = hours < HOURS[place]
        if place == "outlet" and shut:  # the gate at the mouth: all below runs dry
            v.update(outlet=0.0, middle=0.0, inlet=0.0, fields=0.0, chamber=0.6)
        elif place == "upper" and (shut or lasts):  # the water is led past the middle, or leaks
            less = 8.0 if shut else 1.3
            v["middle"] -= less
            v["inlet"] -= less
        elif place == "pool" and (shut or lasts):  # emptied by its scour and filled, or cracked
            v["lost"] = (60.0 if hours < 5.0 else 0.0) if shut else 2.0
            if shut:
                v.update(fields=0.0)
        elif place == "taps":
            if shut:
                v["village"] = 0.0
            elif hours < HOURS[place] + 8.0:  # everybody fills what he has
                v["village"] *= 2.2
            elif lasts:
                v["village"] += 1.5

    return waters.Trouble("", happens, BEGINS, 0.0)


def _found(
    place: str, told: bool, lasts: bool = False, step_s: int = 3600, days: float = BEGINS + 5.0
) -> list[tuple[str, str, float]]:
    """Kind, place and hours since it was closed, of a whole site with all its detectors."""
    engine = Engine(waters.site_of(step_s))
    begins = round(BEGINS * DAY_MS)
    closure = Closure(PLACES[place], begins - HOUR_MS, begins + round(HOURS[place] * HOUR_MS))
    found: list[Finding] = []
    for number, sample in enumerate(_samples(place, lasts, step_s, days)):
        if number % 997 == 996:
            kept, engine = engine.dump(), Engine(waters.site_of(step_s))
            engine.load(json.loads(json.dumps(kept)))
        if told:
            engine.closures.tell([closure])
        found += engine.update(sample)
    return [
        (f.kind, f.place, (f.ts - begins) / HOUR_MS)
        for f in found
        if f.what == RAISED and not f.kind.startswith("use:")
    ]


def _samples(place: str, lasts: bool, step_s: int, days: float) -> Iterator[Sample]:
    return waters.samples(waters.water(step_s, days, _happens(place, lasts)))


@pytest.mark.parametrize("place", PLACES)
def test_a_closure_that_was_told_is_silent_and_so_is_the_water_that_returns(place: str) -> None:
    assert _found(place, told=True) == []


@pytest.mark.parametrize("place", ["outlet", "upper", "pool"])
def test_the_same_that_nobody_told_is_not(place: str) -> None:
    assert _found(place, told=False) != []


@pytest.mark.parametrize(
    ("place", "kind", "hours"),
    [("upper", "leak", 12.0), ("pool", "pool_leak", 48.0), ("taps", "leak", 96.0)],
)
def test_what_outlives_the_closure_is_told_soon_after_it(
    place: str, kind: str, hours: float
) -> None:
    told = _found(place, told=True, lasts=True)
    assert [(k, p) for k, p, _ in told] == [(kind, PLACES[place])]
    assert HOURS[place] < told[0][2] < HOURS[place] + hours


NAME = 'name = { az = "-", ru = "-", en = "-" }'
PLAN = "\n".join(
    [f'[site]\nid = "here"\n{NAME}\ndistrict = "-"']
    + [f'[[point]]\nid = "{p}"\nkind = "flow"\n{NAME}\ndt_s = 600' for p in ("up", "down")]
    + [f'[[reach]]\nid = "canal"\n{NAME}\nfrom = "up"\nto = "down"\nlength_m = 300']
    + [f'[[offtake]]\nid = "hatch"\n{NAME}\nreach = "canal"']
)


def _replayed(folder: Path, closures: str | None) -> tuple[int, str]:
    """`kahriz replay` over a turn of six hours through a hatch without a meter."""
    (folder / "site.toml").write_text(PLAN, encoding="utf-8")
    rng = random.Random(2)
    with (folder / "readings.csv").open("w", encoding="utf-8") as handle:
        handle.write("time,sensor,quantity,value\n")
        for i in range(9 * 144):
            taken = 3.0 if 7 * 144 <= i < 7 * 144 + 36 else 0.0
            for point, lps in (("up", 12.0), ("down", 11.8 - taken)):
                value = lps * rng.gauss(1.0, 0.005)
                handle.write(f"{text_of(i * 600_000)},{point},flow_lps,{value:.3f}\n")
    words = ["--site", "site.toml", "--readings", "readings.csv", "--alarms", "alarms.csv"]
    if closures is not None:
        (folder / "closures.json").write_text(closures, encoding="utf-8")
        words += ["--closures", "closures.json"]
    paths = [w if "." not in w else str(folder / w) for w in words]
    done = CliRunner().invoke(replay_command, paths)
    return done.exit_code, done.output


def test_a_replay_knows_the_closures_that_the_village_knew(tmp_path: Path) -> None:
    assert not _replayed(tmp_path, None)[1].startswith("0 alarms")
    first, last = 7 * DAY_MS - HOUR_MS, 7 * DAY_MS + 6 * HOUR_MS
    known = {"id": 1, "place": "hatch", "from_ms": first, "to_ms": last, "who": "ali", "why": "-"}
    assert _replayed(tmp_path, json.dumps([known]))[1].startswith("0 alarms")


@pytest.mark.parametrize("text", ["", "{}x", "[1]", '[{"place": "hatch"}]', '{"a": 1}'])
def test_closures_that_cannot_be_read_are_refused_in_a_line(tmp_path: Path, text: str) -> None:
    code, said = _replayed(tmp_path, text)
    assert code == 1
    assert "kahriz alarm maintenance list --all --json" in said
    assert said.count("\n") == 1


def test_the_state_of_a_version_that_knew_no_closures_is_read_and_goes_on() -> None:
    stream = list(_samples("upper", True, 3600, BEGINS + 2.0))
    cut = round(0.8 * len(stream))
    whole, then = Engine(waters.site_of(3600)), Engine(waters.site_of(3600))
    told = [f for s in stream[:cut] for f in whole.update(s)]
    state = json.loads(json.dumps(whole.dump()))
    detectors = state["detectors"]
    detectors["validity"].pop()
    for key in ("fed", "tops"):
        del detectors["balance:upper"][key]
    detectors["source:outlet"]["last"] = detectors["source:outlet"]["last"][0]
    del detectors["use:village"]["outage"]
    state["joint"]["explained"].pop()
    then.load(state)
    rest = [f for s in stream[cut:] for f in whole.update(s)]
    assert [f for s in stream[cut:] for f in then.update(s)] == rest
    assert ("leak", "upper") in {(f.kind, f.place) for f in (*told, *rest) if f.what == RAISED}
