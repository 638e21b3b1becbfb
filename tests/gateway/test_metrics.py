# SPDX-License-Identifier: MIT
"""/metrics as a Prometheus server would read it; ledger and page tell the same."""

from __future__ import annotations

import contextlib
import json
import re
import socket
import threading
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from kahriz_gateway import metrics, notify_sign
from kahriz_gateway.cli import gateway as command
from kahriz_gateway.page import nodes, stores
from kahriz_gateway.village import store as village_store
from kahriz_gateway.village.changes import put_changed
from kahriz_gateway.village.page import PageThread
from kahriz_water.plan import Plan, parse_plan
from kahriz_water.site import Page, Ups

from .conftest import NOW_MS, PATIENCE_S, SITE_TOML, Gateway, TestClock, rows, wait_for

LINE = re.compile(r'([a-z_]+)(?:\{([a-z]+)="([^"]*)"\})? (-?[0-9.e+-]+)')


@pytest.fixture
def plan() -> Plan:
    return parse_plan(SITE_TOML.read_text(encoding="utf-8"))


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Path]:
    """Two nodes, one with a hole of 6 and one message that nobody can read."""
    gateway = Gateway(tmp_path / "readings.db")
    gateway.hello(1, 25, battery_v=3.91)
    gateway.up(rows(1, 12))
    gateway.up(rows(19, 24))
    gateway.tell("up/9f3a01c2", b"garbage", "middle")
    with contextlib.closing(village_store.open_village(tmp_path / "village.db")) as conn:
        put_changed(conn, [("outlet", 1)])
        village_store.set_cursor(conn, "village", 18)
        village_store.set_cursor(conn, "influx", 0)
        village_store.set_cursor(conn, "influx:alarm", 0)
        conn.execute(
            "INSERT INTO alarm(kind, place, state, raised, stored, evidence)"
            " VALUES('leak', 'upper', 'raised', 1, 1, '{}')"
        )
        yield tmp_path


def read(text: str) -> dict[tuple[str, str], float]:
    found = {}
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        match = LINE.fullmatch(line)
        assert match is not None, line
        found[match[1], match[3] or ""] = float(match[4])
    return found


def test_every_gauge_is_described_and_well_formed(data: Path, plan: Plan) -> None:
    text = metrics.text(plan, data, TestClock())
    found = read(text)
    assert text.endswith("\n")
    for name in {name for name, _ in found}:
        assert f"# HELP {name} {metrics.HELP[name]}" in text
        assert text.count(f"# TYPE {name} gauge") == 1


def test_the_numbers_are_those_of_the_stores(data: Path, plan: Plan) -> None:
    found = read(metrics.text(plan, data, TestClock(NOW_MS + 90_000)))
    assert found["kahriz_missing_rows", "outlet"] == 6
    assert found["kahriz_node_backlog_rows", "outlet"] == 24
    assert found["kahriz_node_battery_volts", "outlet"] == 3.91
    assert found["kahriz_node_heard_seconds", "outlet"] == 90
    assert found["kahriz_quarantine_messages", ""] == 1
    assert found["kahriz_alarms_open", "leak"] == 1
    assert found["kahriz_output_behind", "influx"] == 1
    assert ("kahriz_output_behind", "village") not in found
    assert ("kahriz_output_behind", "influx:alarm") not in found
    assert found["kahriz_rows_revision", ""] == 18
    assert found["kahriz_clock_trusted", ""] == 1


def test_what_is_not_known_is_left_out(tmp_path: Path, plan: Plan) -> None:
    found = read(metrics.text(plan, tmp_path, TestClock()))
    assert ("kahriz_intake_running", "") not in found
    assert ("kahriz_rows_revision", "") not in found
    notify_sign.write(tmp_path, "intake", {"state": "online", "trouble": "full"})
    gpio = tmp_path / "gpio"
    gpio.write_text("0")
    powered = replace(plan, ups=Ups(str(gpio)))
    with contextlib.closing(village_store.open_village(tmp_path / "village.db")):
        found = read(metrics.text(powered, tmp_path, TestClock(trusted=False)))
    assert found["kahriz_receipts_stopped", ""] == 1
    assert found["kahriz_intake_running", ""] == 0
    assert found["kahriz_on_mains", ""] == 0
    assert found["kahriz_clock_trusted", ""] == 0
    assert ("kahriz_battery_hours_left", "") not in found


def test_the_page_serves_them(data: Path, plan: Plan) -> None:
    stop = threading.Event()
    page = PageThread(replace(plan, page=Page("127.0.0.1", 0)), data, TestClock())
    thread = threading.Thread(target=page.run, args=(stop,))
    thread.start()
    try:
        host, port = wait_for(lambda: page.address, "the page has its address")
        wait_for(lambda: _listens(host, port), "the page is up")
        with urllib.request.urlopen(f"http://{host}:{port}/metrics", timeout=PATIENCE_S) as answer:
            assert answer.headers["content-type"] == metrics.CONTENT_TYPE
            assert read(answer.read().decode())["kahriz_missing_rows", "outlet"] == 6
    finally:
        stop.set()
        thread.join(PATIENCE_S)


def _listens(host: str, port: int) -> bool:
    with socket.socket() as sock:
        return sock.connect_ex((host, port)) == 0


def test_the_ledger_and_the_page_tell_the_same_missing_readings(data: Path, plan: Plan) -> None:
    """One counts the rows anew, the other reads the gaps on record."""
    gateway = Gateway(data / "readings.db")
    gateway.tell("hello", b'{"s":"0000000a","journal":"bbbb0002","first":4,"next":11}', "middle")
    said = CliRunner().invoke(command, ["ledger", "--data", str(data), "--json"])
    assert said.exit_code == 0
    told = {
        (gap["node"], gap["journal"], gap["a"], gap["b"], gap["since_ms"])
        for journal in json.loads(said.output)
        for gap in journal["missing"]
    }
    with stores.readings(data) as conn:
        shown = nodes.missing(conn, plan, NOW_MS)
    assert {(g.node, g.journal, g.a, g.b, g.since_ms) for g in shown.gaps} == told
    assert told == {
        ("outlet", "9f3a01c2", 13, 18, NOW_MS),
        ("middle", "bbbb0002", 4, 10, NOW_MS),
    }
    closed = {
        (journal["node"], reason, count)
        for journal in json.loads(said.output)
        for reason, count in journal["closed"]
    }
    assert {(each.node, each.reason, each.b - each.a + 1) for each in shown.lost} == closed
