# SPDX-License-Identifier: MIT
"""Every query of every dashboard runs on a real InfluxDB, filled by the gateway's own output."""

import copy
import math
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from kahriz_gateway.outputs.influx import InfluxOutput, from_plan
from kahriz_gateway.outputs.influx_lines import AlarmMark, NodeHealth, TurnMark
from kahriz_gateway.village.store import Value
from kahriz_server import alerts, dashboards
from kahriz_server.cli import server
from kahriz_server.dashboards import kahriz
from kahriz_server.influxql import QueryDoor
from kahriz_server.panelcheck import (
    PanelResult,
    empty_panels,
    empty_queries,
    expand_and_run,
    firing,
)
from kahriz_server.texts import LANGS, Lang, say
from kahriz_server.watch import store
from kahriz_server.watch.keeper import DATA, Answer
from kahriz_server.watch.readings import AHEAD_MS, ReadingsWatch, newest
from kahriz_sim.services import Influx, start_influx
from kahriz_water.plan import parse_plan
from kahriz_water.site import Influx as InfluxPlan
from scripts.bench_rig import cpu_s

pytestmark = pytest.mark.needs("influxd", "nginx")

STEP_MS = 300_000
HOUR_MS = 3_600_000
T0 = 1764000000000 - 1764000000000 % STEP_MS
DAYS = 3
T1 = T0 + DAYS * 86_400_000
LEAK = T0 + 2 * 86_400_000
SITES = ("banovshalar-gozlu", "baharli-valibay")
WEIRS = {"outlet": 12.0, "middle": 11.4, "inlet": 11.0, "fields": 15.0}
SLOW_S = 5.0  # of the database's processor, for a whole page; a query takes some milliseconds
PATIENCE_S = 120.0  # for a broken program, never for a slow machine


def plan_of(site: str, url: str) -> str:
    names = "{ az = 'a', ru = 'b', en = 'c' }"
    points = "".join(
        f"[[point]]\nid = '{each}'\nname = {names}\nkind = 'level'\n"
        for each in (*WEIRS, "pool", "tank", "meter")
    )
    where = "latitude_deg = 40.1\nlongitude_deg = 46.9\n"
    head = f"[site]\nid = '{site}'\nname = {names}\ndistrict = 'Aghdam'\n{where}"
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


def fill(output: InfluxOutput, silent_ms: int = T1) -> None:
    moments = range(T0, T1, STEP_MS)
    output.write(value for ts in moments for value in values(ts))
    output.write(value for ts in moments[100:110] for value in out_of_range(ts))
    told = [ts for ts in moments[::12] if ts < silent_ms]
    output.write_health(
        NodeHealth(node, ts, figures(ts)) for ts in told for node in (*WEIRS, "pool", "tank")
    )
    own = {"backlog_rows": 3.0, "quarantined_messages": 1.0}
    output.write_health(NodeHealth("gateway", ts, {**own, "heard_ms": float(ts)}) for ts in told)
    raised, over = LEAK + 3_600_000, LEAK + 36_000_000
    first = AlarmMark(1, "leak", "upper", raised, True, 2.0, None, raised, 0.0)
    output.write_alarms([first])
    span_s = (over - raised) / 1000
    output.write_alarms(
        [AlarmMark(1, "leak", "upper", over, False, 2.0, 64.8, raised, span_s, 7200.0)]
    )
    turns = [
        TurnMark(plot, T0 + k * 8 * HOUR_MS, 1, 480.0, 300.0 + k, 9.0, 1.0)
        for k, plot in enumerate(("A1", "B2", "A1", "B2"))
    ]
    withdrawn = TurnMark("C3", T0, 9, 480.0, 999.0, 9.0, 1.0)
    output.write_turns([*turns, withdrawn])
    long_ago = T0 - 60 * 86_400_000
    output.write_alarms(
        [AlarmMark(2, "pool_leak", "pool", long_ago, True, 0.5, None, long_ago, 0.0)]
    )


def figures(ts: int) -> dict[str, float]:
    """Of what was measured 12 wait, 3 of them since before, 2 are lost; nothing is left over."""
    n = (ts - T0) / STEP_MS + 100
    ledger = {"measured_rows": n, "stored_rows": n - 14, "lost_rows": 2, "backlog_rows": 12}
    own = {"battery_v": 3.31, "rssi_dbm": -67, "heap": 90_000, "boot": 3 + (ts > LEAK)}
    return {**own, **ledger, "missing_rows": 3}


@pytest.fixture(scope="module")
def influx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Influx]:
    folder = tmp_path_factory.mktemp("influx")
    running = start_influx(folder)
    for site in SITES:
        output = from_plan(parse_plan(plan_of(site, running.login_url)), folder)
        fill(output, T1 if site == SITES[0] else T1 - 20 * 3_600_000)
        output.close()
    yield running
    running.stop()


