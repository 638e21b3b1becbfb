# SPDX-License-Identifier: MIT
"""A person asks what is kept, and is taken out of all stores: names, numbers, photos."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from conftest import Serve
from phone import JPEG, Phone
from stores_made import NOW, SITES, agreed, living

from kahriz_gateway.cli import gateway
from kahriz_gateway.committee import book, pins

AT = "2026-11-23T10:30"
PERSON = """
[[person]]
id = "kankan"
name = "Həsən Quliyev"
role = "crew"
language = "az"
channels = ["sms"]
phone = "+994502220022"
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A village where Həsən Quliyev is kankan."""
    plan = (SITES / "banovshalar-gozlu/site.toml").read_text(encoding="utf-8")
    path = tmp_path / "site.toml"
    path.write_text(plan + PERSON, encoding="utf-8")
    return path


@pytest.fixture
def data(tmp_path: Path, serve: Serve) -> Path:
    """He has entered, was on two visits (one typed by another), read a staff gauge, was sent."""
    data = tmp_path / "data"
    data.mkdir()
    living(data, leak=True)
    agreed(data)
    his, other = Phone(serve(data)), Phone(serve(data))
    conn = book.open_book(data)
    his.enter(pins.set_pin(conn, "kankan", "crew", NOW), "crew")
    other.enter(pins.set_pin(conn, "rena", "committee", NOW))
    conn.close()
    his.send("/work/reading", point="outlet", cm="15,2", at=AT)
    his.send_with_photo("/work/visit", JPEG, place="upper", cause="joint", at=AT, found="çatlaq")
    other.send_with_photo("/work/visit", JPEG[:-9] + JPEG[-2:], place="upper", cause="aval", at=AT,
                          who="həsən quliyev", found="Həsən Quliyevin oğlu da gəldi")  # fmt: skip
    other.send("/work/closure", place="upper", hours="2", why="Həsən Quliyev təmir edir")
    with sqlite3.connect(data / "village.db") as conn:
        conn.execute("UPDATE alarm SET owner='kankan'")
        conn.execute("INSERT INTO incoming VALUES('sms','1',1,1,'+994502220022','kankan','1','a')")
        conn.execute("INSERT INTO state VALUES('advised','{\"who\": \"kankan\"}')")
    return data


def run(config: Path, data: Path, *words: str) -> Result:
    return CliRunner().invoke(gateway, [*words, "--config", str(config), "--data", str(data)])


def test_a_person_is_told_all_and_then_is_in_no_file_any_more(config: Path, data: Path) -> None:
    told = json.loads(run(config, data, "about", "kankan").stdout)
    assert {e["kind"] for e in told["committee.entry"]} >= {"entered", "reading", "visit"}
    assert told["village.staff"][0]["who"] == "kankan"
    assert told["village.incoming"][0]["sender"] == "+994502220022"
    assert len(told["photos"]) == 2
    assert "hash" not in told["committee.pin"][0]
    done = run(config, data, "forget", "kankan")
    assert done.exit_code == 0, done.stderr
    assert "photos 2" in done.stdout
    assert list((data / "photos").iterdir()) == []
    for file in data.iterdir():
        if file.is_file():
            raw = file.read_bytes()
            for word in ("kankan", "Həsən Quliyev", "həsən quliyev", "+994502220022"):
                assert word.encode() not in raw, (file.name, word)
    assert json.loads(run(config, data, "about", "kankan").stdout).keys() == {
        "person", "words", "photos",
    }  # fmt: skip


def test_what_happened_and_who_else_was_there_stay(config: Path, data: Path) -> None:
    run(config, data, "forget", "kankan")
    conn = book.open_book(data)
    kinds = [(e.kind, e.who) for e in book.entries(conn)]
    assert ("visit", "rena") in kinds
    assert ("visit", book.FORGOTTEN) in kinds
    (visit,) = [e for e in book.entries(conn, "visit") if e.who == "rena"]
    assert (visit.body["who"], visit.body["photo"], visit.body["cause"]) == ("–", "", "aval")
    assert pins.holders(conn) == {"rena": "committee"}
    with sqlite3.connect(data / "village.db") as village:
        assert village.execute("SELECT owner FROM alarm").fetchone() == ("–",)
        (staff,) = village.execute("SELECT staff_m, who, photo FROM staff").fetchall()
        assert staff == (0.152, "–", "")
        (why,) = village.execute("SELECT why FROM maintenance").fetchone()
        assert why == "– təmir edir"


def test_stores_that_were_never_made_whole_hold_nothing_of_anybody(
    config: Path, tmp_path: Path
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    for store in (book.FILE, "village.db"):
        (empty / store).touch()
    told = run(config, empty, "about", "kankan")
    assert (told.exit_code, json.loads(told.stdout)["photos"]) == (0, [])
    done = run(config, empty, "forget", "kankan")
    assert done.exit_code == 0, done.output


def test_somebody_of_a_name_like_it_stays(config: Path, data: Path) -> None:
    run(config, data, "forget", "nobody", "--name", "Həs")
    assert len(json.loads(run(config, data, "about", "kankan").stdout)["photos"]) == 2
    assert run(config, data, "forget", "nobody", "--name", "H").exit_code == 2


def test_a_store_that_is_none_is_one_line(config: Path, tmp_path: Path) -> None:
    (tmp_path / "committee.db").write_bytes(b"x" * 5000)
    done = run(config, tmp_path, "forget", "kankan")
    assert done.exit_code != 0
    assert "Traceback" not in done.stderr
    assert "committee.db" in done.stderr
