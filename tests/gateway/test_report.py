# SPDX-License-Identifier: MIT
"""Reports of a month: one page, three languages, honest about what was not measured."""

from __future__ import annotations

import contextlib
import json
import shutil
import struct
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from kahriz_gateway.committee.turn_book import Schedule
from kahriz_gateway.export.provenance import ms
from kahriz_gateway.outputs.csv_files import zone_of
from kahriz_gateway.records import store as records_store
from kahriz_gateway.records.approvals import Approval
from kahriz_gateway.report import cli
from kahriz_gateway.report.facts import Month, month_of
from kahriz_gateway.report.pages import Json, fleet_page, month_page
from kahriz_gateway.report.words import LANGS, WORDS, say
from kahriz_gateway.village import store as village_store
from kahriz_water.plan import parse_plan
from kahriz_water.turns import Plot, Rota
from kahriz_water.value import Value

typst = pytest.importorskip("typst", reason="the reports' typesetter is not installed")
SITE = Path(__file__).parents[2] / "firmware" / "kahriz_sim" / "sites" / "banovshalar-gozlu"
PLAN = parse_plan((SITE / "site.toml").read_text(encoding="utf-8"))
APRIL = ms("2026-04-01T00:00:00+04:00")
MAY = ms("2026-05-01T00:00:00+04:00")
DAY_MS = 86_400_000
SLOW_S = 5.0


