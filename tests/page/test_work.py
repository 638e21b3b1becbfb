# SPDX-License-Identifier: MIT
"""The village's own entries: staff gauge, visits with photo, closures, answers to warnings."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from conftest import Serve
from phone import JPEG, SCAN, Phone
from stores_made import HOUR, NOW, alarm, living, put

from kahriz_gateway.committee import book, pins
from kahriz_gateway.page import photos
from kahriz_gateway.village import store as village_store
from kahriz_gateway.village.store import Value

AT = "2026-11-23T10:30"


@pytest.fixture
def pin(tmp_path: Path) -> str:
    living(tmp_path, leak=True)
    return pins.set_pin(book.open_book(tmp_path), "kankan", "crew", NOW)


@pytest.fixture
def phone(tmp_path: Path, serve: Serve, pin: str) -> Phone:
    phone = Phone(serve(tmp_path))
    assert phone.enter(pin, "crew")[0] == 303
    return phone


def test_a_staff_gauge_typed_on_the_phone_counts_as_manual(tmp_path: Path, phone: Phone) -> None:
    assert phone.send("/work/reading", point="outlet", cm="15,2", at="2026-11-23T10:32")[0] == 303
    conn = village_store.open_village(tmp_path / "village.db", read_only=True)
    rows = conn.execute(
        "SELECT quantity, value, manual FROM value WHERE point='outlet' AND manual=1"
    ).fetchall()
    found = {row[0]: row[1] for row in rows}
    assert found["stage_m"] == pytest.approx(0.152)
    assert found["discharge_lps"] == pytest.approx(12.47, rel=0.01)
    (entry,) = book.entries(book.open_book(tmp_path), "reading")
    assert (entry.who, entry.body["cm"]) == ("kankan", 15.2)


def test_a_photo_loses_its_place_and_is_seen_only_with_a_pin(tmp_path: Path, phone: Phone) -> None:
    visit = {"place": "upper", "cause": "joint", "at": AT, "found": "çatlaq", "who": "Əli"}
    assert phone.send_with_photo("/work/visit", JPEG, **visit)[0] == 303
    (kept,) = (tmp_path / "photos").iterdir()
    assert b"GPS" not in kept.read_bytes()
    assert kept.read_bytes().endswith(SCAN)
    page = phone.get("/work?lang=en")[1]
    for words in ("joint of the channel", "çatlaq", "Əli", f"/photos/{kept.name}"):
        assert words in page
    assert phone.get(f"/photos/{kept.name}")[0] == 200
    guest = Phone(phone.address)
    assert guest.get(f"/photos/{kept.name}")[0] == 303
    assert guest.get("/work")[0] == 303
    assert "Əli" not in guest.get("/")[1] + guest.get("/alarms")[1]


@pytest.mark.parametrize(
    "name", ["../village.db", "..%2fvillage.db", "a.jpg", "0" * 64 + ".svg", "0" * 64 + ".jpg"]
)
def test_no_other_file_is_served_as_a_photo(phone: Phone, name: str) -> None:
    assert phone.get(f"/photos/{name}")[0] == 404


@pytest.mark.parametrize(
    ("photo", "words"),
    [
        (b"GIF89a" + bytes(100), "neither JPEG nor PNG"),
        (b"<svg onload=alert(1)>", "neither JPEG nor PNG"),
        (JPEG[:40], "cannot be read"),
        (JPEG.replace(SCAN[-2:], b""), "cannot be read"),
    ],
)
def test_a_file_that_is_no_photo_is_refused_and_the_words_are_kept(
    tmp_path: Path, phone: Phone, photo: bytes, words: str
) -> None:
    visit = {"place": "upper", "cause": "joint", "at": AT, "found": "uzun söz"}
    phone.cookies["lang"] = "en"
    status, page = phone.send_with_photo("/work/visit", photo, **visit)
    assert status == 400
    assert words in page
    assert "uzun söz" in page
    assert not (tmp_path / "photos").exists() or not list((tmp_path / "photos").iterdir())
    assert book.entries(book.open_book(tmp_path), "visit") == []


def test_a_photo_that_is_too_large_is_not_even_read(phone: Phone) -> None:
    huge = b"\xff\xd8\xff" + bytes(photos.MOST_BYTES + 100_000)
    try:
        status = phone.send_with_photo("/work/visit", huge, place="upper", cause="joint", at=AT)[0]
    except ConnectionError:  # the gateway closes while the phone still sends
        status = 413
    assert status == 413


def test_png_keeps_its_picture_and_nothing_else() -> None:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return len(body).to_bytes(4, "big") + kind + body + b"crc."

    made = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", b"13 bytes....")
    told = chunk(b"eXIf", b"GPS") + chunk(b"tEXt", b"Author\0Ali")
    rest = chunk(b"IDAT", b"picture") + chunk(b"IEND", b"")
    assert photos.clean(made + told + rest + b"behind") == (made + rest, "png")


def test_flow_a_day_before_and_after_stands_beside_a_visit(tmp_path: Path, phone: Phone) -> None:
    begun = NOW - 12 * HOUR
    put(
        tmp_path,
        [
            Value("tank", "flow_lps", begun + h * HOUR, 8.0 if h < 0 else 11.5, 0.1, 1)
            for h in range(-10, 11)
        ],
    )
    phone.send("/work/visit", place="tank", cause="dolasov", at="2026-11-22T23:05")
    assert "a day before 8.0, a day after 11.5 L/s" in phone.get("/work?lang=en")[1]


def test_a_closure_is_the_planners_and_quiets_the_place(
    tmp_path: Path, phone: Phone, serve: Serve
) -> None:
    assert phone.get("/work/closure")[0] == 403
    conn = book.open_book(tmp_path)
    planner = Phone(phone.address)
    planner.enter(pins.set_pin(conn, "texnik", "technician", NOW), "technician")
    assert planner.send("/work/closure", place="upper", hours="600", why="x")[0] == 400
    assert planner.send("/work/closure", place="upper", hours="6", why="suvaq")[0] == 303
    village = village_store.open_village(tmp_path / "village.db", read_only=True)
    row = village.execute("SELECT place, from_ms, to_ms, who, why FROM maintenance").fetchone()
    assert tuple(row) == ("upper", NOW, NOW + 6 * HOUR, "texnik", "suvaq")


def test_a_warning_is_taken_and_reported_fixed_with_a_pin(tmp_path: Path, phone: Phone) -> None:
    alarm(tmp_path, "silent_node", place="pool", raised=NOW - HOUR)
    village = village_store.open_village(tmp_path / "village.db", read_only=True)
    ident = village.execute("SELECT max(id) FROM alarm").fetchone()[0]
    page = phone.get("/alarms?lang=en")[1]
    assert "I am on my way" in page
    mark = phone.marks("/alarms")["mark"]
    assert phone.post(f"/alarms/{ident}", mark=mark, op="ack")[0] == 303
    assert phone.post(f"/alarms/{ident}", mark=mark, op="fixed")[0] == 400  # the cause is missing
    assert phone.post(f"/alarms/{ident}", mark=mark, op="fixed", cause="sensor")[0] == 303
    assert phone.post(f"/alarms/{ident}", mark=mark, op="ack")[0] == 409
    assert phone.post("/alarms/999", mark=mark, op="ack")[0] == 404
    assert phone.post(f"/alarms/{ident}", mark="0" * 64, op="ack")[0] == 403
    state = village.execute("SELECT state, owner FROM alarm WHERE id=?", (ident,)).fetchone()
    assert tuple(state) == ("reported_fixed", "kankan")
    guest = Phone(phone.address).get("/alarms?lang=en")[1]
    assert "kankan" not in guest
    assert "I am on my way" not in guest


@pytest.mark.parametrize(
    ("path", "form", "said"),
    [
        ("/work/reading", {"point": "outlet", "cm": "on beş", "at": AT}, "such as 14,5"),
        ("/work/reading", {"point": "outlet", "cm": "15", "at": "2026-11-24T10:00"}, "future"),
        ("/work/reading", {"point": "nowhere", "cm": "15", "at": AT}, "Choose the place"),
        ("/work/visit", {"place": "upper", "at": AT}, "what it was"),
        ("/work/visit", {"place": "upper", "cause": "joint", "at": ""}, "When"),
    ],
)
def test_a_wrong_field_says_so(phone: Phone, path: str, form: dict[str, str], said: str) -> None:
    phone.cookies["lang"] = "en"
    status, page = phone.send(path, **form)
    assert status == 400
    assert said in page


def test_a_book_that_cannot_be_written_says_so_and_keeps_nothing_half(
    tmp_path: Path, phone: Phone
) -> None:
    mark = phone.marks("/work/visit")["mark"]
    with sqlite3.connect(tmp_path / "committee.db") as conn:
        conn.execute(
            "CREATE TRIGGER full BEFORE INSERT ON entry BEGIN SELECT RAISE(FAIL,'full'); END"
        )
    phone.cookies["lang"] = "en"
    status, page = phone.post("/work/visit/keep", mark=mark, place="upper", cause="joint", at=AT)
    assert status == 503
    assert "could not write this down" in page
