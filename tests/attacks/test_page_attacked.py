# SPDX-License-Identifier: MIT
"""The page attacked by a guest on the village's WiFi and by a curious member of the committee."""

from __future__ import annotations

import re
import socket
import urllib.parse
from collections.abc import Generator
from pathlib import Path

import pytest

from kahriz_gateway.committee import book, pins
from kahriz_water.plan import Plan, parse_plan
from tests.page.conftest import served
from tests.page.phone import Phone
from tests.page.stores_made import HOUR, NOW, SITES, HandClock, alarm, heard, living

PATIENCE_S = 120.0  # for a broken page, not for a busy machine
EVIL = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'}}{{7*7}}"
PATHS = ("/", "/alarms", "/missing", "/history", "/turns", "/work", "/work/visit", "/tests/pool",
         "/poster")  # fmt: skip


def evil_plan() -> Plan:
    """A plan in which every name is an attack."""
    text = (SITES / "banovshalar-gozlu" / "site.toml").read_text("utf-8")
    quoted = EVIL.replace("\\", "\\\\").replace('"', '\\"')
    return parse_plan(re.sub(r'\b(az|ru|en) = "[^"]*"', rf'\1 = "{quoted}"', text), "site.toml")


class Village:
    """A served page with a person of each role."""

    def __init__(self, address: str, data: Path, codes: dict[str, str]) -> None:
        self.address, self.data, self.codes = address, data, codes

    def as_(self, role: str) -> Phone:
        phone = Phone(self.address)
        assert phone.enter(self.codes[role], role)[0] == 303
        return phone


@pytest.fixture(scope="module")
def village(tmp_path_factory: pytest.TempPathFactory) -> Generator[Village, None, None]:
    data = tmp_path_factory.mktemp("attacked")
    plan = evil_plan()
    living(data, leak=True)
    heard(data, plan)
    alarm(data, EVIL[:60], place=EVIL[:60], raised=NOW - HOUR, evidence={EVIL: EVIL})
    conn = book.open_book(data)
    roles = ("committee", "crew", "technician")
    codes = {role: pins.set_pin(conn, f"{role}-{i}", role, NOW) for i, role in enumerate(roles)}
    conn.close()
    with served(plan, data, HandClock()) as address:
        yield Village(address, data, codes)


def test_no_name_field_or_evidence_becomes_a_script(village: Village) -> None:
    phone = village.as_("committee")
    sent = {
        "place": "upper",
        "cause": "joint",
        "at": "2026-11-23T10:00",
        "who": EVIL,
        "found": EVIL,
    }
    assert phone.send("/work/visit", **sent)[0] == 303
    assert phone.send("/work/closure", place="upper", hours="1", why=EVIL)[0] == 303
    plots = {"point": "outlet", "start": "2026-11-23T06:00", "flow_lps": "12"}
    assert phone.send("/turns/set", plots="<b>x</b> 300\n=1+1 300", **plots)[0] == 303
    seen = "".join(phone.get(path)[1] for path in PATHS)
    assert "&lt;script&gt;alert(1)" in seen
    assert "<script>alert(1)" not in seen
    assert "<img src=x" not in seen
    assert "<b>x</b>" not in seen
    assert "49" not in re.findall(r"alert\(2\)[^<]{0,20}", seen)
    assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", seen))
    table = phone.get("/turns.csv")[1]
    assert not any(cell.startswith("=") for cell in re.split(r"[,\n]", table))


@pytest.mark.parametrize(
    "path",
    ["/static/../app.py", "/static/%2e%2e/app.py", "/static//etc/passwd", "/photos/../committee.db",
     "/photos/%2e%2e%2fcommittee.db", "/..%2f..%2fetc/passwd", "/static/page.css/../../app.py"],
)  # fmt: skip
def test_no_path_leads_out_of_its_folder(village: Village, path: str) -> None:
    status, text = village.as_("technician").get(path)
    assert status in (400, 404)
    assert "root:" not in text
    assert "SQLite format" not in text
    assert "import " not in text


@pytest.mark.parametrize(
    "query",
    ["point=' OR 1=1--", "point=outlet&quantity=discharge_lps' UNION SELECT pin", "span=../x",
     "date=9999999999-99-99", "point=" + "x" * 5000, "lang=%00", "from=%27%3B", "point=%ff%fe"],
)  # fmt: skip
@pytest.mark.parametrize("path", ["/history", "/turns", "/turns.csv"])
def test_no_question_reaches_the_stores_but_ours(village: Village, path: str, query: str) -> None:
    status, text = Phone(village.address).get(f"{path}?{urllib.parse.quote(query, safe='=&%')}")
    assert status in (200, 400, 404, 414)
    assert "sqlite" not in text.lower()
    assert "Traceback" not in text


@pytest.mark.parametrize("path", ["/work/closure", "/turns/set", "/alarms/1"])
def test_a_form_of_another_site_does_nothing(village: Village, path: str) -> None:
    phone = village.as_("committee")
    before = len(book.entries(book.open_book(village.data)))
    target = path if path.startswith("/alarms") else f"{path}/keep"
    assert phone.post(target, place="upper", hours="300", why="x", op="ack")[0] == 403
    assert len(book.entries(book.open_book(village.data))) == before


def test_another_roles_mark_and_a_crews_wish_open_nothing_more(village: Village) -> None:
    crew, committee = village.as_("crew"), village.as_("committee")
    mark = committee.marks("/work/closure")["mark"]
    assert crew.post("/work/closure/keep", mark=mark, place="upper", hours="9", why="x")[0] == 403
    own = crew.marks("/work/visit")["mark"]
    assert crew.post("/work/closure/keep", mark=own, place="upper", hours="9", why="x")[0] == 403


@pytest.mark.parametrize("method", ["PUT", "DELETE", "TRACE", "CONNECT", "PATCH"])
def test_other_methods_are_refused(village: Village, method: str) -> None:
    asked = f"{method} /alarms HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    said = _raw(village, asked, PATIENCE_S)
    assert said.split()[1] in (b"400", b"405")


@pytest.mark.parametrize(
    "request_",
    [
        "GET / HTTP/1.1\r\nHost: x\r\nX: " + "a" * 200_000 + "\r\n\r\n",
        "GET /" + "a" * 200_000 + " HTTP/1.1\r\nHost: x\r\n\r\n",
        "POST /enter HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\nrole=",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0",
        "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        "GET / HTTP/9.9\r\n\r\n",
    ],
    ids=["header", "path", "length", "smuggling", "tls", "version"],
)
def test_a_broken_request_costs_only_itself(village: Village, request_: str) -> None:
    _raw(village, request_)
    assert Phone(village.address).get("/")[0] == 200


def test_many_slow_guests_do_not_keep_the_others_out(village: Village) -> None:
    host, port = village.address.removeprefix("http://").split(":")
    slow = []
    for _ in range(200):
        guest = socket.create_connection((host, int(port)), timeout=PATIENCE_S)
        guest.sendall(b"POST /enter HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nr")
        slow.append(guest)
    try:
        assert Phone(village.address).get("/")[0] == 200
        assert village.as_("crew").get("/work")[0] == 200
    finally:
        for guest in slow:
            guest.close()


def _raw(village: Village, request: str, patience_s: float = 1.0) -> bytes:
    """What the page says to bytes that no browser would send; most are never answered."""
    host, port = village.address.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=PATIENCE_S) as guest:
        said = b""
        try:
            guest.sendall(request.encode("latin-1"))
            guest.settimeout(patience_s)
            while part := guest.recv(65_536):
                said += part
        except OSError:  # it hung up on us, as it may
            return said
        return said
