# SPDX-License-Identifier: MIT
"""Every query of every dashboard runs on a real InfluxDB, filled by the gateway's own output."""

import copy
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from kahriz_gateway.outputs.influx import InfluxOutput, from_plan
from kahriz_gateway.outputs.influx_lines import AlarmMark, NodeHealth
from kahriz_gateway.village_store import Value
from kahriz_server.cli import server
from kahriz_server.dashboards import kahriz
from kahriz_server.panelcheck import (
    PanelResult,
    empty_panels,
    empty_queries,
    expand_and_run,
)
from kahriz_server.texts import LANGS, Lang, say
from kahriz_sim.services import Influx, start_influx
from kahriz_water.plan import parse_plan

pytestmark = pytest.mark.needs("influxd", "nginx")

STEP_MS = 300_000
T0 = 1764000000000 - 1764000000000 % STEP_MS
DAYS = 3
T1 = T0 + DAYS * 86_400_000
LEAK = T0 + 2 * 86_400_000
SITES = ("banovshalar-gozlu", "baharli-valibay")
WEIRS = {"outlet": 12.0, "middle": 11.4, "inlet": 11.0, "fields": 15.0}
SLOW_S = 5.0  # for one query on a loaded machine; an idle one takes some milliseconds


def plan_of(site: str, url: str) -> str:
    names = "{ az = 'a', ru = 'b', en = 'c' }"
    points = "".join(
        f"[[point]]\nid = '{each}'\nname = {names}\nkind = 'level'\n"
        for each in (*WEIRS, "pool", "tank", "meter")
    )
    head = f"[site]\nid = '{site}'\nname = {names}\ndistrict = 'Aghdam'\n"
    return f"{head}{points}[influx]\nurl = '{url}'\n"


def values(ts: int) -> Iterator[Value]:
    """One moment of a kahriz: a day's wave, and a leak of 2 L/s in the upper reach."""
    wave = math.sin(ts / 86_400_000 * 2 * math.pi)
    for point, mean_lps in WEIRS.items():
        lps = mean_lps + 0.2 * wave - (2.0 if ts >= LEAK and point != "outlet" else 0.0)
        yield Value(point, "stage_m", ts, (lps / 1380) ** 0.4, None, 1)
        yield Value(point, "discharge_lps", ts, lps, 0.03 * lps, 1)
        yield Value(point, "c", ts, 20 + 8 * wave, None, 1)
    for point, level_m in (("pool", 1.8), ("tank", 2.1)):
        yield Value(point, "level_m", ts, level_m + 0.3 * wave, None, 1)
        yield Value(point, "volume_m3", ts, 290 * (level_m + 0.3 * wave), None, 1)
    yield Value("meter", "flow_lps", ts, 3.0 + wave, None, 1)
    yield Value("meter", "us_cm", ts, 640.0 + 20 * wave, None, 1)


def out_of_range(ts: int) -> Iterator[Value]:
    yield Value("inlet", "discharge_lt_lps", ts, 0.9, None, 3)
    yield Value("fields", "discharge_gt_lps", ts, 41.0, None, 3)


def fill(output: InfluxOutput) -> None:
    moments = range(T0, T1, STEP_MS)
    output.write(value for ts in moments for value in values(ts))
    output.write(value for ts in moments[100:110] for value in out_of_range(ts))
    figures = {"battery_v": 3.31, "rssi_dbm": -67, "missing_rows": 0, "backlog_rows": 12}
    output.write_health(
        NodeHealth(node, ts, figures) for ts in moments[::12] for node in (*WEIRS, "pool", "tank")
    )
    output.write_alarms([AlarmMark(1, "leak", "upper", LEAK + 3_600_000, True, 2.0)])
    output.write_alarms([AlarmMark(1, "leak", "upper", LEAK + 36_000_000, False, 2.0, 64.8)])


@pytest.fixture(scope="module")
def influx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Influx]:
    folder = tmp_path_factory.mktemp("influx")
    running = start_influx(folder)
    for site in SITES:
        output = from_plan(parse_plan(plan_of(site, running.login_url)), folder)
        fill(output)
        output.close()
    yield running
    running.stop()


def run(influx: Influx, board: dict[str, Any], **chosen: str | list[str]) -> list[PanelResult]:
    return expand_and_run(board, influx.url, (influx.user, influx.password), T0, T1, chosen)