def water() -> Iterator[Value]:
    """April 10 L/s, May 9 L/s at the outlet without its 10th to 12th day; 7 L/s below."""
    for ts in range(APRIL, MAY + 31 * DAY_MS, 300_000):
        day = (ts - MAY) // DAY_MS
        if 9 <= day <= 11:
            continue
        yield Value("outlet", "discharge_lps", ts, 9.0 if day >= 0 else 10.0, 0.4, 1)
        yield Value("middle", "discharge_lps", ts, 7.0, 0.3, 1)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    shutil.copy(SITE / "site.toml", folder)
    with contextlib.closing(village_store.open_village(folder / "village.db")) as conn:
        with village_store.transaction(conn):
            village_store.put_values(conn, list(water()))
        conn.execute(
            "INSERT INTO alarm(id, kind, place, state, raised, stored, closed, fixed, proved,"
            " m3, evidence) VALUES(1,'leak','upper','closed',?,?,?,?,1,64.8,'{}')",
            (MAY, MAY, MAY + DAY_MS, MAY + DAY_MS // 2),
        )
    return folder


@pytest.fixture(scope="module")
def may(site: Path) -> Month:
    span, before = cli.span_of(PLAN, "2026-05", MAY + 90 * DAY_MS)
    with contextlib.closing(village_store.open_village(site / "village.db")) as conn:
        return month_of(conn, PLAN, zone_of(PLAN), span, before)


def test_the_facts_of_a_month(may: Month) -> None:
    outlet = may.water[0]
    assert outlet.point.id == "outlet"
    assert outlet.m3 == pytest.approx(28 * 86_400 * 9 / 1000, rel=0.001)
    assert outlet.lps == pytest.approx(9.0)
    assert outlet.completeness == pytest.approx(28 / 31, abs=0.001)
    assert [day.m3 is None for day in may.days].count(True) == 3
    upper = next(loss for loss in may.losses if loss.reach == "upper")
    assert upper.certain
    assert upper.m3 == pytest.approx(28 * 86_400 * 2 / 1000, rel=0.001)
    assert (may.all_alarms.repaired, may.all_alarms.median_hours_to_repair) == (1, 24.0)
    assert may.lost_m3 == 64.8


def test_a_month_with_gaps_is_compared_by_its_flow_not_by_its_gaps(may: Month) -> None:
    assert may.water[0].change == pytest.approx(-0.10, abs=0.005)


@pytest.mark.parametrize("lang", LANGS)
def test_the_page_is_one_page_in_seconds(may: Month, lang: str, tmp_path: Path) -> None:
    page = month_page(may, lang)
    start_s = time.process_time()  # however busy the machine is with other things
    cli.write_pdf(page, tmp_path / "month.pdf")
    assert time.process_time() - start_s < SLOW_S
    assert (tmp_path / "month.pdf").read_bytes().startswith(b"%PDF-")
    seen = typst.compile(
        cli.TEMPLATE,
        ignore_system_fonts=True,
        format="png",
        sys_inputs={"page": json.dumps(page)},
    )
    assert isinstance(seen, bytes)  # a list when there is more than one page


def words(page: Json) -> str:
    return json.dumps(page, ensure_ascii=False)


PLOTS = tuple(Plot(f"P{k:02}", 60.0) for k in range(1, 13))


def with_turns(site: Path, rotas: tuple[Rota, ...]) -> Month:
    span, before = cli.span_of(PLAN, "2026-05", MAY + 90 * DAY_MS)
    agreed = Schedule("outlet", rotas, ())
    with contextlib.closing(village_store.open_village(site / "village.db")) as conn:
        return month_of(conn, PLAN, zone_of(PLAN), span, before, agreed)


def test_water_by_turns_stands_on_the_page_by_plot(site: Path) -> None:
    plots = (Plot("A1", 900.0), Plot("B2", 540.0))
    month = with_turns(site, (Rota(APRIL, plots, 9.0),))
    tables = month_page(month, "en")["tables"]
    (table,) = (each for each in tables if each["title"] == "Water by turns")
    first, second = table["rows"]
    assert first[:3] == ["A1", "31", "465"]
    assert first[3].startswith("13\u00a0608 ± ")  # 28 days of 15 hours at 9 L/s
    assert (first[4], first[5], second[4], second[5]) == (
        "62\u00a0%",
        "62\u00a0%",
        *["38\u00a0%"] * 2,
    )
    assert [each["title"] for each in month_page(with_turns(site, ()), "en")["tables"]] == [
        "Water", "Losses on the way", "Alarms and repairs"
    ]  # fmt: skip


def test_a_plot_whose_turns_were_hardly_measured_has_no_volume_and_nobody_a_share(
    site: Path,
) -> None:
    day_min = 24 * 60.0  # from the 10th to the 12th day nothing was measured
    first = Rota(MAY + 8 * DAY_MS, (Plot("A1", day_min), Plot("B2", 4 * day_min)), 9.0)
    then = Rota(MAY + 13 * DAY_MS, (Plot("C3", day_min),), 9.0)
    month = with_turns(site, (first, then))
    a1, b2, c3 = next(
        t for t in month_page(month, "en")["tables"] if t["title"] == "Water by turns"
    )["rows"]
    assert a1[3].startswith("778 ± ")
    assert c3[3].startswith("13\u00a0997 ± ")
    assert b2[3] == "—"
    assert (a1[4], b2[4], c3[4], a1[5]) == ("—", "—", "—", "—")


def test_many_plots_and_all_else_is_still_one_page(site: Path, tmp_path: Path) -> None:
    month = with_turns(site, (Rota(APRIL, PLOTS, 9.0),))
    for lang in LANGS:
        page = month_page(month, lang)
        table = page["tables"][2]
        assert table["rows"][-1][0] == say("other_plots", lang) % 2
        seen = typst.compile(
            cli.TEMPLATE, ignore_system_fonts=True, format="png",
            sys_inputs={"page": json.dumps(page)},
        )  # fmt: skip
        assert isinstance(seen, bytes)


def test_the_foot_says_who_approved_the_numbers_or_that_nobody_did(site: Path) -> None:
    def foot() -> str:
        text: str = month_page(with_turns(site, ()), "en")["foot"]
        assert "nothing on whether the water can be drunk" in text
        return text

    assert foot().startswith("Provisional: nobody")
    with contextlib.closing(village_store.open_village(site / "village.db")) as conn:
        both = [
            Approval(point, MAY + 40 * DAY_MS, MAY + 35 * DAY_MS, "R. Quliyev")
            for point in ("outlet", "middle")
        ]
        try:
            records_store.put_approvals(conn, both[:1])
            assert foot().startswith("Provisional: nobody")  # one of two points is not enough
            records_store.put_approvals(conn, both[1:])
            assert foot().startswith("Reviewed and approved by R. Quliyev, 10.06.2026.")
            conn.execute(
                "INSERT INTO revised VALUES('middle','discharge_lps',?,?)", (MAY, both[0].at)
            )
            assert foot().startswith("Some of these numbers have changed since")
        finally:
            conn.execute("DELETE FROM approval")
            conn.execute("DELETE FROM revised")


def test_missing_days_are_named_in_plain_words(may: Month) -> None:
    assert "10.05–12.05" in words(month_page(may, "ru"))
    (line,) = (x for x in month_page(may, "en")["notes"]["lines"] if "80 %" in x)
    assert line.endswith("no volume is told: 10.05–12.05.")


def test_an_empty_store_says_that_nothing_is_known(tmp_path: Path) -> None:
    span, before = cli.span_of(PLAN, "2026-05", MAY + 90 * DAY_MS)
    with contextlib.closing(village_store.open_village(tmp_path / "village.db")) as conn:
        empty = month_of(conn, PLAN, zone_of(PLAN), span, before)
    page = month_page(empty, "en")
    assert "No flow of water was measured" in words(page)
    assert "That says nothing of the time that was not measured" in words(page)
    cli.write_pdf(page, tmp_path / "empty.pdf")


def test_too_little_measured_is_no_volume(may: Month, tmp_path: Path) -> None:
    half = [v for v in water() if v.ts < MAY + 20 * DAY_MS]
    span, before = cli.span_of(PLAN, "2026-05", MAY + 90 * DAY_MS)
    with contextlib.closing(village_store.open_village(tmp_path / "village.db")) as conn:
        with village_store.transaction(conn):
            village_store.put_values(conn, half)
        found = month_of(conn, PLAN, zone_of(PLAN), span, before)
    assert (found.water[0].m3, found.water[0].change) == (None, None)
    assert found.losses[0].m3 is None


def test_the_fleet_has_what_was_promised_beside_what_runs(may: Month) -> None:
    aims = {PLAN.id: {"target_lps": 12.0, "households": 140, "hectares": 22.5}}
    (row,) = fleet_page([may], aims, "en")["tables"][0]["rows"]
    assert row[1:8] == [
        *("21\u00a0777", "9.0", "12.0", "75\u00a0%"),
        *("\u221210\u00a0%", "140", "22.5"),
    ]


def test_every_word_is_there_in_three_languages_and_none_says_that_water_is_safe() -> None:
    for key, told in WORDS.items():
        assert len(told) == len(LANGS)
        assert all(word.strip() for word in told), key
        assert "safe" not in told[2]


def run(*arguments: str, code: int = 0) -> str:
    said = CliRunner().invoke(cli.report, list(arguments))
    assert said.exit_code == code, said.output
    return said.output


def test_the_commands_and_what_they_refuse(site: Path, tmp_path: Path) -> None:
    out = tmp_path / "m.pdf"
    clock = tmp_path / "clock"
    clock.write_bytes(struct.pack("<q", MAY + 90 * DAY_MS))
    place = ("--config", str(site / "site.toml"), "--data", str(site), "--clock-file", str(clock))
    run("month", "--month", "2026-05", "--out", str(out), *place)
    assert out.stat().st_size > 5000
    said = run("month", "--month", "2027-05", "--out", str(out), *place, code=3)
    assert "at least a day is over" in said
    assert "such as 2026-05" in run("month", "--month", "May", "--out", str(out), *place, code=3)
    aims = tmp_path / "targets.toml"
    aims.write_text("[another]\ntarget_lps = 3\n")
    fleet = ("fleet", str(site), "--month", "2026-05", "--out", str(out), "--targets", str(aims))
    assert "one of banovshalar-gozlu" in run(*fleet, code=3)
    aims.write_text(f"['{PLAN.id}']\ntarget_lps = 12\n")
    run(*fleet)
    said = run("month", "--month", "2026-05", "--out", "/proc/no/m.pdf", *place, code=4)
    assert "cannot write" in said