def run(influx: Influx, made: dict[str, Any], **chosen: str | list[str]) -> list[PanelResult]:
    return expand_and_run(made, influx.url, (influx.user, influx.password), T0, T1, chosen)


def board(name: str, lang: Lang = "en") -> dict[str, Any]:
    made: dict[str, Any] = dashboards.PAGES[name](lang, kahriz.REACHES)
    return made


@pytest.mark.parametrize("name", dashboards.PAGES)
@pytest.mark.parametrize("lang", LANGS)
def test_every_panel_variable_and_mark_shows_something(
    influx: Influx, lang: Lang, name: str
) -> None:
    before_s = cpu_s(influx.pids[0])
    results = run(influx, board(name, lang))
    assert cpu_s(influx.pids[0]) - before_s < SLOW_S
    assert results or name == "runbook"
    assert [each.error for each in results if each.error] == []
    assert empty_queries(results) == []
    assert empty_panels(results) == []


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


def test_water_per_day_is_the_mean_flow_of_24_hours_the_last_day_too(influx: Influx) -> None:
    results = run(influx, kahriz.build("en"), point=["outlet"])
    day = next(each for each in results if each.title == say("per_day", "en"))
    for _ in range(5):  # integral() has left the last day out now and then
        days = influx.query(day.query)[0]["series"][0]["values"]
        assert len(days) == DAYS + 1
        assert days[1][1] == pytest.approx(12.0 * 86.4, rel=0.02)


@pytest.mark.parametrize(
    ("name", "right", "wrong"),
    [
        ("kahriz", "discharge_lps", "discharge_lsp"),
        ("kahriz", "stage_m", "stage_mm"),
        ("kahriz", "battery_v", "batery_v"),
        ("kahriz", '"place"', "plase"),
        ("kahriz", 'sum("m3")', 'sum("m2")'),
        ("kahriz", '"u_m3"', '"u_m2"'),
        ("kahriz", "leak", "liters"),
        ("fleet", 'last("discharge_lps")', 'last("discharge_lsp")'),
        ("fleet", "heard_ms", "herd_ms"),
        ("fleet", "latitude_deg", "lattitude_deg"),
        ("nodes", 'last("rssi_dbm")', 'last("rsi_dbm")'),
        ("nodes", 'spread("boot")', 'spread("boots")'),
        ("alarms", 'last("repair_s")', 'last("repair_m")'),
        ("alarms", 'last("raised_ms")', 'last("raised")'),
        ("delivery", 'last("stored_rows")', 'last("store_rows")'),
    ],
)
def test_a_misspelt_name_is_found(influx: Influx, name: str, right: str, wrong: str) -> None:
    made = copy.deepcopy(board(name))
    assert right in str(made)
    for panel in made["panels"]:
        for target in panel["targets"]:
            target["query"] = target["query"].replace(right, wrong)
    for mark in made["annotations"]["list"]:
        mark["target"]["query"] = mark["target"]["query"].replace(right, wrong)
    assert empty_queries(run(influx, made))


def test_turns_are_shown_by_day_and_plot_without_the_withdrawn_one(influx: Influx) -> None:
    asked = queries_of(influx, "kahriz", "turns")["A"]
    found = {
        each["tags"]["plot"]: sum(row[1] for row in each["values"])
        for each in influx.query(asked)[0]["series"]
    }
    assert found == {"A1": 300 + 302, "B2": 301 + 303}
    listed = influx.query(queries_of(influx, "kahriz", "turn_list")["A"])[0]["series"][0]
    assert [row[1] for row in listed["values"]] == ["B2", "A1", "B2", "A1"]


def row_of(influx: Influx, query: str, **tags: str) -> dict[str, Any]:
    (row,) = (
        dict(zip(each["columns"], each["values"][-1], strict=True))
        for each in influx.query(query)[0]["series"]
        if tags.items() <= each["tags"].items()
    )
    return row


def queries_of(influx: Influx, name: str, title: str) -> dict[str, str]:
    results = run(influx, board(name))
    return {each.ref: each.query for each in results if each.title == say(title, "en")}


def test_the_fleet_says_flow_change_alarms_and_silence_of_each_kahriz(influx: Influx) -> None:
    asked = queries_of(influx, "fleet", "fleet")
    heard = []
    for site in SITES:
        flow = row_of(influx, asked["A"], site=site)["flow"]
        assert flow == pytest.approx(13.0, abs=0.2)  # `fields`: 15, less the leak of 2
        change = row_of(influx, asked["B"], site=site)["change"]
        assert change == pytest.approx(-13.3, abs=3)
        assert row_of(influx, asked["C"], site=site)["open"] == 1
        heard.append(row_of(influx, asked["D"], site=site)["heard"])
    assert heard[0] - heard[1] == 20 * 3_600_000