@pytest.mark.parametrize("lang", LANGS)
def test_every_panel_variable_and_mark_shows_something(influx: Influx, lang: Lang) -> None:
    results = run(influx, kahriz.build(lang))
    assert [each.error for each in results if each.error] == []
    assert empty_queries(results) == []
    assert empty_panels(results) == []
    assert max(each.seconds for each in results) < SLOW_S


def test_the_variables_offer_the_sites_and_the_points(influx: Influx) -> None:
    results = run(influx, kahriz.build("en"), site=SITES[0])
    offered = {each.title: set(each.names) for each in results if each.kind == "variable"}
    assert offered["site"] == set(SITES)
    assert offered["point"] == {*WEIRS, "pool", "tank", "meter"}


def test_each_panel_has_the_series_one_expects(influx: Influx) -> None:
    results = run(influx, kahriz.build("en"), site=SITES[1])
    count = {(each.title, each.ref): each.series for each in results if each.kind == "panel"}
    assert count[say("discharge_now", "en"), "A"] == len(WEIRS)
    assert count[say("discharge", "en"), "A"] == len(WEIRS)
    assert count[say("level", "en"), "A"] == 2
    assert count[say("loss", "en"), "A"] == 1
    assert count[say("last_word", "en"), "A"] == len(WEIRS) + 2


def test_points_are_chosen_by_the_variable(influx: Influx) -> None:
    results = run(influx, kahriz.build("en"), point=["outlet", "inlet"])
    stage = next(each for each in results if each.title == say("stage", "en"))
    assert stage.series == 2


def test_the_loss_panel_shows_the_leak_in_its_reach(influx: Influx) -> None:
    results = run(influx, kahriz.build("en"), site=SITES[0])
    upper, lower = (each for each in results if each.title == say("loss", "en"))
    losses = [row[1] for row in influx.query(upper.query)[0]["series"][0]["values"]]
    assert losses[0] == pytest.approx(0.6)
    assert losses[-1] == pytest.approx(2.6)
    steady = [row[1] for row in influx.query(lower.query)[0]["series"][0]["values"]]
    assert steady[-1] == pytest.approx(0.4)


def test_the_leak_is_a_mark_with_its_place(influx: Influx) -> None:
    (mark,) = (each for each in run(influx, kahriz.build("az")) if each.kind == "annotation")
    series = influx.query(mark.query)[0]["series"][0]
    assert series["columns"] == ["time", "kind", "place", "lps"]
    assert series["values"] == [[LEAK + 3_600_000, "leak", "upper", 2]]


def test_water_per_day_is_the_integral_of_the_discharge(influx: Influx) -> None:
    results = run(influx, kahriz.build("en"), point=["outlet"])
    day = next(each for each in results if each.title == say("per_day", "en"))
    whole = influx.query(day.query)[0]["series"][0]["values"][1][1]
    assert whole == pytest.approx(12.0 * 86.4, rel=0.02)


@pytest.mark.parametrize("wrong", ["discharge_lsp", "stage_mm", "batery_v", "plase", "liters"])
def test_a_misspelt_name_is_found(influx: Influx, wrong: str) -> None:
    right = {
        "discharge_lsp": "discharge_lps",
        "stage_mm": "stage_m",
        "batery_v": "battery_v",
        "plase": '"place"',
        "liters": "leak",
    }[wrong]
    board = copy.deepcopy(kahriz.build("en"))
    for panel in board["panels"]:
        for target in panel["targets"]:
            target["query"] = target["query"].replace(right, wrong)
    for mark in board["annotations"]["list"]:
        mark["target"]["query"] = mark["target"]["query"].replace(right, wrong)
    results = run(influx, board)
    assert empty_queries(results)


def test_an_unknown_variable_is_an_error_not_an_empty_panel(influx: Influx) -> None:
    board = copy.deepcopy(kahriz.build("en"))
    board["panels"][0]["targets"][0]["query"] += " AND ${village:regex}"
    (broken,) = (each for each in run(influx, board) if each.error)
    assert broken.error == "not replaced: ${village:regex}"


def test_the_command_tells_which_panels_are_filled(influx: Influx, tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text(f"{influx.password}\n")
    common = ["panels", "--url", influx.url, "--user", influx.user, "--until-ms", str(T1)]
    good = CliRunner().invoke(server, [*common, "--password-file", str(secret)])
    assert good.exit_code == 0, good.output
    assert say("loss", "en") in good.output
    secret.write_text("wrong")
    bad = CliRunner().invoke(server, [*common, "--password-file", str(secret)])
    assert bad.exit_code == 1
    assert "401" in bad.output
