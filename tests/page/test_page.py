# SPDX-License-Identifier: MIT
"""The page over HTTP, as a phone and a watchdog ask for it."""

import contextlib
import re
import sqlite3
import urllib.request
from dataclasses import replace
from pathlib import Path

import pytest
from answer import Answer
from conftest import Serve
from stores_made import DAY, HOUR, MIN, NOW, HandClock, alarm, living, plan_of, put

from kahriz_gateway.page.headers import HEADERS
from kahriz_gateway.village.store import Value
from kahriz_water.plan import Name


def test_the_front_page_is_azerbaijani_and_names_place_and_loss(data: Path, serve: Serve) -> None:
    page = Answer(serve(data) + "/")
    assert page.status == 200
    assert '<html lang="az">' in page.text
    for words in ("Gözlü kəhrizi", "Sızma · Yuxarı arx", "2,0\u00a0±\u00a00,4", "41 m³", "l/san"):
        assert words in page.text
    assert "3 ölçmə çatışmır" in page.words


def test_every_number_of_a_point_has_its_age(data: Path, serve: Serve) -> None:
    page = Answer(serve(data) + "/?lang=en").text
    points = page[page.index('class="points"') :]
    assert points.count('class="value') == points.count('class="when"')
    assert points.count('class="value') >= 10


def test_the_chosen_language_is_remembered(data: Path, serve: Serve) -> None:
    address = serve(data)
    chosen = Answer(address + "/?lang=ru")
    assert "Утечка" in chosen.text
    cookie = chosen.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    later = Answer(address + "/alarms", Cookie=cookie.split(";")[0])
    assert '<html lang="ru">' in later.text


@pytest.mark.parametrize("lang", ["de", "../../etc", "az%00"])
def test_an_unknown_language_is_azerbaijani_and_not_remembered(
    data: Path, serve: Serve, lang: str
) -> None:
    page = Answer(f"{serve(data)}/?lang={lang}")
    assert '<html lang="az">' in page.text
    assert page.headers["Set-Cookie"] is None


@pytest.mark.parametrize("path", ["/", "/history", "/alarms", "/missing", "/healthz", "/nix"])
def test_every_answer_has_strict_headers_and_no_inline_script(
    data: Path, serve: Serve, path: str
) -> None:
    page = Answer(serve(data) + path)
    for name, value in HEADERS.items():
        assert page.headers[name] == value
    assert "unsafe" not in page.headers["Content-Security-Policy"]
    assert not re.search(r"<script(?![^>]*\bsrc=)|\son\w+=|\sstyle=|javascript:", page.text)
    assert not re.search(r"(?:src|href)=\"(?:https?:)?//", page.text)


def test_an_empty_store_says_what_to_do(tmp_path: Path, serve: Serve) -> None:
    put(tmp_path, [])
    page = Answer(serve(tmp_path) + "/?lang=en")
    assert page.status == 200
    assert "What to do" in page.text
    assert "outlet, middle, inlet" in page.text


def test_an_empty_store_hides_no_alarm(tmp_path: Path, serve: Serve) -> None:
    alarm(tmp_path, "silent_node", "pool", raised=NOW - HOUR, lps=None, m3=None)
    page = Answer(serve(tmp_path) + "/?lang=en")
    assert "What to do" in page.text
    assert "Node is silent · Pool" in page.text


def test_no_store_at_all_says_that_it_is_not_there_yet(tmp_path: Path, serve: Serve) -> None:
    page = Answer(serve(tmp_path) + "/?lang=en")
    assert page.status == 200
    assert "There is no village.db yet" in page.text
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("path", ["/", "/history", "/alarms"])
def test_a_broken_store_is_named(tmp_path: Path, serve: Serve, path: str) -> None:
    (tmp_path / "village.db").write_bytes(b"this is no database" * 100)
    page = Answer(serve(tmp_path) + path + "?lang=en")
    assert page.status == 503
    assert "village.db" in page.text
    assert "not a database" in page.text


