# SPDX-License-Identifier: MIT
"""Turns on the page: set with a PIN, measured by the water, fair or not, stretched, corrected."""

from __future__ import annotations

import csv
import io
import re
import urllib.error
import urllib.parse
import urllib.request
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner
from conftest import Serve
from phone import Phone, Stay
from stores_made import HOUR, MIN, NOW, SITES, HandClock, living, put

from kahriz_gateway.cli import gateway
from kahriz_gateway.committee import book, pins
from kahriz_gateway.committee.sessions import near
from kahriz_gateway.village.store import Value

START = NOW - 65 * MIN - 4 * HOUR  # Monday 06:00 in Baku
FORM = {"point": "outlet", "start": "2026-11-23T06:00", "flow_lps": "12,0",
        "plots": "A1 120\nB2 180\nC3 60"}  # fmt: skip


@pytest.fixture
def pin(tmp_path: Path) -> str:
    living(tmp_path)
    conn = book.open_book(tmp_path)
    chosen = pins.set_pin(conn, "aqsaqqal", "committee", NOW)
    conn.close()
    return chosen


def _lps(data: Path, of_hour: dict[int, float]) -> None:
    """The outlet gives so many L/s in each hour since 06:00."""
    put(
        data,
        [
            Value("outlet", "discharge_lps", START + m * MIN, of_hour[m // 60], 0.1, 1)
            for m in range(0, 305, 5)
        ],
    )


def test_the_committee_sets_turns_and_everyone_sees_whose_it_is(
    tmp_path: Path, serve: Serve, pin: str
) -> None:
    _lps(tmp_path, dict.fromkeys(range(6), 10.0))
    phone = Phone(serve(tmp_path))
    assert "Hələ növbə qurulmayıb" in phone.get("/turns")[1]
    assert phone.enter(pin)[0] == 303
    assert phone.send("/turns/set", **FORM)[0] == 303
    guest = Phone(phone.address)
    page = guest.get("/turns?lang=en")[1]
    assert re.search(r'class="turn"><b>C3</b>', page)  # 06:00 + 5 h is its start; it is 11:05
    assert "aqsaqqal" not in page
    rows = re.findall(r'<th scope="row">(\w+)</th>\s*<td>Mon (.{11})', page)
    assert rows == [("A1", "06:00–08:00"), ("B2", "08:00–11:00"), ("C3", "11:00–12:00")]
    assert re.search(r"<td>72 ", page)  # 10 L/s for two hours
    assert "Turn of C3" in guest.get("/?lang=en")[1]


def test_unequal_water_in_equal_minutes_is_told_as_unfair(
    tmp_path: Path, serve: Serve, pin: str
) -> None:
    _lps(tmp_path, {0: 12.0, 1: 12.0, 2: 4.0, 3: 4.0, 4: 4.0, 5: 4.0})
    clock = HandClock()
    phone = Phone(serve(tmp_path, clock))
    phone.enter(pin)
    phone.send("/turns/set", **FORM | {"plots": "A1 120\nB2 120"})
    clock.ms = START + 4 * HOUR + 1
    page = phone.get("/turns?lang=en")[1]
    fair = page[page.index("Was it fair") :]
    assert re.search(r"A1</th>.*?29 m³ too much", fair, re.S)  # 86 of 115, half would be 58
    assert re.search(r"B2</th>.*?29 m³ too little", fair, re.S)
    clock.ms = START + 3 * HOUR  # a cycle that is not over is not judged
    assert "too much" not in phone.get("/turns?lang=en")[1]


def test_time_that_nobody_measured_is_not_compared(tmp_path: Path, serve: Serve, pin: str) -> None:
    clock = HandClock()
    phone = Phone(serve(tmp_path, clock))
    phone.enter(pin)
    phone.send("/turns/set", **FORM | {"start": "2026-11-23T12:00", "plots": "A1 60\nB2 60"})
    assert "İlk növbə" in phone.get("/turns")[1]
    clock.ms = NOW + 4 * HOUR
    page = phone.get("/turns?lang=en")[1]
    assert page.count("cannot be told yet") == 2
    assert "not measured" in page
    assert "too much" not in page
    assert ">fair<" not in page


def test_a_correction_is_a_new_entry_and_moves_the_water(
    tmp_path: Path, serve: Serve, pin: str
) -> None:
    _lps(tmp_path, dict.fromkeys(range(6), 10.0))
    phone = Phone(serve(tmp_path))
    phone.enter(pin)
    phone.send("/turns/set", **FORM)
    sent = {"plot": "C3", "start": "2026-11-23T09:00", "end": "2026-11-23T10:00", "note": "evəz"}
    assert phone.send("/turns/correct", **sent)[0] == 303
    rows = list(csv.DictReader(io.StringIO(phone.get("/turns.csv")[1])))
    assert [r["plot"] for r in rows] == ["A1", "B2", "C3", "B2", "C3"]
    assert [float(r["m3"]) for r in rows[:4]] == pytest.approx([72.0, 36.0, 36.0, 36.0], abs=0.1)
    assert rows[0]["start"] == "2026-11-23T06:00:00+04:00"
    conn = book.open_book(tmp_path)
    kinds = [(e.kind, e.who) for e in book.entries(conn)]
    assert kinds == [("entered", "aqsaqqal"), ("rota", "aqsaqqal"), ("correction", "aqsaqqal")]


def test_short_water_lengthens_the_cycle_after_it_was_shown(
    tmp_path: Path, serve: Serve, pin: str
) -> None:
    _lps(tmp_path, dict.fromkeys(range(6), 6.0))
    phone = Phone(serve(tmp_path))
    phone.enter(pin)
    phone.send("/turns/set", **FORM)
    shown = phone.get("/turns/shortage?lang=en&flow_lps=6")[1]
    assert re.search(r"A1</th><td>120</td><td>240</td>", shown)
    assert len(book.entries(book.open_book(tmp_path), "rota")) == 1  # shown is not agreed
    assert phone.send("/turns/shortage", flow_lps="6")[0] == 303
    newest = book.entries(book.open_book(tmp_path), "rota")[-1].body
    assert newest["plots"] == [["A1", 240.0], ["B2", 360.0], ["C3", 120.0]]
    assert newest["start_ms"] == START + 6 * HOUR  # nobody's running turn is cut
    refused = phone.send("/turns/shortage", flow_lps="600")
    assert refused[0] == 400
    assert "not less than" in phone.get("/turns/shortage?lang=en&flow_lps=600")[1]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"plots": "A1 120\nA1 60"}, "twice: A1"),
        ({"plots": "A1"}, "such as A1 240: A1"),
        ({"plots": ""}, "1 to 100 plots"),
        ({"plots": "A1 0"}, "at least one minute: A1"),
        ({"plots": "A1 999999"}, "more than 60 days"),
        ({"flow_lps": "nan"}, "a number over 0"),
        ({"start": "tomorrow"}, "first turn is missing"),
        ({"point": "pool"}, "Choose the point"),
    ],
)
def test_a_wrong_field_is_named_and_the_rest_is_kept(
    tmp_path: Path, serve: Serve, pin: str, wrong: dict[str, str], said: str
) -> None:
    phone = Phone(serve(tmp_path))
    phone.enter(pin)
    phone.cookies["lang"] = "en"
    status, page = phone.send("/turns/set", **FORM | wrong)
    assert status == 400
    assert said in page
    assert (FORM | wrong)["start"] in page
    assert book.entries(book.open_book(tmp_path), "rota") == []


