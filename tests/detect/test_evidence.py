# SPDX-License-Identifier: MIT
"""A chart shows what the alarm rests on: the two flows, the residual, its limit, the moment."""

from __future__ import annotations

import gzip
import json
import random
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from click.testing import CliRunner

from kahriz_detect.charts.chart import Evidence
from kahriz_detect.charts.evidence import DAY_MS, HOUR_MS, evidence_of
from kahriz_detect.finding import Finding
from kahriz_detect.replay.cli import replay_command
from kahriz_detect.replay.run import text_of
from kahriz_detect.site import Reach, Signal, Site, Source, Zone

SVG = "{http://www.w3.org/2000/svg}"
SITE = Site(
    "x",
    (
        Signal("up", "up", "flow_lps"),
        Signal("down", "down", "flow_lps"),
        Signal("deep", "deep", "level_m"),
    ),
    (Reach("upper", "up", "down", travel_s=1800),),
    sources=(Source("gallery", "up", "deep", None, "down"),),
    zones=(Zone("village", "village", ("down",)),),
)
NOW = 60 * DAY_MS
LEAK_SINCE = NOW - 3 * HOUR_MS


def _series(key: str, after: int, upto: int) -> list[tuple[int, float]]:
    """A leak of 2 L/s for three hours; the use has its days."""
    found = []
    for t in range(after + 600_000, upto + 1, 600_000):
        lost = 2.0 if key == "down" and t > LEAK_SINCE else 0.0
        found.append((t, {"up": 12.0, "down": 11.5, "deep": 0.3}[key] - lost))
    return found


def _evidence(kind: str, place: str, **evidence: float) -> Evidence:
    finding = Finding("raised", kind, place, NOW, 2.0, 0.3, 1.0, {**evidence})
    return evidence_of(SITE, finding, _series)


def test_a_leak_shows_both_flows_the_residual_and_its_limit() -> None:
    chart = _evidence("leak", "upper", since_ms=float(LEAK_SINCE), balance_u_lps=0.4)
    flows, lost = chart.panels
    assert [line.label for line in flows.lines] == ["up", "down"]
    assert lost.limits == (0.4,)
    assert [v for t, v in lost.lines[0].points if t <= LEAK_SINCE] == pytest.approx(
        [0.0] * len([t for t, _ in lost.lines[0].points if t <= LEAK_SINCE])
    )
    assert lost.lines[0].points[-1][1] == pytest.approx(2.0)
    assert (chart.since_ms, chart.at_ms) == (LEAK_SINCE, NOW)


@pytest.mark.parametrize(
    ("kind", "place", "units", "more"),
    [
        ("fouled_weir", "up", ["L/s", "L/s"], {}),
        ("collapse", "gallery", ["L/s", "m"], {"before_lps": 12.0, "chamber_before_m": 0.4}),
        ("blockage", "upper", ["L/s", "m"], {"chamber_expected_m": 0.2}),
        ("decline", "gallery", ["L/s"], {"fall_pct": 8.0}),
        ("leak", "village", ["L/s", "L/s"], {"days": 1.0, "scatters": 5.0}),
        ("sensor_fault:offset", "down", ["L/s", "%"], {"scatter_pct": 0.5}),
        ("sensor_fault:stuck", "deep", ["m"], {}),
        ("silent_node", "nowhere", ["L/s", "m"], {}),
    ],
)
def test_every_verdict_has_its_own_panels(
    kind: str, place: str, units: list[str], more: dict[str, float]
) -> None:
    chart = _evidence(kind, place, **more)
    assert [p.unit for p in chart.panels] == units
    assert all(line.points for p in chart.panels for line in p.lines)
    if "sensor" not in kind and more:
        assert any(p.limits for p in chart.panels)


def test_nothing_after_the_moment_is_drawn() -> None:
    chart = _evidence("leak", "upper")
    assert max(t for p in chart.panels for line in p.lines for t, _ in line.points) <= NOW


def test_names_of_places_are_the_readers() -> None:
    finding = Finding("raised", "leak", "upper", NOW)
    chart = evidence_of(SITE, finding, _series, names={"up": "Kəhrizin ağzı"})
    assert [line.label for line in chart.panels[0].lines] == ["Kəhrizin ağzı", "down"]


def test_a_replay_draws_a_chart_of_each_alarm(tmp_path: Path) -> None:
    site = {"site": "any", "conveyance": "full pipe", "places": {"low": "between A and B"}}
    site |= {"sensors": {"A": {"quantity": "flow_lps"}, "B": {"quantity": "flow_lps"}}}
    (tmp_path / "site.json").write_text(json.dumps(site))
    noise = random.Random(1)
    with gzip.open(tmp_path / "r.csv.gz", "wt") as handle:
        handle.write("time,sensor,quantity,value,received\n")
        for i in range(1, 8 * 144):
            ts = 1_600_000_200_000 // 600_000 * 600_000 + i * 600_000
            for key, flow in (("A", 12.0), ("B", 11.5 - 2.0 * (i > 6 * 144))):
                late = text_of(ts + (3_600_000 if key == "B" else 0))
                value = flow + noise.gauss(0.0, 0.05)
                handle.write(f"{text_of(ts)},{key},flow_lps,{value:.3f},{late}\n")
    options = ["--site", "site.json", "--readings", "r.csv.gz", "--alarms", "a.csv"]
    paths = [str(tmp_path / o) if "." in o else o for o in options]
    charts = tmp_path / "charts"
    result = CliRunner().invoke(replay_command, [*paths, "--explain", "--charts", str(charts)])
    assert result.exit_code == 0, result.output
    (chart,) = charts.glob("*.svg")
    assert chart.name == "001-leak-low.svg"
    assert f"chart: {chart}" in result.output
    assert chart.stat().st_size <= 60_000
    lines = list(ET.fromstring(chart.read_text(encoding="utf-8")).iter(f"{SVG}polyline"))
    assert len(lines) == 3