@pytest.mark.parametrize(
    "path", ["/", "/history", "/alarms", "/missing", "/turns", "/turns.csv", "/call", "/enter"]
)
def test_a_broken_book_costs_its_own_pages_and_is_named(
    tmp_path: Path, serve: Serve, path: str
) -> None:
    living(tmp_path)
    (tmp_path / "committee.db").write_bytes(b"this is no database" * 100)
    page = Answer(serve(tmp_path) + path + "?lang=en")
    assert page.status in (200, 503)
    if path.startswith("/turns"):
        assert page.status == 503
        assert "What is broken: the file committee.db." in page.text


def test_a_broken_store_is_told_to_programs_too(tmp_path: Path, serve: Serve) -> None:
    (tmp_path / "village.db").write_bytes(b"this is no database" * 100)
    page = Answer(serve(tmp_path) + "/api/now")
    assert page.status == 503
    assert "village.db" in page.text


def test_a_store_without_tables_is_broken_too(tmp_path: Path, serve: Serve) -> None:
    (tmp_path / "village.db").touch()
    address = serve(tmp_path)
    assert "Şlüz hələ heç nə yazmayıb" in Answer(address + "/").text  # it is being made
    with contextlib.closing(sqlite3.connect(tmp_path / "village.db")) as conn:
        conn.execute("PRAGMA user_version=1")
    assert "no such table" in Answer(address + "/").text


def test_water_is_shown_even_when_nobody_knows_what_is_missing(
    tmp_path: Path, serve: Serve
) -> None:
    living(tmp_path)
    (tmp_path / "readings.db").write_bytes(b"x" * 5000)
    address = serve(tmp_path)
    page = Answer(address + "/?lang=en")
    assert page.status == 200
    assert "Missing readings: cannot be told" in page.text
    assert Answer(address + "/missing").status == 503


@pytest.mark.parametrize("span", ["day", "week", "season", "year"])
@pytest.mark.parametrize("point", ["outlet", "fields", "pool", "tank"])
def test_every_point_has_a_history(data: Path, serve: Serve, point: str, span: str) -> None:
    page = Answer(f"{serve(data)}/history?point={point}&span={span}")
    assert page.status == 200
    assert '<svg class="chart"' in page.text


@pytest.mark.parametrize(
    "query", ["point=nix", "span=aeon", "point=outlet&quantity=nix", "point=%3Cscript%3E"]
)
def test_a_question_about_nothing_is_a_404_in_words(data: Path, serve: Serve, query: str) -> None:
    page = Answer(f"{serve(data)}/history?{query}&lang=en")
    assert page.status == 404
    assert "There is no such page" in page.text
    assert "<script>" not in page.text


def test_a_bounded_day_has_a_bounded_mean(data: Path, serve: Serve) -> None:
    page = Answer(f"{serve(data)}/history?point=fields&lang=en")
    assert "less than 1.2 L/s" in page.words
    assert re.search(r"Mean \d\.\d … \d\.\d L/s", page.words)


def test_the_last_hour_that_is_not_due_yet_is_not_missing(tmp_path: Path, serve: Serve) -> None:
    living(tmp_path)
    address = serve(tmp_path, HandClock(NOW + 50 * MIN))
    page = Answer(f"{address}/history?point=outlet&lang=en").text
    assert 'class="gap"' not in page
    assert "<dd>100 %</dd>" in page
    late = serve(tmp_path, HandClock(NOW + 3 * HOUR))
    assert 'class="gap"' in Answer(f"{late}/history?point=outlet").text


def test_old_series_are_shown_at_their_own_time(tmp_path: Path, serve: Serve) -> None:
    old = NOW - 4000 * DAY
    rows = [
        Value("outlet", "us_cm", ts, 400.0, None, 1) for ts in range(old, old + 400 * DAY, 6 * HOUR)
    ]
    put(tmp_path, [*rows, Value("outlet", "us_cm", old + 10 * DAY, -9999.0, None, 4)])
    address = serve(tmp_path)
    for span in ("day", "week", "season", "year"):
        page = Answer(f"{address}/history?point=outlet&quantity=us_cm&span={span}&lang=en")
        assert "Nothing newer than" in page.text
        assert "9999" not in page.text
        assert 'class="measured" points' in page.text or 'class="dot"' in page.text
    year = Answer(f"{address}/history?point=outlet&quantity=us_cm&span=year&date=2016-05-01")
    assert 'class="measured" points' in year.text
    assert 'rel="prev"' in year.text
    assert 'rel="next"' in year.text