@pytest.mark.parametrize("path", ["/turns/set", "/turns/shortage", "/turns/correct"])
def test_without_a_pin_nothing_is_changed(
    tmp_path: Path, serve: Serve, pin: str, path: str
) -> None:
    guest = Phone(serve(tmp_path))
    assert guest.get(path)[0] == 303
    assert guest.post(f"{path}/keep", **FORM, mark="0" * 64)[0] == 303
    forged = Phone(guest.address, {"entered": "aqsaqqal.committee.1.9999999999999.ab." + "0" * 64})
    assert forged.post(f"{path}/keep", **FORM)[0] == 303
    conn = book.open_book(tmp_path)
    assert book.entries(conn) == []
    own = Phone(guest.address)
    own.enter(pin)
    assert own.post(f"{path}/keep", **FORM)[0] == 403  # without the mark: a form of another site
    assert book.entries(conn, "rota", "correction") == []


def test_the_crew_may_not_set_turns(tmp_path: Path, serve: Serve) -> None:
    living(tmp_path)
    kankan = pins.set_pin(book.open_book(tmp_path), "kankan", "crew", NOW)
    phone = Phone(serve(tmp_path))
    assert phone.enter(kankan, "committee")[0] == 403
    assert phone.enter(kankan, "crew")[0] == 303
    assert phone.get("/turns/set")[0] == 403


def test_guessing_has_to_wait_and_a_restart_does_not_shorten_it(
    tmp_path: Path, serve: Serve, pin: str
) -> None:
    clock = HandClock()
    phone = Phone(serve(tmp_path, clock))
    wrong = f"{(int(pin) + 1) % 10**6:06d}"
    assert [phone.enter(wrong)[0] for _ in range(5)] == [403] * 5
    assert phone.enter(pin)[0] == 429
    again = Phone(serve(tmp_path, clock))
    assert again.enter(pin)[0] == 429
    clock.ms += 2 * MIN
    assert again.enter(pin)[0] == 303
    clock.ms += 13 * HOUR
    assert again.get("/turns/set")[0] == 303  # the session has ended


def test_a_new_pin_ends_the_sessions_of_the_old_one(tmp_path: Path, serve: Serve, pin: str) -> None:
    phone = Phone(serve(tmp_path))
    phone.enter(pin)
    assert phone.get("/turns/set")[0] == 200
    pins.set_pin(book.open_book(tmp_path), "aqsaqqal", "committee", NOW)
    assert phone.get("/turns/set")[0] == 303


