# SPDX-License-Identifier: MIT
"""A village whose disk is full: its page goes on, what waited is stored when there is room."""

from __future__ import annotations

import contextlib
import json
import resource
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from kahriz_gateway import notify_sign
from kahriz_gateway.village import store as village_store

from .conftest import PATIENCE_S, SITE_TOML, Gateway, rows, wait_for


def test_a_full_disk_stops_the_villages_values_and_not_its_page(
    tmp_path: Path, clock_file: Path
) -> None:
    """The kernel refuses the village's writes until there is room again; nothing is left out."""
    data = tmp_path / "data"
    gateway = Gateway(data / "readings.db")
    gateway.hello(1, 25)
    gateway.up(rows(1, 12))
    log = tmp_path / "log"
    argv = [sys.executable, "-m", "kahriz", "gateway", "village", "--config", str(SITE_TOML),
            "--data", str(data), "--broker", "127.0.0.1:1", "--page", "127.0.0.1:0",
            "--clock-file", str(clock_file)]  # fmt: skip
    with contextlib.closing(village_store.open_village(data / "village.db")) as conn:
        conn.execute(
            "INSERT INTO deployment(node, channel, point, from_ms, zero_m)"
            " VALUES('outlet', 'weir', 'outlet', 0, 0.8)"
        )

        def values() -> int:
            return int(conn.execute("SELECT count(DISTINCT ts) FROM value").fetchone()[0])

        with log.open("wb") as out:
            child = subprocess.Popen(argv, stdout=out, stderr=out)
        try:
            wait_for(lambda: values() == 12, "the first rows are interpreted")
            page = wait_for(lambda: _address(log), "the page has its address")
            wait_for(lambda: _answers(page), "the page answers")
            size = max(p.stat().st_size for p in data.glob("village.*"))
            before = resource.prlimit(child.pid, resource.RLIMIT_FSIZE, (size, -1))
            gateway.up(rows(13, 24))
            wait_for(lambda: "trouble" in (notify_sign.read(data, "village") or {}), "it says so")
            assert child.poll() is None
            status, body = _get(page + "/healthz")
            assert (status, "no new values" in body["village"]["found"]) == (503, True)
            assert urllib.request.urlopen(page + "/", timeout=PATIENCE_S).status == 200
            resource.prlimit(child.pid, resource.RLIMIT_FSIZE, before)
            wait_for(lambda: values() == 24, "what waited is stored")
            wait_for(lambda: "trouble" not in (notify_sign.read(data, "village") or {}), "well")
            assert log.read_bytes().count(b"the page goes on") == 1
            child.send_signal(signal.SIGTERM)
            assert child.wait(PATIENCE_S) == 0
        finally:
            child.kill()


def _address(log: Path) -> str | None:
    mark = b"page: "
    for line in log.read_bytes().splitlines():
        if mark in line:
            return line.split(mark)[1].decode()
    return None


def _answers(url: str) -> bool:
    try:
        return bool(_get(url + "/healthz")[0])
    except OSError:
        return False


def _get(url: str) -> tuple[int, dict[str, Any]]:
    try:
        with urllib.request.urlopen(url, timeout=PATIENCE_S) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)