def test_an_alarm_that_was_raised_before_the_span_is_still_open(influx: Influx) -> None:
    asked = queries_of(influx, "alarms", "alarms")
    old = row_of(influx, asked["A"], site=SITES[0], alarm="2")
    assert (old["active"], old["raised_ms"]) == (1, T0 - 60 * 86_400_000)
    over = row_of(influx, asked["A"], site=SITES[0], alarm="1")
    assert (over["active"], over["repair_s"], over["m3"]) == (0, 7200, 64.8)
    mean = queries_of(influx, "alarms", "repair_time")["A"]
    assert row_of(influx, mean, kind="leak")["mean"] == 7200


def test_the_ledger_leaves_nothing_unaccounted_for(influx: Influx) -> None:
    asked = queries_of(influx, "delivery", "unaccounted")["A"]
    assert row_of(influx, asked, site=SITES[0], node="outlet")["rows"] == 0


def evaluate(influx: Influx, uid: str, now_ms: int) -> list[dict[str, str]] | str:
    (rule,) = (each for each in alerts.rules() if each["uid"] == uid)
    return firing(rule, influx.url, (influx.user, influx.password), now_ms)


def test_the_dead_man_names_the_silent_gateway_and_no_gateway_at_all_is_an_alert(
    influx: Influx,
) -> None:
    hour_ms = 3_600_000
    assert evaluate(influx, "kahriz-dead-man", T1 - 20 * hour_ms) == []
    assert evaluate(influx, "kahriz-dead-man", T1) == [{"site": SITES[1]}]
    assert evaluate(influx, "kahriz-dead-man", T1 + 30 * 24 * hour_ms) == "Alerting"


def test_the_leak_rule_fires_while_the_leak_is_open(influx: Influx) -> None:
    opened, over = LEAK + 3_600_000, LEAK + 36_000_000
    fired = evaluate(influx, "kahriz-leak", opened + 60_000)
    assert [each["site"] for each in fired if isinstance(each, dict)] == sorted(SITES)
    assert evaluate(influx, "kahriz-leak", over + 60_000) == []
    assert evaluate(influx, "kahriz-leak", LEAK) == "OK"


def test_an_unknown_variable_is_an_error_not_an_empty_panel(influx: Influx) -> None:
    made = copy.deepcopy(board("kahriz"))
    made["panels"][0]["targets"][0]["query"] += " AND ${village:regex}"
    (broken,) = (each for each in run(influx, made) if each.error)
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


def test_the_watch_over_gateways_finds_the_newest_reading_of_each_kahriz(influx: Influx) -> None:
    """What a clock that is ahead has dated is none of them: the question ends with now."""
    door = QueryDoor(influx.url, (influx.user, influx.password), "kahriz")
    newest_ms = T1 - STEP_MS
    assert newest(door, T1) == Answer(dict.fromkeys(SITES, newest_ms))
    back = T0 + HOUR_MS
    assert newest(door, back) == Answer(dict.fromkeys(SITES, back + AHEAD_MS))
    assert newest(door, T1 + 100 * 86_400_000) == Answer({})
    wrong = newest(QueryDoor(influx.url, (influx.user, "wrong"), "kahriz"), T1)
    assert wrong.newest == {}
    assert "401" in str(wrong.error)
    gone = newest(QueryDoor("http://127.0.0.1:1", None, "kahriz"), T1)
    assert "does not answer" in str(gone.error)


def test_what_the_watch_was_told_lies_in_its_store(influx: Influx, tmp_path: Path) -> None:
    class Clock:
        def now_ms(self) -> int:
            return T1

        def trusted(self) -> bool:
            return True

    secret = tmp_path / "secret"
    secret.write_text(influx.password)
    plan = InfluxPlan(influx.url, user=influx.user, password_file=str(secret))
    stop = threading.Event()
    look = ReadingsWatch(tmp_path, plan, Clock())
    thread = threading.Thread(target=look.run, args=(stop,))
    conn = store.open_office(tmp_path)
    thread.start()
    try:
        deadline = time.monotonic() + PATIENCE_S
        while (said := store.get_state(conn, DATA)) is None and time.monotonic() < deadline:
            time.sleep(0.02)
    finally:
        stop.set()
        thread.join(PATIENCE_S)
    assert said == {"ok": True, "since": T1, "says": ""}
    rows = conn.execute("SELECT site, at FROM reading ORDER BY site").fetchall()
    assert [tuple(row) for row in rows] == [(site, T1 - STEP_MS) for site in sorted(SITES)]
    conn.close()
