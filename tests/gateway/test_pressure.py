# SPDX-License-Identifier: MIT
"""`kahriz gateway pressure`: offered first, kept when asked, then history is redone."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from kahriz_gateway.records import records
from kahriz_gateway.records import store as records_store
from kahriz_gateway.records.toml import iso
from kahriz_water.strict import ConfigError

from .waters import START_MS, Waters

AT = iso(START_MS)


@pytest.fixture
def waters(tmp_path: Path) -> Waters:
    return Waters(tmp_path)


def pool(waters: Waters, level_m: float, span_m: float = 3.0) -> None:
    waters.put([{"loop_current_ma": 4.0 + 16.0 * level_m / span_m}] * 6, "pool")
    waters.work()


def read_at(*depths: float, span_m: float = 3.0) -> list[str]:
    return [
        part
        for depth in depths
        for k in (-1, 0, 1)
        for part in ("--read", f"{depth},{4.0 + 16.0 * depth / span_m + k * 0.002:.4f}")
    ]


POOL = ("pressure", "--point", "pool", "--who", "R. Quliyev")


def test_a_pressure_sensor_is_calibrated_at_two_depths_and_history_follows(waters: Waters) -> None:
    pool(waters, 2.9, span_m=3.03)
    (before, *_) = waters.values("level_m", "pool")
    assert before.value == pytest.approx(2.871, abs=1e-3), "as the data sheet has it"
    offered = waters.run(*POOL, *read_at(0.5, 2.0, span_m=3.03), "--from", AT)
    assert 'who = "R. Quliyev"' in offered
    assert "span_m = 3.03\n" in offered
    assert offered.endswith("computed again from its day on\n")
    waters.work()
    assert waters.values("level_m", "pool")[0].value == before.value, "only offered"
    waters.run(*POOL, *read_at(0.5, 2.0, span_m=3.03), "--from", AT, "--store")
    waters.work()
    level = waters.values("level_m", "pool")[0]
    volume = waters.values("volume_m3", "pool")[0]
    assert level.value == pytest.approx(2.9, abs=1e-3)
    assert volume.value == pytest.approx(841.0, abs=0.5)
    kept = records_store.load(waters.conn).zeros[-1]
    away_m = (19.31 - 10.6) / 16 * (kept.u_span_m or 0)
    assert away_m > kept.u_m, "far from the two depths the slope is what nobody knows"
    assert level.u == pytest.approx(2 * math.hypot(kept.u_m, 0.0025 * 3.03, away_m), rel=0.01)
    assert volume.u == pytest.approx((level.u or 0) * 290.0), "and in the pool's"


def test_a_calibration_goes_out_as_toml_and_back(waters: Waters) -> None:
    waters.run(*POOL, *read_at(0.5, 2.0), "--from", AT, "--store")
    text = records.export_records(waters.conn)
    assert "u_span_m = " in text
    assert waters.import_(text) == 0, "just as it was"
    (kept,) = records_store.load(waters.conn).zeros
    assert kept.pivot_ma == pytest.approx(10.667, abs=0.001)
    lame = text.replace(f"u_span_m = {kept.u_span_m}\n", "")
    with pytest.raises(ConfigError, match="all three or none"):
        waters.import_(lame)


def test_a_calibration_that_cannot_be_is_refused_and_nothing_is_kept(waters: Waters) -> None:
    for given, why in (
        (read_at(0.5, 2.0, span_m=5.0), "a slope of 3 m"),
        (read_at(0.5, 1.0), "at least 1.20 m apart"),
        (["--read", "0.5;6.7"], "a depth in metres and mA"),
    ):
        assert why in waters.run(*POOL, *given, "--store", code=3)
    weir = ("pressure", "--point", "outlet", "--who", "R. Q.")
    assert "4-20 mA" in waters.run(*weir, *read_at(0.5, 2.0), "--store", code=3)
    assert "--point: expected one of" in waters.run(
        "pressure", "--point", "sea", "--who", "R. Q.", *read_at(0.5, 2.0), code=3
    )
    assert records_store.load(waters.conn).zeros == ()
