# SPDX-License-Identifier: MIT
"""Ratings fitted to gaugings: what was put in comes out, and what cannot be is refused."""

from __future__ import annotations

import csv
import random
from pathlib import Path

import pytest

from kahriz_water import fit
from kahriz_water.gauging import Bucket, Gauging
from kahriz_water.strict import ConfigError
from kahriz_water.structures.gauged import Gauged
from kahriz_water.structures.v_notch import VNotch

PLATE = VNotch(90)


def gauged(stages_m: list[float], factor: float = 1.0, wrong_m: float = 0.0) -> list[fit.Point]:
    """What a bucket finds at a plate that gives `factor` times as much, its stage `wrong_m` off."""
    return [
        fit.Point(h, 1000.0 * factor * PLATE.free_flow_m3s(h - wrong_m), 0.012) for h in stages_m
    ]


def test_the_golden_table_taken_for_gaugings_gives_its_own_formula(shared: Path) -> None:
    with (shared / "golden" / "discharge.csv").open(encoding="utf-8") as file:
        rows = [r for r in csv.DictReader(file) if r["discharge_lps"]]
    notch = [
        fit.Point(float(r["stage_mm"]) / 1000.0, float(r["discharge_lps"]), 0.01)
        for r in rows
        if r["parameter"] == "angle_deg=90"
    ]
    scaled = fit.scale(notch, PLATE)
    assert isinstance(scaled.structure, Gauged)
    assert scaled.structure.scale == pytest.approx(1.0, abs=0.002)
    assert scaled.complaints() == []
    power = fit.power(notch)
    assert power.structure.exponent == pytest.approx(2.48, abs=0.01), "USBR: 2.49 h^2.48"
    flume = [
        fit.Point(float(r["stage_mm"]) / 1000.0, float(r["discharge_lps"]), 0.01)
        for r in rows
        if r["parameter"] == "throat=6in"
    ]
    free = fit.power(flume)
    assert free.structure.exponent == pytest.approx(1.58, abs=0.005)
    for p in flume:
        assert 1000 * free.structure.free_flow_m3s(p.stage_m) == pytest.approx(p.lps, rel=0.005)


def test_a_plate_that_gives_more_is_found_within_the_uncertainty_it_states() -> None:
    draw = random.Random(4)
    inside = 0
    for _ in range(200):
        points = [
            fit.Point(p.stage_m, p.lps * (1.0 + draw.gauss(0.0, 0.015)), 0.015)
            for p in gauged([0.07, 0.1, 0.14, 0.2], 1.06)
        ]
        found = fit.scale(points, PLATE)
        assert isinstance(found.structure, Gauged)
        inside += abs(found.structure.scale / 1.06 - 1.0) <= found.u_percent / 100.0
    assert inside >= 190, "95 of 100"


def test_few_gaugings_are_known_less_well_than_many() -> None:
    two = fit.scale(gauged([0.07, 0.15]), PLATE)
    many = fit.scale(gauged([0.07, 0.09, 0.11, 0.13, 0.15, 0.18]), PLATE)
    assert many.u_percent < two.u_percent
    assert many.u_percent >= 200 * fit.U_SHARED, "what all share is not averaged away"


def test_a_gauging_further_than_a_tenth_is_refused_with_its_numbers() -> None:
    points = gauged([0.07, 0.11, 0.15])
    points[1] = fit.Point(0.11, points[1].lps * 1.4, 0.012)
    refused = fit.scale(points, PLATE).complaints()
    assert "at 110 mm the fit says 6.25 L/s and the gauging 7.82: -20.1%, at most 10%" in refused


def test_a_wrong_zero_is_named_and_not_hidden_in_a_coefficient() -> None:
    found = fit.scale(gauged([0.07, 0.11, 0.15, 0.2], wrong_m=-0.008), PLATE)
    assert found.hint.startswith("a stage that reads -8.0 mm wrong would explain them better")
    assert fit.scale(gauged([0.07, 0.11, 0.2], 1.05), PLATE).hint == ""


def test_a_second_fit_does_not_stand_on_the_first() -> None:
    first = fit.scale(gauged([0.07, 0.15], 1.05), PLATE)
    again = fit.scale(gauged([0.07, 0.15], 1.05), first.structure)
    assert again.structure == first.structure


@pytest.mark.parametrize(
    ("points", "word"),
    [
        ([], "found 'none'"),
        (gauged([0.1, 0.101]), "2 stages"),
        (gauged([0.04, 0.15]), "below the valid"),
        (gauged([0.07, 0.15], 1.8), "look at plate and zero"),
    ],
)
def test_what_is_no_fit_is_refused(points: list[fit.Point], word: str) -> None:
    with pytest.raises(ConfigError, match=word):
        fit.scale(fit.enough(points), PLATE)


def test_a_free_power_wants_three_stages_and_a_given_one_two() -> None:
    points = gauged([0.07, 0.15])
    with pytest.raises(ConfigError, match="3 stages"):
        fit.power(points)
    assert fit.power(points, exponent=2.5).complaints() == []
    with pytest.raises(ConfigError, match="lowest stage"):
        fit.power(points, offset_m=-0.08, exponent=2.5)


def test_a_gauging_that_does_not_count_is_not_fitted() -> None:
    one = Gauging("outlet", 1, "bucket", (Bucket(20, 10),) * 3, "R. Q.", 0.071)
    two = Gauging("outlet", 2, "bucket", (Bucket(20, 30), Bucket(20, 60)), "R. Q.", 0.05)
    with pytest.raises(ConfigError, match=r"2\.00 L/s at 71 mm"):
        fit.points_of([one, two])
