# SPDX-License-Identifier: MIT
"""Sun, radio and beam: sums that are checked by hand, and refusals with their numbers."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

from kahriz_hardware.cli import hardware
from kahriz_hardware.power.budget import BUDGET, read
from kahriz_hardware.power.sun import tilted_kwh_m2_day
from kahriz_hardware.radio import End, Link
from kahriz_hardware.well import hole_mm, lag_s
from tests.hardware import kits

REFUSED = 3


def ask(*words: object) -> Result:
    return CliRunner().invoke(hardware, [str(word) for word in words])


def test_every_kit_holds_its_budget_in_the_bad_case() -> None:
    sun, every = read()
    assert {kit.name: kit.shortfalls(sun) for kit in every} == {kit.name: [] for kit in every}
    said = ask("power")
    assert said.exit_code == 0, said.output
    assert "no meter has seen" in said.output


def test_a_kit_that_is_too_small_is_told_with_its_numbers(tmp_path: Path) -> None:
    text = BUDGET.read_text(encoding="utf-8")
    small = text.replace("panel_w = 150 ", "panel_w = 40 ").replace("_wh = 384 ", "_wh = 128 ")
    assert small != text
    (tmp_path / "budget.toml").write_text(small, encoding="utf-8")
    said = ask("power", "--kit", "relay", "--budget", tmp_path / "budget.toml")
    assert said.exit_code == REFUSED
    assert "SHORT: 0.9 days dark, wanted 2" in said.output
    assert "SHORT: a bad Dec brings 0.38 of its load" in said.output


def test_days_are_charge_by_load() -> None:
    (relay,) = json.loads(ask("power", "--kit", "relay", "--json").stdout)
    assert relay["load_wh_per_day"] == 60.0
    assert relay["dark_days_bad_usual_good"] == [2.8, 5.12, 9.6]  # 384 Wh x 0.8 / 60 Wh


@pytest.mark.parametrize(
    ("key", "wrong", "named"),
    [
        ("battery_wh = 19.2", "battery_wh = -1", "battery_wh"),
        ("panel_w = 3.5", "panel_w = true", "panel_w"),
        ("year = [1.1, 1.0, 0.7]", "year = [0.7, 1.0, 1.1]", "year"),
        ("albedo", "albido", "albedo"),
        ('name = "relay"', 'name = "mast"', "load_w"),
    ],
)
def test_a_budget_that_cannot_be_is_refused(
    tmp_path: Path, key: str, wrong: str, named: str
) -> None:
    text = BUDGET.read_text(encoding="utf-8")
    if named == "load_w":
        key, wrong = "load_w = [1.5, 2.5, 4.0]", "load_w = [1.5, 2.5]"
    assert key in text
    (tmp_path / "budget.toml").write_text(text.replace(key, wrong, 1), encoding="utf-8")
    said = ask("power", "--budget", tmp_path / "budget.toml")
    assert said.exit_code == 2, said.output
    assert named in said.output
    assert "Traceback" not in said.output


def test_a_level_panel_gets_what_falls_on_level_ground_and_a_steep_one_more_in_winter() -> None:
    for month in range(12):
        level = tilted_kwh_m2_day(month, 300.0, 40.8, 0.0, 0.2)
        assert level == pytest.approx(300.0 / 3.6 / (31, 28, 31, 30, 31, 30)[month % 6], rel=0.12)
    level, steep = (tilted_kwh_m2_day(11, 150.0, 40.8, tilt, 0.2) for tilt in (0.0, 60.0))
    assert level == pytest.approx(150.0 / 31.0 / 3.6)
    assert 1.5 * level < steep < 1.9 * level
    assert tilted_kwh_m2_day(5, 712.0, 40.8, 60.0, 0.2) < 712.0 / 30.0 / 3.6


def test_free_space_and_fresnel_agree_with_the_textbook() -> None:
    path = Link(End(20, -90, 0, 10), End(20, -90, 0, 10), 1000.0)
    assert path.free_space_db == pytest.approx(100.18, abs=0.05)  # 32.45 + 20 log 2437 + 20 log 1
    assert path.fresnel_m == pytest.approx(5.55, abs=0.01)  # half of the root of wave x distance
    grazing = Link(path.near, path.far, 1000.0, ridge_m=10.0)
    assert grazing.ridge_db == pytest.approx(6.0, abs=0.1)  # half a wavefront


def test_far_away_the_ground_takes_12_db_for_twice_the_way_and_6_db_for_half_the_mast() -> None:
    near, far, low = End(20, -90, 0, 2), End(20, -90, 0, 6), End(20, -90, 0, 3)
    loss = Link(near, far, 10_000.0).loss_db
    assert Link(near, far, 20_000.0).loss_db == pytest.approx(loss + 12.04, abs=0.01)
    assert Link(near, low, 10_000.0).loss_db == pytest.approx(loss + 6.02, abs=0.01)


def test_a_link_that_is_weak_one_way_only_is_refused() -> None:
    assert ask("link", "--distance-m", 300, "--antenna-dbi", 2).exit_code == 0
    weak = ask("link", "--distance-m", 300, "--antenna-dbi", 2, "--far-hears-dbm", -70)
    assert weak.exit_code == REFUSED
    assert "Too little" in weak.output
    deaf = ask("link", "--distance-m", 300, "--antenna-dbi", 2, "--hears-dbm", -70)
    assert deaf.exit_code == REFUSED


def test_a_larger_antenna_does_not_radiate_more_than_the_rule_lets() -> None:
    small, large = End(19.5, -97, 0.5, 2), End(19.5, -97, 12, 2)
    assert small.eirp_dbm == 20.0
    assert large.eirp_dbm == 20.0


@pytest.mark.parametrize(
    "words",
    [
        ("link", "--distance-m", 0, "--antenna-dbi", 2),
        ("link", "--distance-m", "nan", "--antenna-dbi", 2),
        ("link", "--distance-m", 100),
        ("well", "--sensor", "a02yyuw", "--well-mm", 150),
        ("well", "--sensor", "a02yyuw", "--nearest-m", 1, "--farthest-m", 0.5, "--well-mm", 150),
        ("well", "--sensor", "pressure", "--well-mm", 150, "--channel-mm", 150),
        ("well", "--sensor", "hrxl", "--well-mm", 150),
        ("power", "--kit", "mast"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_a_line(words: tuple[object, ...]) -> None:
    said = ask(*words)
    assert said.exit_code == 2, said.output
    assert "Traceback" not in said.output


@given(st.floats(10.0, 20_000.0), st.floats(0.5, 50.0), st.floats(0.0, 60.0), st.floats(0.05, 0.95))
@settings(deadline=None)
def test_a_ridge_or_a_longer_way_never_helps(
    distance: float, height: float, ridge: float, at: float
) -> None:
    near, far = End(19.5, -97, 2, height), End(20, -94, 10, height)
    clear = Link(near, far, distance)
    assert Link(near, far, distance, ridge, at).loss_db >= clear.loss_db
    assert Link(near, far, distance * 1.1).loss_db > clear.loss_db
    assert all(math.isfinite(margin) for margin in clear.margins_db())


def test_a_wide_beam_in_a_narrow_well_is_refused_with_both_radii() -> None:
    said = ask(
        *("well", "--sensor", "a02yyuw", "--nearest-m", 0.3, "--farthest-m", 0.5),
        *("--well-mm", 150),
    )
    assert said.exit_code == REFUSED
    assert "289 mm in radius at 0.50 m" in said.output
    assert "Ø 150 mm gives 75 mm" in said.output
    wide = ask(
        *("well", "--sensor", "a02yyuw", "--nearest-m", 0.3, "--farthest-m", 0.5),
        *("--channel-mm", 600),
    )
    assert wide.exit_code == 0
    spray = ask(
        *("well", "--sensor", "a02yyuw", "--nearest-m", 0.1, "--farthest-m", 0.5),
        *("--channel-mm", 600),
    )
    assert spray.exit_code == REFUSED
    assert "0.10 m over the highest water; at least 0.30 m" in spray.output


def test_a_narrow_beam_by_its_makers_drawing_may_hang_in_a_well() -> None:
    words = ("well", "--sensor", "other", "--beam-deg", 12, "--nearest-m", 0.5)
    assert ask(*words, "--farthest-m", 0.7, "--well-mm", 150).exit_code == 0
    assert ask(*words, "--farthest-m", 0.8, "--well-mm", 150).exit_code == REFUSED


def test_a_pressure_probe_needs_only_room_for_itself() -> None:
    assert ask("well", "--sensor", "pressure", "--well-mm", 103).exit_code == 0
    assert ask("well", "--sensor", "pressure", "--well-mm", 60).exit_code == REFUSED


def test_the_well_follows_the_water_as_fast_as_its_hole_lets_it() -> None:
    assert hole_mm(150.0, 0.01) == pytest.approx(15.0)
    assert lag_s(0.001) == pytest.approx(10.0 * lag_s(0.01))
    level, seconds = 0.050, 0.0
    while level > 0.001:  # the same by small steps
        level -= 0.6 * 0.01 * math.sqrt(2.0 * 9.80665 * level) * 0.01
        seconds += 0.01
    assert lag_s(0.01) == pytest.approx(seconds, rel=0.01)


RADIO = """
[radio.{point}]
distance_m = {distance}
antenna_dbi = 2
height_m = 1.5
far_dbi = 10
far_height_m = 6
"""


def plan(tmp_path: Path, more: str) -> Path:
    site = kits.ROOT / "firmware/kahriz_sim/sites/baharli-valibay/site.toml"
    (tmp_path / "site.toml").write_text(site.read_text(encoding="utf-8") + more, encoding="utf-8")
    return tmp_path / "site.toml"


def test_the_links_of_a_whole_site_are_reckoned_and_a_silent_point_is_no_good_news(
    tmp_path: Path,
) -> None:
    bare = json.loads(ask("link", "--json", "--site", plan(tmp_path, "")).stdout)
    points = list(bare)
    assert points
    assert set(bare.values()) == {None}
    near = [RADIO.format(point=point, distance=300) for point in points]
    good = ask("link", "--site", plan(tmp_path, "".join(near)))
    assert good.exit_code == 0, good.output
    gap = ask("link", "--site", plan(tmp_path, "".join(near[1:])))
    assert gap.exit_code == REFUSED
    assert f"{points[0]}: no [radio.{points[0]}] in the plan: not reckoned." in gap.output
    far = [*near[1:], RADIO.format(point=points[0], distance=9000)]
    assert ask("link", "--site", plan(tmp_path, "".join(far))).exit_code == REFUSED


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("distance_m = 300", "distance_km = 0.3", "distance_m"),
        ("antenna_dbi = 2", 'antenna_dbi = "2"', "antenna_dbi"),
        ("height_m = 1.5", "height_m = nan", "height_m"),
        ("[radio.POINT]", "[radio.mast]", "radio.mast"),
    ],
)
def test_a_radio_path_that_cannot_be_is_refused(
    tmp_path: Path, old: str, new: str, named: str
) -> None:
    point = next(iter(json.loads(ask("link", "--json", "--site", plan(tmp_path, "")).stdout)))
    text = RADIO.format(point=point, distance=300)
    old = old.replace("POINT", point)
    assert old in text
    said = ask("link", "--site", plan(tmp_path, text.replace(old, new, 1)))
    assert said.exit_code == 2, said.output
    assert named in said.output
