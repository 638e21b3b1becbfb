# SPDX-License-Identifier: MIT
"""The whole chain: six node programs, a broker, the gateway, and water that leaks."""

import json
import os
import signal
import sqlite3
import struct
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kahriz_server.dashboards import kahriz
from kahriz_server.panelcheck import empty_panels, expand_and_run
from kahriz_server.texts import LANGS, say
from kahriz_sim import kept
from kahriz_sim.services import free_port, start_influx

from .conftest import SPEED, Demo, children_of

pytestmark = [pytest.mark.timeout(1500)]
SIX_HOURS = ["--duration", str(6 * 3600 / SPEED), "--leak-after", str(3600 / SPEED)]
Start = Callable[..., Demo]
KILLS_MOST = 40  # the moment between the gateway's commit and the node's mark is a few milliseconds


def assert_nothing_lost(found: dict[str, Any]) -> None:
    assert found["measured"] > 6 * 288, "less than a day of six nodes was measured"
    assert found["missing"] == 0
    assert found["duplicates"] == 0
    assert found["stored"] + found["pending"] + found["cut_short"] == found["measured"]
    assert found["stored"] >= 0.99 * found["measured"]


def assert_one_leak(found: dict[str, Any], reach: str, lps: float) -> None:
    leaks = [alarm for alarm in found["alarms"] if alarm["kind"] == "leak"]
    assert len(leaks) == 1, found["alarms"]
    alarm = leaks[0]
    assert (alarm["kind"], alarm["place"]) == ("leak", reach)
    assert alarm["lps"] == pytest.approx(lps, rel=0.3)
    assert 0 < alarm["raised_after_s"] <= 5 * 3600


def stored(demo: Demo, what: str = "count(*)", where: str = "1") -> int:
    """A number from the gateway's store; 0 while there is none or intake is just making it."""
    sql = f"SELECT {what} FROM reading WHERE {where}"  # noqa: S608 - our own words
    rows = kept.ask(demo.data / "readings.db", sql)
    return int(rows[0][0] or 0) if rows else 0


def kill_a_node_before_it_wrote_its_receipt_down(demo: Demo, node: str) -> None:
    """Again and again, as soon as rows of it arrive, until one of its rows came twice."""
    for _ in range(KILLS_MOST):
        mine = f"node = '{node}'"
        pid = demo.child(f"--node {node}")  # now: the moment would be over by then
        before = stored(demo, where=mine)
        demo.wait_for(lambda n=before, w=mine: stored(demo, where=w) > n, every_s=0.001)
        os.kill(pid, signal.SIGKILL)
        again = stored(demo, where=mine)
        demo.wait_for(lambda n=again, w=mine: stored(demo, where=w) > n)
        if stored(demo, "sum(times - 1)", mine):
            return


def assert_every_panel_shows_something(data: Path) -> None:
    """Each query of the dashboards, as Grafana would send it, on the database this run filled."""
    (now_ms,) = struct.unpack("<q", (data / "clock").read_bytes())
    influx = start_influx(data)
    try:
        for lang in LANGS:
            results = expand_and_run(
                kahriz.build(lang),
                influx.url,
                (influx.user, influx.password),
                now_ms - 7 * 86_400_000,
                now_ms,
                {"site": "banovshalar-gozlu"},
            )
            assert [each for each in results if each.error] == []
            nothing_measures_it = say("conductivity", lang)
            assert [t for t in empty_panels(results) if nothing_measures_it not in t] == []
            assert any(r.kind == "annotation" and r.non_null for r in results), "the leak's mark"
    finally:
        influx.stop()


def get_json(url: str) -> dict[str, Any]:
    with urllib.request.urlopen(url, timeout=60) as reply:
        found: dict[str, Any] = json.load(reply)
        return found


@pytest.mark.needs("mosquitto", "influxd", "nginx")
def test_a_leak_on_the_upper_reach_is_found_through_mosquitto_up_to_grafana(
    start_demo: Start,
) -> None:
    demo = start_demo(*SIX_HOURS, "--broker", "mosquitto", "--seed", "11")
    found = demo.result()
    assert_nothing_lost(found)
    assert_one_leak(found, "upper", 2.0)
    assert len(found["alarms"]) == 1, "something else rang beside the leak"
    assert_every_panel_shows_something(demo.data)


