# SPDX-License-Identifier: MIT
"""Gaugings become a rating, staff readings a zero: offered first, kept when asked, then redone."""

from __future__ import annotations

from pathlib import Path

import pytest

from kahriz_detect.finding import RAISED, Finding
from kahriz_gateway.page import stores, view
from kahriz_gateway.records import manual as manual_store
from kahriz_gateway.records import store as records_store
from kahriz_gateway.records.toml import iso
from kahriz_gateway.village import store as village_store
from kahriz_gateway.village.alarms import raise_alarm
from kahriz_water.structures.gauged import Gauged

from .waters import DT_MS, START_MS, Waters, weir

AUTHOR = ("--point", "outlet", "--author", "R. Quliyev")
WHO = ("--point", "outlet", "--who", "R. Quliyev")


def at(k: float) -> str:
    return iso(round(START_MS + k * DT_MS))


@pytest.fixture
def waters(tmp_path: Path) -> Waters:
    made = Waters(tmp_path)
    made.put(weir(0.071 if k < 12 else 0.150) for k in range(24))
    made.work()
    return made


def gauge(waters: Waters, k: float, lps: float) -> None:
    runs = [f"{20 if lps < 3 else 60},{(20 if lps < 3 else 60) / lps * e}" for e in (0.99, 1, 1.01)]
    more = [part for run in runs for part in ("--run", run)]
    if lps > 3:
        rises = (f"0.05,{50 * 29.0 / lps * e}" for e in (0.99, 1, 1.01))
        more = ["--area-m2", "29", *(part for run in rises for part in ("--run", run))]
    waters.run(
        *("gauging", "add", "--point", "outlet", "--who", "R. Q.", "--at", at(k)),
        *("--method", "pool" if lps > 3 else "bucket", *more),
    )


def flows(waters: Waters) -> list[float]:
    return [v.value for v in waters.values("discharge_lps")]


def test_a_rating_is_offered_with_its_numbers_and_kept_only_when_asked(waters: Waters) -> None:
    before = flows(waters)
    gauge(waters, 6, before[6] * 1.14)
    gauge(waters, 18, before[18] * 1.16)
    assert "uncalibrated" in waters.run("gauging", "list"), "14 % off: nobody signs this"
    offered = waters.run("rating", "fit", *AUTHOR)
    assert 'author = "R. Quliyev"' in offered
    assert 'structure = { kind = "gauged", ' in offered
    assert "# not kept" in offered
    assert "71 mm: gauged" in offered
    waters.work()
    assert records_store.load(waters.conn).ratings == ()
    assert flows(waters) == before
    kept = waters.run("rating", "fit", *AUTHOR, "--from", at(0), "--store")
    assert kept.endswith("outlet: calibrated\n")
    waters.work()
    assert flows(waters) == pytest.approx([x * 1.15 for x in before], rel=0.005), "history redone"
    (rating,) = records_store.load(waters.conn).ratings
    assert isinstance(rating.structure, Gauged)
    assert len(rating.gaugings) == 2
    assert "residuals" in rating.note


def test_what_was_offered_can_be_put_into_the_records_by_hand(waters: Waters) -> None:
    gauge(waters, 6, flows(waters)[6] * 1.05)
    gauge(waters, 18, flows(waters)[18] * 1.05)
    offered = waters.run("rating", "fit", *AUTHOR)
    assert waters.import_(offered) == 1
    waters.run("rating", "fit", *AUTHOR, "--store")
    assert waters.import_(offered) == 0, "the same record"


def test_gaugings_that_contradict_each_other_make_no_rating(waters: Waters) -> None:
    gauge(waters, 6, flows(waters)[6] * 1.35)
    gauge(waters, 18, flows(waters)[18] * 0.95)
    refused = waters.run("rating", "fit", *AUTHOR, "--store", code=1)
    assert "refused: at 71 mm the fit says" in refused
    assert "wrong would explain them" not in refused or "look at the zero" in refused
    assert records_store.load(waters.conn).ratings == ()


def test_gaugings_before_a_new_zero_are_not_fitted(waters: Waters) -> None:
    gauge(waters, 6, flows(waters)[6])
    gauge(waters, 18, flows(waters)[18])
    waters.import_(
        f'[[zero]]\nnode = "outlet"\nchannel = "weir"\nfrom = {at(12)}\nzero_m = 0.81\nwho = "x"\n'
    )
    told = waters.run("rating", "fit", *AUTHOR, code=3)
    assert "2 stages" in told
    assert "1 stage" not in told
    power = waters.run("rating", "fit", *AUTHOR, "--since", at(0), "--method", "power", code=3)
    assert "3 stages for a free exponent, or --exponent" in power


def read(waters: Waters, k: int, staff_cm: float) -> None:
    waters.run(
        *("reading", "add", "--point", "outlet", "--staff-cm", str(staff_cm)),
        *("--who", "Ş. Əliyeva", "--at", at(k)),
    )


def outlet_now(waters: Waters) -> view.PointNow:
    with stores.village(waters.folder) as conn:
        now = view.look(conn, waters.plan, START_MS + 24 * DT_MS)
    return next(p for p in now.points if p.point.id == "outlet")


def test_staff_readings_that_agree_move_the_zero_and_history_with_it(waters: Waters) -> None:
    for k, staff_cm in ((14, 16.4), (17, 16.3), (20, 16.5)):
        read(waters, k, staff_cm)
    assert outlet_now(waters).off_mm == 15.0
    offered = waters.run("zero", *WHO)
    assert "zero_m = 0.814" in offered
    assert "staff minus sensor: +14 mm, +13 mm, +15 mm" in offered
    assert records_store.load(waters.conn).zeros == ()
    waters.run("zero", *WHO, "--store")
    waters.work()
    stages = {v.ts: v.value for v in waters.values("stage_m") if not v.manual}
    assert stages[START_MS + 22 * DT_MS] == pytest.approx(0.164)
    assert stages[START_MS + 13 * DT_MS] == pytest.approx(0.150), "before it: as it was"
    assert manual_store.instrument_notes(waters.conn) == {}
    assert outlet_now(waters).off_mm is None


def test_a_sensor_that_its_staff_gauge_belies_is_told_with_the_alarm(waters: Waters) -> None:
    read(waters, 20, 16.6)
    finding = Finding(RAISED, "leak", "upper", START_MS + 21 * DT_MS, 2.0, 0.4)
    with village_store.transaction(waters.conn):
        alarm = raise_alarm(waters.conn, finding, waters.plan, finding.ts, {})
        dumb = Finding(RAISED, "silent_node", "outlet", finding.ts)
        other = raise_alarm(waters.conn, dumb, waters.plan, finding.ts, {})
    assert alarm.evidence["staff_off_mm"] == 16.0
    assert "staff_off_mm" not in other.evidence, "silence is not doubted"


def test_staff_readings_that_differ_show_an_ill_sensor_and_move_no_zero(waters: Waters) -> None:
    read(waters, 14, 16.4)
    read(waters, 17, 16.4)
    assert "3 compared ones" in waters.run("zero", *WHO, "--store", code=3)
    read(waters, 20, 14.5)
    told = waters.run("zero", *WHO, "--store", code=3)
    assert "within 10 mm of each other" in told
    assert "+14 mm, +14 mm, -5 mm" in told
    assert records_store.load(waters.conn).zeros == ()
