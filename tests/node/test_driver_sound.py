# SPDX-License-Identifier: MIT
"""What an ultrasonic driver declares, and what the gateway then does, give the true distance."""

import pytest

from kahriz_node import sensors
from kahriz_node.sensors import a02yyuw, hrxl, jsn_sr04t
from kahriz_water.sound import FIXED_MPS, speed_mps, true_distance_m

TRUE_M = 0.8


def jsn_reads_m(air_c: float) -> float:
    flight_us = round(2 * TRUE_M / speed_mps(air_c) * 1e6)
    return jsn_sr04t.tenths(flight_us) / 10_000


def a02_reads_m(air_c: float) -> float:
    return TRUE_M * FIXED_MPS / speed_mps(air_c)


def hrxl_reads_m(air_c: float) -> float:
    return TRUE_M


READS = {jsn_sr04t: jsn_reads_m, a02yyuw: a02_reads_m, hrxl: hrxl_reads_m}


def test_every_ultrasonic_driver_is_tried_here() -> None:
    modules = [sensors.module(name) for name in sensors.SENSORS]
    assert {m for m in modules if "distance_m" in m.KEYS} == set(READS)


@pytest.mark.parametrize("air_c", [-15.0, 0.0, 20.0, 42.0])
@pytest.mark.parametrize("driver", READS, ids=lambda module: module.__name__.split(".")[-1])
def test_the_air_is_corrected_once_and_only_once(driver: object, air_c: float) -> None:
    declared = driver.SOUND_SPEED  # type: ignore[attr-defined]
    assert true_distance_m(READS[driver](air_c), declared, air_c) == pytest.approx(  # type: ignore[index]
        TRUE_M, abs=0.0002
    )