def test_entering_leads_nowhere_else(tmp_path: Path, serve: Serve, pin: str) -> None:
    address = serve(tmp_path)
    for away in ("//evil.example", "https://evil.example", "/\\evil.example", "/a\r\nX: y"):
        body = urllib.parse.urlencode({"role": "committee", "pin": pin, "next": away}).encode()
        request = urllib.request.Request(address + "/enter", body)
        with pytest.raises(urllib.error.HTTPError) as moved:
            urllib.request.build_opener(Stay).open(request, timeout=120)
        assert moved.value.headers["Location"] == "/"
        cookie = moved.value.headers["Set-Cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=strict" in cookie


@pytest.mark.parametrize(
    ("address", "scheme", "may"),
    [
        ("192.168.4.7", "http", True),
        ("::ffff:10.0.0.9", "http", True),
        ("fe80::1", "http", True),
        ("8.8.8.8", "http", False),
        ("::ffff:8.8.8.8", "http", False),
        ("", "http", False),
        ("8.8.8.8", "https", True),
    ],
)
def test_a_pin_travels_in_the_clear_only_in_the_village(
    address: str, scheme: str, may: bool
) -> None:
    assert near(address, scheme) is may


def test_a_technician_brings_turns_and_a_roles_pin(tmp_path: Path, serve: Serve) -> None:
    living(tmp_path)
    site = SITES / "banovshalar-gozlu"
    (tmp_path / "clock").write_bytes(NOW.to_bytes(8, "little"))
    here = ["--config", str(site / "site.toml"), "--data", str(tmp_path)]
    here += ["--clock-file", str(tmp_path / "clock")]
    run = CliRunner()
    turns = ["turns", "set", str(site / "turns.toml"), "--start", "2026-11-22T05:30", *here]
    done = run.invoke(gateway, turns)
    assert done.exit_code == 0, done.output
    assert "a cycle of 24 h" in done.output
    (tmp_path / "pin").write_text("402914\n")
    done = run.invoke(
        gateway, ["pin", "set", "committee", "--pin-file", str(tmp_path / "pin"), *here]
    )
    assert done.exit_code == 0, done.output
    assert "402914" not in done.output
    phone = Phone(serve(tmp_path))
    assert phone.enter("402914")[0] == 303
    page = phone.get("/turns?lang=en")[1]  # 11:05: the pool fills, nobody has the water
    assert "s turn now" in page
    rows = re.findall(r'<th scope="row">(\w+)</th>\s*<td>Mon', page)
    assert rows == ["A1", "A2", "A3", "B1", "B2", "B3"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("point = 'pool'\nflow_lps = 20\nplots = [['A1', 60]]", "point"),
        ("point = 'fields'\nflow_lps = 0\nplots = [['A1', 60]]", "flow_lps"),
        ("point = 'fields'\nflow_lps = 20\nplots = 'A1'", "plots"),
        ("point = 'fields'\nflow_lps = 20\nplots = [['A1', '60']]", "minutes"),
        ("point = 'fields'\nflow_lps = 20\nplots = [['-', 60]]", "1 to 100"),
        ("point = 'fields", "TOML"),
    ],
)
def test_a_wrong_file_of_turns_is_refused_by_its_place(
    tmp_path: Path, text: str, said: str
) -> None:
    (tmp_path / "turns.toml").write_text(text)
    site = SITES / "banovshalar-gozlu" / "site.toml"
    done = CliRunner().invoke(
        gateway,
        ["turns", "set", str(tmp_path / "turns.toml"), "--start", "2026-11-22T05:30",
         "--config", str(site), "--data", str(tmp_path)],
    )  # fmt: skip
    assert done.exit_code == 3
    assert said in done.output
    assert len(done.output.splitlines()) == 1
    assert not (tmp_path / "committee.db").exists()


@pytest.mark.parametrize("harm", ["readonly", "garbage"])
def test_a_book_that_cannot_be_written_or_read_leaves_the_front_page(
    tmp_path: Path, serve: Serve, pin: str, harm: str
) -> None:
    phone = Phone(serve(tmp_path))
    phone.enter(pin)
    phone.send("/turns/set", **FORM)
    path = tmp_path / "committee.db"
    if harm == "garbage":
        for each in tmp_path.glob("committee.db*"):
            each.unlink()
        path.write_bytes(b"SQLite format 3\0" + b"\xff" * 5000)
    else:
        with closing(book.open_book(tmp_path)) as conn:
            conn.execute(
                "CREATE TRIGGER full BEFORE INSERT ON meta BEGIN SELECT RAISE(FAIL, 'x'); END"
            )
    status, page = phone.get("/?lang=en")
    assert status == 200
    assert ("Turn of C3" in page) is (harm == "readonly")
    assert phone.get("/alarms")[0] == 200
