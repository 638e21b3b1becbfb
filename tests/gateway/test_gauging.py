# SPDX-License-Identifier: MIT
"""Gaugings from the command line: raw numbers kept, the device compared, the point judged."""

from __future__ import annotations

import asyncio
import math
from pathlib import Path
from typing import Any

import pytest

from kahriz_gateway.page.app import create_app
from kahriz_gateway.records import store as records_store
from kahriz_gateway.records.toml import iso

from .conftest import TestClock
from .waters import DT_MS, START_MS, Waters, weir


@pytest.fixture
def waters(tmp_path: Path) -> Waters:
    made = Waters(tmp_path)
    made.put(weir(0.071 if k < 12 else 0.150) for k in range(24))
    made.work()
    return made


def at(k: float) -> str:
    return iso(round(START_MS + k * DT_MS))


def gauge(waters: Waters, method: str, k: float, *more: str, code: int = 0) -> str:
    return waters.run(
        *("gauging", "add", "--point", "outlet", "--method", method, "--who", "R. Q."),
        *("--at", at(k), *more),
        code=code,
    )


BUCKET = ("--run", "20,10.5", "--run", "20,10.6", "--run", "20,10.4")
POOL = ("--area-m2", "290", "--run", "0.05,1200", "--run", "0.05,1210", "--run", "0.05,1190")


def test_two_stages_calibrate_a_point_and_before_that_it_says_whom_to_ask(waters: Waters) -> None:
    assert "outlet: uncalibrated: ask R. Quliyev (nobody" in waters.run("gauging", "list")
    one = gauge(waters, "bucket", 6, *BUCKET)
    assert "1.90 ± 0.04 L/s, runs 1.9% apart, stage 71 mm, device" in one
    assert "uncalibrated: ask R. Quliyev (gaugings at 2 stages are needed)" in one
    two = gauge(waters, "pool", 18, *POOL)
    assert two.endswith("outlet: calibrated\n")
    listed = waters.run("gauging", "list", "--point", "outlet")
    assert len(listed.splitlines()) == 3
    assert not records_store.calibration_of(waters.conn, "outlet", START_MS).calibrated
    assert records_store.calibration_of(waters.conn, "outlet", START_MS + 20 * DT_MS).calibrated


def test_raw_times_and_volumes_are_what_is_kept(waters: Waters) -> None:
    gauge(waters, "bucket", 6, *BUCKET)
    raw = waters.conn.execute("SELECT runs FROM gauging").fetchone()[0]
    assert raw == (
        '[{"litres": 20.0, "seconds": 10.5}, {"litres": 20.0, "seconds": 10.6},'
        ' {"litres": 20.0, "seconds": 10.4}]'
    )


def test_a_gauging_that_does_not_count_is_kept_and_says_why(waters: Waters) -> None:
    told = gauge(waters, "bucket", 6, "--run", "20,10.5", "--run", "20,14", code=1)
    assert "does not count: 2 runs: at least 3" in told
    assert len(records_store.gaugings(waters.conn)) == 1


def test_a_device_that_is_off_is_not_calibrated(waters: Waters) -> None:
    gauge(waters, "bucket", 6, *BUCKET)
    told = gauge(waters, "pool", 18, *POOL, "--device-lps", "15")
    assert "device +24.1% (at most 10 %)" in told
    assert "uncalibrated: ask R. Quliyev (the device is +24% off" in told


def test_a_new_zero_asks_for_new_gaugings(waters: Waters) -> None:
    gauge(waters, "bucket", 6, *BUCKET)
    gauge(waters, "pool", 18, *POOL)
    waters.import_(
        f"""[[zero]]
node = "outlet"
channel = "weir"
from = {at(20)}
zero_m = 0.81
who = "R. Q."
"""
    )
    judged = records_store.calibration_of(waters.conn, "outlet", START_MS + 21 * DT_MS)
    assert judged.why == "nobody has gauged it"


def wave(lps: float) -> list[tuple[float, float]]:
    shape = [max(0.0, k - 6) ** 3 * math.exp(-max(0, k - 6) / 5.0) for k in range(120)]
    height = 400.0 / (0.0005 * lps) / (5.0 * sum(shape))
    return [(5.0 * k, round(420.0 + height * x, 2)) for k, x in enumerate(shape)]


def test_salt_from_a_file_and_from_the_probe_in_the_channel(waters: Waters) -> None:
    files = []
    for k, lps in enumerate((12.0, 12.2)):
        path = waters.folder / f"wave{k}.csv"
        lines = [f"{t},{us}" for t, us in wave(lps)]
        path.write_text("\n".join(["seconds,us_cm", *lines]), encoding="utf-8")
        files += ["--series", str(path)]
    for t, us in wave(12.1):  # a node that measures every five seconds
        waters.conn.execute(
            "INSERT INTO value(point, quantity, ts, value, q) VALUES('middle','us_cm',?,?,1)",
            (START_MS + round(1000 * t), us),
        )
    span = f"{at(0)}/{iso(START_MS + 600_000)}"
    salt = ("--grams", "400", "--factor", "0.0005", "--probe", "middle", "--wave", span)
    told = gauge(waters, "salt", 18, *files, *salt)
    assert "salt, 3 runs, R. Q.: 12.1" in told
    (kept,) = records_store.gaugings(waters.conn)
    assert [run.lps() for run in kept.runs] == pytest.approx([12.0, 12.2, 12.1], rel=0.01)


@pytest.mark.parametrize(
    ("method", "more", "word"),
    [
        ("bucket", ("--run", "20;10"), "comma"),
        ("bucket", (), "at least one run"),
        ("pool", ("--run", "0.05,100"), "--area-m2"),
        ("salt", ("--grams", "400"), "--factor"),
    ],
)
def test_a_gauging_that_cannot_be_meant_is_refused(
    waters: Waters, method: str, more: tuple[str, ...], word: str
) -> None:
    assert word in gauge(waters, method, 6, *more, code=3)
    assert records_store.gaugings(waters.conn) == []


def front_page(waters: Waters) -> str:
    """The page's front screen in English, through its own interface."""
    app = create_app(waters.plan, waters.folder, TestClock(START_MS + 24 * DT_MS))
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(dict(message))

    scope = {
        **{"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET"},
        **{"path": "/", "raw_path": b"/", "query_string": b"lang=en", "root_path": ""},
        **{"scheme": "http", "headers": [(b"host", b"127.0.0.1")]},
        **{"server": ("127.0.0.1", 80), "client": ("127.0.0.1", 1)},
    }
    asyncio.run(app(scope, receive, send))
    return b"".join(m.get("body", b"") for m in sent).decode()


def test_the_page_says_whom_to_ask_until_the_point_is_calibrated(waters: Waters) -> None:
    front = front_page(waters)
    assert front.count("uncalibrated: ask R. Quliyev") == 1, "points without numbers say no data"
    gauge(waters, "bucket", 6, *BUCKET)
    gauge(waters, "pool", 18, *POOL)
    assert "uncalibrated" not in front_page(waters)