def test_a_plan_without_flow_or_reaches_shows_neither_litres_nor_a_kahriz(
    tmp_path: Path, serve: Serve
) -> None:
    level = replace(plan_of().points[3], kind="level", level_volume=(), spill_m=None)
    put(tmp_path, [Value(level.id, "level_m", NOW - 900 * DAY, 0.64, None, 1)])
    plan = replace(plan_of(), points=(level,), reaches=(), offtakes=())
    page = Answer(serve(tmp_path, plan=plan) + "/?lang=en")
    assert "0.64" in page.words
    assert "24 hours until 06.06.2024 11:05" in page.words
    for absent in ('class="tiles"', 'class="drawing"', "Today"):
        assert absent not in page.text


def test_unknown_quantities_are_shown_under_their_own_name(tmp_path: Path, serve: Serve) -> None:
    put(tmp_path, [Value("outlet", "turbidity_ntu", NOW - MIN, 3.5, None, 2)])
    address = serve(tmp_path)
    assert "3,50" in Answer(address + "/").text
    assert "turbidity_ntu" in Answer(address + "/history?point=outlet").text


def test_names_are_text_and_never_markup(data: Path, serve: Serve) -> None:
    evil = Name("<script>a</script>", "b", "c")
    plan = plan_of()
    points = tuple(replace(p, name=evil) for p in plan.points)
    reaches = tuple(replace(r, name=evil) for r in plan.reaches)
    alarm(data, "<b>kind", "<i>place", raised=NOW - HOUR, evidence={"<u>": "<s>"})
    address = serve(data, plan=replace(plan, name=evil, points=points, reaches=reaches))
    for path in ("/", "/alarms", "/history", "/missing"):
        page = Answer(address + path).text
        assert not re.search(r"<script>|<b>kind|<i>place|<u>|<s>", page), path


def test_missing_readings_stand_with_their_node_and_numbers(data: Path, serve: Serve) -> None:
    page = Answer(serve(data) + "/missing?lang=en")
    assert re.search(r"pool\s+41 – 43\s+10:05", page.words)
    assert "battery 3.31 V" in page.words


def test_alarms_show_their_evidence_and_the_closed_ones(data: Path, serve: Serve) -> None:
    alarm(data, place="lower", raised=NOW - 9 * DAY, closed=NOW - 8 * DAY, m3=170.0)
    page = Answer(serve(data) + "/alarms?lang=en")
    assert re.search(r"Lost in all\s+170 m³", page.words)
    assert "Seen since 05:25" in page.words
    assert "Change at the lower point, L/s −2.0" in page.words
    assert "odd_thing 0.3" in page.words


def test_looking_changes_nothing(data: Path, serve: Serve) -> None:
    before = {p.name: p.read_bytes() for p in data.glob("*.db")}
    address = serve(data)
    for path in ("/", "/history?span=year", "/alarms", "/missing", "/healthz", "/api/now"):
        assert Answer(address + path).status == 200
    assert {p.name: p.read_bytes() for p in data.glob("*.db")} == before


def test_the_first_load_is_small(data: Path, serve: Serve) -> None:
    address = serve(data)
    paths = ("/", "/static/page.css", "/static/refresh.js", "/static/drop.svg")
    sizes = [int(_head(address + path, "Content-Length")) for path in paths]
    assert sum(sizes) < 60_000


def _head(url: str, name: str) -> str:
    request = urllib.request.Request(url, headers={"Accept-Encoding": "gzip"})
    with urllib.request.urlopen(request, timeout=120) as got:
        return str(got.headers[name])