def test_a_leak_on_the_lower_reach_is_found_while_everything_is_killed(start_demo: Start) -> None:
    """kill -9 of broker, intake, village and a node, one after the other, in mid-demo."""
    demo = start_demo(
        *SIX_HOURS, "--broker", "nats", "--seed", "5", "--reach", "lower", "--leak-lps", "3",
        "--site", "baharli-valibay",
    )  # fmt: skip
    history = 6 * 7 * 288
    demo.wait_for(lambda: stored(demo) >= 1000)
    demo.kill9("nats-server")
    demo.wait_for(lambda: stored(demo) >= 3000)
    demo.kill9("intake.service")
    demo.wait_for(lambda: stored(demo) >= 5000)
    kill_a_node_before_it_wrote_its_receipt_down(demo, "middle")
    demo.wait_for(lambda: stored(demo) >= history)
    demo.kill9("gateway village")
    demo.wait_for(lambda: stored(demo) >= history + 150)
    demo.kill9("intake.service")
    found = demo.result()
    told = (demo.data.parent / "stderr.txt").read_text()
    for service in ("broker", "intake", "village"):
        assert f"{service} died and is started again" in told
    assert_nothing_lost(found)
    assert found["redelivered"] > 0, "nothing came twice although everything was killed"
    assert_one_leak(found, "lower", 3.0)


@pytest.mark.parametrize(("scenario", "hours"), [("calm", 12), ("fouled_weir", 30)])
def test_hours_without_a_loss_ring_no_leak(start_demo: Start, scenario: str, hours: int) -> None:
    demo = start_demo("--scenario", scenario, "--duration", str(hours), "--speed", "3600",
                      "--history-days", "4", "--seed", "3")  # fmt: skip
    found = demo.result()
    assert_nothing_lost(found)
    assert [a for a in found["alarms"] if a["kind"] == "leak"] == []
    if scenario == "calm":
        assert found["alarms"] == []


def test_what_is_deleted_or_added_behind_the_gateway_is_counted(start_demo: Start) -> None:
    demo = start_demo("--scenario", "calm", "--history-days", "0.5", "--duration", "2")
    before = demo.result()
    assert_nothing_lost_short(before)
    with sqlite3.connect(demo.data / "readings.db") as db:
        columns = "node, journal, ts, tq, up_s, boot, q, received, times, body"
        db.execute(
            f"INSERT INTO reading(n, {columns}) "  # noqa: S608 - column names of our own
            f"SELECT n + 100000, {columns} FROM reading WHERE node = 'pool' ORDER BY n LIMIT 2"
        )
    assert audit(demo.data)["duplicates"] == 2
    with sqlite3.connect(demo.data / "readings.db") as db:
        db.execute("DELETE FROM reading WHERE n > 100000")
        db.execute(
            "DELETE FROM reading WHERE rev IN "
            "(SELECT rev FROM reading WHERE node = 'outlet' ORDER BY n LIMIT 3)"
        )
    after = audit(demo.data)
    assert (after["missing"], after["duplicates"]) == (3, 0)


def assert_nothing_lost_short(found: dict[str, Any]) -> None:
    assert found["measured"] > 0
    assert (found["missing"], found["duplicates"]) == (0, 0)


def audit(data: Path) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "kahriz", "demo", "--audit", "--json", "--data", str(data)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_ctrl_c_leaves_no_process_and_the_next_run_goes_on(start_demo: Start) -> None:
    first = start_demo("--scenario", "calm", "--history-days", "0.5")
    first.wait_for(lambda: page_is_up(first))
    state = get_json(f"http://{first.page}/api/now")
    assert state, "the page knows nothing"
    first.wait_for(lambda: len(children_of(first.process.pid)) >= 10)
    running = subprocess.run(
        [sys.executable, "-m", "kahriz", "demo", "--audit", "--data", str(first.data)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (running.returncode, running.stdout) == (1, "")
    assert "a run is still going on" in running.stderr
    family = children_of(first.process.pid)  # broker, gateway, intake, village, six nodes
    first.process.send_signal(signal.SIGINT)
    out, _ = first.process.communicate(timeout=300)
    one = json.loads(out.strip().splitlines()[-1])
    assert_nothing_lost_short(one)
    assert [pid for pid in family if Path(f"/proc/{pid}").exists() and not is_zombie(pid)] == []

    second = start_demo("--scenario", "calm", "--history-days", "0.5", "--duration", "5")
    two = second.result()
    assert_nothing_lost_short(two)
    assert two["measured"] > one["measured"]
    assert two["stored"] > one["stored"]


def is_zombie(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def page_is_up(demo: Demo) -> bool:
    try:
        get_json(f"http://{demo.page}/api/now")
    except OSError:
        return False
    return True


def test_a_taken_port_is_one_clear_line(tmp_path: Path) -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = subprocess.run(
            [sys.executable, "-m", "kahriz", "demo", "--no-browser", "--duration", "1",
             "--page", f"127.0.0.1:{port}", "--data", str(tmp_path / "d")],
            capture_output=True, text=True, check=False, timeout=300,
        )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert f"port {port} for the page cannot be used" in done.stderr


def test_a_folder_that_cannot_be_written_is_one_clear_line(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    done = subprocess.run(
        [sys.executable, "-m", "kahriz", "demo", "--no-browser", "--duration", "1",
         "--page", f"127.0.0.1:{free_port()}", "--data", str(blocked / "d")],
        capture_output=True, text=True, check=False, timeout=300, env={**os.environ},
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "cannot write" in done.stderr
