# SPDX-License-Identifier: MIT
"""A replay never looks ahead, forgets nothing over a restart, and takes rows as they came."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Iterator
from operator import attrgetter
from pathlib import Path

import pytest
from click.testing import CliRunner

from kahriz_detect.engine import Engine
from kahriz_detect.finding import Finding, Sample
from kahriz_detect.parts import split
from kahriz_detect.replay.cli import replay_command
from kahriz_detect.replay.run import Replay, Table, arrivals
from kahriz_detect.replay.site_json import parse_site

from . import waters

STEP_MS = 600_000
DAY = 144
SITE = json.dumps(
    {
        "site": "any",
        "interval_s": 600,
        "conveyance": "full pipe",
        "conveyance_length_m": 2000,
        "sensors": {
            "A": {"quantity": "flow_lps", "at": "kahriz outlet"},
            "B": {"quantity": "flow_lps", "at": "middle of the pipe"},
            "C": {"quantity": "flow_lps", "at": "reservoir inlet"},
        },
        "places": {"source": "above A", "up": "between A and B", "low": "between B and C"},
    }
)


def _rows(days: float, leak_from: float = 1e9, lps: float = 2.5) -> Iterator[tuple[int, Sample]]:
    """Three meters of a pipe; a leak between B and C from a day on."""
    rng = random.Random(5)
    for i in range(1, int(days * DAY)):
        source = 12.0 + 0.2 * rng.gauss(0, 1)
        lost = lps if i >= leak_from * DAY else 0.0
        for sensor, flow in (("A", source), ("B", source - 0.2), ("C", source - 0.5 - lost)):
            value = flow + 0.05 * rng.gauss(0, 1)
            yield i * STEP_MS, Sample(i * STEP_MS, sensor, "flow_lps", value)


def _found(
    rows: Iterator[tuple[int, Sample]] | list[tuple[int, Sample]],
) -> list[tuple[int, Finding]]:
    return list(Replay(parse_site(SITE)).run(rows))


@pytest.fixture(scope="module")
def rows() -> list[tuple[int, Sample]]:
    return list(_rows(14, leak_from=10.0))


def test_a_leak_is_raised_on_its_reach(rows: list[tuple[int, Sample]]) -> None:
    found = [(t, f) for t, f in _found(rows) if f.what == "raised"]
    assert [(f.kind, f.place) for _, f in found] == [("leak", "low")]
    assert 10 * DAY * STEP_MS < found[0][0] <= 11 * DAY * STEP_MS


def test_any_prefix_tells_the_same_up_to_its_end(rows: list[tuple[int, Sample]]) -> None:
    whole = _found(rows)
    for steps in (3 * DAY, 10 * DAY + 3, 10 * DAY + 9, 10 * DAY + 40, 12 * DAY):
        prefix = rows[: 3 * steps]
        assert _found(prefix) == [(t, f) for t, f in whole if t <= prefix[-1][0]]


def test_state_kept_and_read_in_the_middle_changes_nothing(rows: list[tuple[int, Sample]]) -> None:
    site = parse_site(SITE)
    whole, broken = Engine(site), Engine(site)
    told, told_broken = [], []
    for number, (_, sample) in enumerate(rows):
        if number % 501 == 0:
            kept = json.loads(json.dumps(broken.dump()))
            broken = Engine(site)
            broken.load(kept)
        told += whole.update(sample)
        told_broken += broken.update(sample)
    assert told_broken == told
    assert told


def test_rows_that_came_in_batches_are_judged_when_they_came(
    rows: list[tuple[int, Sample]],
) -> None:
    """Uploads of an hour, each sensor at its own minute: the same findings, later."""
    minute = {"A": 1, "B": 7, "C": 13}
    late = []
    for ts, sample in rows:
        came = -(-ts // 3_600_000) * 3_600_000 + minute[sample.point] * 60_000
        late.append((came, sample))
    at_once, in_batches = _found(rows), _found(list(arrivals(late)))
    raised = [(f.kind, f.place) for _, f in in_batches if f.what == "raised"]
    assert raised == [(f.kind, f.place) for _, f in at_once if f.what == "raised"]
    known = {id(s): came for came, s in late}
    first, first_late = at_once[0], in_batches[0]
    assert first_late[1].ts == first[1].ts
    assert first[0] < first_late[0] <= first[0] + 2 * 3_600_000
    assert known


def test_what_comes_weeks_late_raises_nothing_anew(rows: list[tuple[int, Sample]]) -> None:
    late = [(t, s) for t, s in rows if s.point != "B" or not 2 * DAY < t // STEP_MS < 3 * DAY]
    back = [(rows[-1][0], s) for t, s in rows if (t, s) not in late]
    expected = [(f.kind, f.place) for _, f in _found(late) if f.what == "raised"]
    found = _found(list(arrivals([*late, *back])))
    assert [(f.kind, f.place) for _, f in found if f.what == "raised"] == expected
    assert back


def _torn(trouble: waters.Trouble, seed: int) -> list[Sample]:
    """A trouble, and what happens to readings: single ones lost or flagged, an hour, a day."""
    rng, begin = random.Random(seed), trouble.day * DAY * STEP_MS
    found = []
    for sample in waters.samples(waters.water(trouble.step_s, trouble.days, trouble)):
        hours = (sample.ts - begin) / 3_600_000
        if rng.random() < 0.02 or 8 < hours < 9 or (sample.point == "outlet" and 12 < hours < 34):
            continue
        q = 3 if rng.random() < 0.005 else 1
        bound = "lt" if rng.random() < 0.005 else None
        found.append(sample._replace(q=q, bound=bound))
    return found


@pytest.mark.parametrize(
    "name", ["balance", "leap", "planned", "pool", "source", "storm", "validity"]
)
def test_the_quick_way_of_a_file_finds_what_the_village_finds_reading_by_reading(name: str) -> None:
    """At once, behind a watermark, and each reading alone: one list of findings."""
    site, torn = waters.site_of(), _torn(waters.TROUBLES[name], 3)
    at_once = list(Replay(site).run((s.ts, s) for s in torn))
    behind = [f for _, f in Replay(site).run((s.ts + 1, s) for s in torn)]
    engines = [Engine(part) for part in split(site)]
    alone = []
    for sample in torn:
        for engine in engines:
            alone += engine.update(sample) + engine.advance(sample.ts - 1)
    alone += [f for engine in engines for f in engine.advance(torn[-1].ts)]
    last = max(f.ts for f in behind)
    assert {f.kind for f in behind if f.what == "raised" and not f.kind.startswith("use:")}
    key = attrgetter("ts", "what", "kind", "place")
    assert sorted(behind, key=key) == sorted((f for _, f in at_once if f.ts <= last), key=key)
    assert sorted(alone, key=key) == sorted((f for _, f in at_once), key=key)


def test_the_order_of_rows_at_one_moment_does_not_matter(rows: list[tuple[int, Sample]]) -> None:
    backwards = [row for i in range(0, len(rows), 3) for row in reversed(rows[i : i + 3])]
    assert _found(backwards) == _found(rows)


def test_what_no_water_joins_is_judged_apart() -> None:
    data = json.loads(SITE)
    data["sensors"]["X"] = {"quantity": "turbidity_ntu"}
    parts = split(parse_site(json.dumps(data)))
    assert [[s.key for s in p.signals] for p in parts] == [["A", "B", "C"], ["X"]]


def test_a_probe_in_the_water_is_judged_with_the_flow_at_the_mouth() -> None:
    """Storm water is both at once: a part that had only one of them could never tell it."""
    data = json.loads(SITE)
    data["sensors"]["X"] = {"quantity": "temperature_c"}
    parts = split(parse_site(json.dumps(data)))
    assert [[s.key for s in p.signals] for p in parts] == [["A", "B", "C", "X"]]


def test_the_command_writes_the_table_and_says_why(
    tmp_path: Path, rows: list[tuple[int, Sample]]
) -> None:
    (tmp_path / "site.json").write_text(SITE)
    with gzip.open(tmp_path / "r.csv.gz", "wt") as handle:
        handle.write("time,sensor,quantity,value\n")
        for ts, s in rows:
            day, minute = divmod(ts // 60_000, 1440)
            time = f"2021-01-{day + 1:02}T{minute // 60:02}:{minute % 60:02}"
            handle.write(f"{time},{s.point},{s.quantity},{s.value:.3f}\n")
    options = ["--site", "site.json", "--readings", "r.csv.gz", "--alarms", "a.csv"]
    paths = [str(tmp_path / o) if "." in o else o for o in options]
    result = CliRunner().invoke(replay_command, [*paths, "--explain"])
    assert result.exit_code == 0, result.output
    lines = (tmp_path / "a.csv").read_text().splitlines()
    assert lines[0] == "start,end,kind,place"
    assert len(lines) == 2
    assert lines[1].endswith(",leak,low")
    assert "size" in result.output
    table = Table()
    for moment, finding in _found(rows):
        table.told(moment, finding)
    assert table.lines()[0][0][8:] == f"{int(lines[1][8:10]):02}" + lines[1][10:19]


@pytest.mark.parametrize(
    ("site", "readings", "word"),
    [
        ("{", "time,sensor,quantity,value\n", "expected JSON"),
        (SITE, "when,what\n", "expected a first line time,sensor,quantity,value"),
        (SITE, "time,sensor,quantity,value\n2021-01-01,A,flow_lps,wet\n", "line 2"),
        (
            SITE,
            "time,sensor,quantity,value\n2021-01-02,A,flow_lps,1\n2021-01-01,A,flow_lps,1\n",
            "sort them",
        ),
    ],
)
def test_files_that_cannot_be_used_get_one_line_with_the_mend(
    tmp_path: Path, site: str, readings: str, word: str
) -> None:
    (tmp_path / "site.json").write_text(site)
    (tmp_path / "r.csv").write_text(readings)
    options = ["--site", "site.json", "--readings", "r.csv", "--alarms", "a.csv"]
    paths = [str(tmp_path / o) if "." in o else o for o in options]
    result = CliRunner().invoke(replay_command, paths)
    assert result.exit_code == 1
    assert word in result.output
    assert result.output.count("\n") == 1
