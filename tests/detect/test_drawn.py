# SPDX-License-Identifier: MIT
"""What other trouble in the same water showed, and that it is drawn the same way each time."""

from __future__ import annotations

import json
import random
from datetime import datetime

from kahriz_detect.finding import Sample
from kahriz_detect.frame import Frame
from kahriz_detect.pools.pool import PoolBalance
from kahriz_detect.signals.channel import Channel
from kahriz_detect.signals.validity import Validity
from kahriz_detect.site import Pool, Signal
from scripts import drawn_rivers, drawn_trouble
from scripts.drawn_water import A_DAY, CHAMBER, IN, MID, OUT, TURNS, USED, Water


def _probe(leaps: dict[int, float], readings: int = 600) -> list[tuple[int, str]]:
    """Symptoms of a conductivity of 300 that leaps at some readings."""
    rng, channel, value, found = random.Random(3), Channel("conductivity_us_cm"), 300.0, []
    for n in range(readings):
        value += leaps.get(n, 0.0)
        if n == 450:  # a restart
            state = json.loads(json.dumps(channel.dump()))
            channel = Channel("conductivity_us_cm")
            channel.load(state)
        symptom = channel.symptom(round(value + rng.gauss(0.0, 0.4), 2))
        if symptom is not None:
            found.append((n, symptom))
    return found


def test_a_probe_that_leaps_and_stays_is_told_once() -> None:
    assert _probe({448: 60.0}) == [(452, "offset")]
    assert _probe({448: 60.0, 500: -58.0}) == [(452, "offset")]  # mended


def test_a_pulse_of_water_that_fades_is_no_leap() -> None:
    assert _probe({400: 60.0, 401: -8.0, 402: -9.0, 403: -9.0, 404: -8.0}) == []
    assert _probe({400: 5.0}) == []  # a trim


def test_what_changed_while_nobody_read_it_is_no_leap() -> None:
    temp = Signal("temp", "temp", "temperature_c")
    for gap in (0, 90):
        validity, told = Validity([temp]), []
        for n in range(600):
            value = 12.0 + n % 5 / 50 + (2.0 if n >= 500 else 0.0)
            frame = Frame(n, n * 900_000, {} if 500 - gap <= n < 500 else {"temp": value})
            if frame.raw:
                told += validity.update(Sample(frame.ts, "temp", "temperature_c", value))
            told += validity.step(frame)
        assert [f.kind for f in told if f.what == "raised"] == (
            [] if gap else ["sensor_fault:offset"]
        )


def test_a_turn_at_half_a_gate_is_not_stuck_for_its_small_noise() -> None:
    rng, channel, found = random.Random(5), Channel("flow_lps"), []
    for n in range(3000):
        lps = 12.0 if n < 2500 else 0.9
        found.append(channel.symptom(round(lps * (1.0 + rng.gauss(0.0, 0.01)), 2)))
    assert "stuck" not in found
    for _ in range(60):
        found.append(channel.symptom(round(0.9 + rng.gauss(0.0, 0.0002), 4)))
    assert "stuck" in found  # and one that stands still is


def test_a_level_sensor_that_was_moved_while_the_pool_spilt_is_believed_when_it_is_back() -> None:
    table = ((0.0, 0.0), (20.0, 5000.0))
    pool = PoolBalance(Pool("pool", "level", ("in",), ("out",), table, 3.0), 600)
    rng, level, told = random.Random(1), 2.6, []
    for n in range(20 * A_DAY):
        use = 25.0 if n % A_DAY in range(60, 90) else 10.0
        level = min(3.0, level + (17.0 - use) * 0.6 / 250.0)
        read = level + rng.gauss(0.0, 0.003) - (0.36 if 15 * A_DAY <= n < 17 * A_DAY else 0.0)
        values = {"level": read, "in": 17.0, "out": use}
        told += pool.step(Frame(n, n * 600_000, values))
    faults = [(f.what, f.kind) for f in told if f.place == "level"]
    assert faults == [("raised", "sensor_fault:offset"), ("cleared", "sensor_fault:offset")]
    assert abs(pool.stored.shift_m) < 0.02


def test_a_copy_is_drawn_from_its_number_alone() -> None:
    days = 150 * A_DAY
    flat = {k: [v] * days for k, v in ((OUT, 10.0), (MID, 9.9), (IN, 9.8), (USED, 4.0))}
    flat |= {TURNS: [0.0] * days, CHAMBER: [0.3] * days}
    water = Water("x", datetime(2025, 1, 1), flat, (3, 2), 10.0, 4.0, 100.0, 3.0, 2.9)  # type: ignore[arg-type]
    one, again, other = (drawn_trouble.drawn(water, n) for n in (1, 1, 2))
    assert one == again != other
    losses = [e for e in one[1] if e["kind"] in ("leak", "tapping")]
    below = min(v for v in one[0][IN] if v is not None and v > -9000)
    assert len(losses) == drawn_trouble.LOSSES
    assert below < 9.8 * 0.95  # what is lost is missing below


def test_nothing_is_drawn_beside_what_technicians_labelled() -> None:
    readings = [8.0 + n % 7 / 10 for n in range(120 * drawn_rivers.A_DAY)]
    labelled = ("temp", datetime(2025, 2, 1), datetime(2025, 3, 1))
    river = drawn_rivers.River(
        "x", datetime(2025, 1, 1), {"temp": "temperature_c"}, {"temp": list(readings)}, (labelled,)
    )
    for copy in range(5):
        for event in drawn_rivers.drawn(river, copy)[1]:
            a, b = (datetime.fromisoformat(event[k]) for k in ("start", "end"))
            assert b < labelled[1] or a > labelled[2]
