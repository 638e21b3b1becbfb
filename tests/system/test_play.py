# SPDX-License-Identifier: MIT
"""Recorded years through broker, intake, store and InfluxDB: every row once, with its own time."""

import csv
import gzip
import json
import sqlite3
import subprocess
import sys
import urllib.request
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from kahriz_sim.errors import ConfigError
from kahriz_sim.play_series import Sensor, Site, read_series
from kahriz_sim.services import free_port, start_influx

pytestmark = pytest.mark.timeout(1500)


def play(*arguments: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "kahriz", "play", "--json", "--page", f"127.0.0.1:{free_port()}",
         *arguments],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def recorded(path: Path) -> dict[int, dict[str, float]]:
    rows: dict[int, dict[str, float]] = {}
    with gzip.open(path, "rt") as file:
        for row in csv.DictReader(file):
            time = datetime.fromisoformat(row["time"]).replace(tzinfo=UTC)
            rows.setdefault(int(time.timestamp() * 1000), {})[row["sensor"]] = float(row["value"])
    return rows


@pytest.mark.needs("influxd", "nginx")
def test_27_months_of_real_inflow_are_stored_once_and_reach_influxdb(
    shared: Path, tmp_path: Path
) -> None:
    folder = shared / "train/dma_real/dma02"
    truth = recorded(folder / "readings.csv.gz")
    found = play("--readings", str(folder / "readings.csv.gz"), "--site", str(folder / "site.json"),
                 "--data", str(tmp_path))  # fmt: skip
    assert found["rows"] == found["stored"] == len(truth)
    with sqlite3.connect(tmp_path / "readings.db") as db:
        times = [ts for (ts,) in db.execute("SELECT ts FROM reading ORDER BY ts")]
    assert times == sorted(truth)
    influx = start_influx(tmp_path)
    try:
        (result,) = influx.query(
            'SELECT count("flow_lps"), mean("flow_lps") FROM "water" WHERE "q" < 4'
        )
        _, count, mean = result["series"][0]["values"][0]
    finally:
        influx.stop()
    assert count == len(truth)
    assert mean == pytest.approx(sum(v["F_IN"] for v in truth.values()) / len(truth), rel=1e-6)


def test_a_loggers_error_value_is_flagged_and_never_charted(shared: Path, tmp_path: Path) -> None:
    folder = shared / "train/lro_faults/TonyGrove2014"
    truth = recorded(folder / "readings.csv.gz")
    arguments = ["--readings", str(folder / "readings.csv.gz"), "--site",
                 str(folder / "site.json"), "--data", str(tmp_path), "--no-influx"]  # fmt: skip
    found = play(*arguments)
    errors = sum(value == -9999 for row in truth.values() for value in row.values())
    assert errors > 0
    assert found["flagged"] == errors
    assert found["interpreted"] == sum(map(len, truth.values())) - errors
    with sqlite3.connect(tmp_path / "village.db") as db:
        stored = dict(db.execute("SELECT ts, value FROM value WHERE point = 'cond'"))
    assert stored == {ts: row["cond"] for ts, row in truth.items() if "cond" in row}

    port = free_port()
    server = subprocess.Popen(
        [sys.executable, "-m", "kahriz", "play", *arguments, "--serve", "--page",
         f"127.0.0.1:{port}"], stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert server.stderr is not None
        for line in server.stderr:
            if "came again" in line:
                assert f"{len(truth)} stored once" in line, "the second time doubled a row"
                break
        url = f"http://127.0.0.1:{port}/history?point=stage&span=year&lang=en"
        with urllib.request.urlopen(url, timeout=60) as reply:
            page = reply.read().decode()
        assert "<svg" in page
        assert "9999" not in page
    finally:
        server.terminate()
        server.wait(30)


def test_a_series_with_a_bad_line_is_refused_by_its_number(tmp_path: Path) -> None:
    site = tmp_path / "site.json"
    site.write_text('{"site":"x","interval_s":60,"sensors":{"a":{"quantity":"level_m"}}}')
    readings = tmp_path / "r.csv"
    readings.write_text("time,sensor,quantity,value\n2024-01-01T00:00,a,level_m,1,5\n")
    done = subprocess.run(
        [sys.executable, "-m", "kahriz", "play", "--readings", str(readings), "--site", str(site)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "line 2" in done.stderr
    assert done.stderr.count("\n") == 1


SITE = Site("x", 60, {"a": Sensor("a", "a", "level_m", "a")})
HEAD = b"time,sensor,quantity,value\n"


def test_a_spreadsheets_byte_order_mark_and_line_ends_do_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    path.write_bytes(
        b"\xef\xbb\xbf" + (HEAD + b"2024-01-01T00:00,a,level_m,1.5\n").replace(b"\n", b"\r\n")
    )
    assert read_series(path, SITE).readings == [(1_704_067_200_000, {"a": 1.5})]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("broken.csv.gz", gzip.compress(HEAD * 9, mtime=0)[:10] + b"\xff" * 40),
        ("long.csv", HEAD + b"x" * 200_000 + b",a,level_m,1\n"),
        ("early.csv", HEAD + b"0001-01-01T00:00,a,level_m,1\n"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_in_words(
    tmp_path: Path, name: str, content: bytes
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=name):
        read_series(path, SITE)
