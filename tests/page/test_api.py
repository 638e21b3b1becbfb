# SPDX-License-Identifier: MIT
"""The API of the village's own entries, and its description for programs."""

from __future__ import annotations

import json
import sqlite3
import urllib.error
import urllib.request
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from conftest import served
from phone import JPEG
from starlette.routing import Route
from stores_made import HOUR, MIN, NOW, HandClock, living, plan_of

from kahriz_gateway.page.api_openapi import OPEN, description
from kahriz_gateway.page.app import create_app
from kahriz_water.people import Person

START = NOW - 5 * HOUR - 5 * MIN
TOKEN = "t" * 40
PLAN = replace(
    plan_of(),
    people=(
        Person("rena", "Rəna Əliyeva", "committee", "az", ()),
        Person("kankan", "Həsən Quliyev", "crew", "az", ()),
    ),
)
ROTA = {"who": "rena", "point": "outlet", "start_ms": START, "flow_lps": 12.0,
        "plots": [["A1", 120], ["B2", 180], ["C3", 60]]}  # fmt: skip
VISIT = {"who": "kankan", "place": "upper", "cause": "joint", "at_ms": NOW - HOUR, "found": "x"}
READING = {"who": "kankan", "point": "outlet", "cm": 15.2, "at_ms": NOW - HOUR}
CLOSURE = {"who": "rena", "place": "upper", "hours": 2, "note": "təmir"}


@dataclass
class Api:
    """A program with the token."""

    address: str

    def ask(self, path: str, body: object = None, token: str = TOKEN) -> tuple[int, Any]:
        data = None if body is None else json.dumps(body).encode()
        return self.send(path, data, token)

    def send(self, path: str, data: bytes | None, token: str = TOKEN) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {token}"}
        request = urllib.request.Request(self.address + path, data, headers)
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Generator[Api, None, None]:
    data = tmp_path_factory.mktemp("api")
    living(data, leak=True)
    with served(PLAN, data, HandClock(), TOKEN) as address:
        yield Api(address)


def test_turns_are_set_corrected_and_read(api: Api) -> None:
    assert api.ask("/api/turns", ROTA)[0] == 201
    change = {"who": "rena", "plot": "C3", "start_ms": START, "end_ms": START + HOUR}
    assert api.ask("/api/turns/corrections", change)[0] == 201
    status, found = api.ask("/api/turns")
    assert status == 200
    assert [t["turn"]["plot"] for t in found["turns"]] == ["C3", "A1", "B2", "C3"]
    assert found["turns"][0]["m3"] == pytest.approx(12.0 * 3.6, rel=0.05)
    assert found["now"]["plot"] == "C3"
    assert found["shares"] == []  # a cycle that is not over is not judged


def test_visits_readings_and_closures_are_kept_and_read(api: Api) -> None:
    for path, body in (("visits", VISIT), ("readings", READING), ("closures", CLOSURE)):
        status, made = api.ask(f"/api/{path}", body)
        assert status == 201, made
        entries = api.ask(f"/api/{path}")[1]["entries"]
        assert (entries[-1]["id"], entries[-1]["who"]) == (made["id"], body["who"])


@pytest.mark.parametrize(
    ("path", "body"), [("turns", ROTA), ("visits", VISIT), ("readings", READING),
                       ("closures", CLOSURE)]
)  # fmt: skip
def test_what_is_sent_again_under_its_mark_counts_once(
    api: Api, path: str, body: dict[str, Any]
) -> None:
    marked = body | {"once": f"mark of {path}"}
    assert api.ask(f"/api/{path}", marked)[0] == 201
    before = api.ask(f"/api/{path}")[1]
    status, again = api.ask(f"/api/{path}", marked)
    assert (status, again["already"]) == (200, True)
    assert api.ask(f"/api/{path}")[1] == before


@pytest.fixture
def village(tmp_path: Path) -> Generator[tuple[Api, HandClock, Path], None, None]:
    living(tmp_path)
    clock = HandClock()
    with served(PLAN, tmp_path, clock, TOKEN) as address:
        yield Api(address), clock, tmp_path


@pytest.mark.parametrize(
    ("path", "body"), [("turns", ROTA), ("visits", VISIT), ("readings", READING),
                       ("closures", CLOSURE)]
)  # fmt: skip
def test_what_is_sent_again_word_for_word_counts_once_for_five_minutes(
    village: tuple[Api, HandClock, Path], path: str, body: dict[str, Any]
) -> None:
    api, clock, data = village
    sent: list[tuple[int, Any]] = []
    at_once = [Thread(target=lambda: sent.append(api.ask(f"/api/{path}", body))) for _ in range(6)]
    for each in at_once:
        each.start()
    for each in at_once:
        each.join()
    assert sorted(status for status, _ in sent) == [200] * 5 + [201]
    (ident,) = {answer["id"] for _, answer in sent}
    clock.ms += 300_000
    assert api.ask(f"/api/{path}", dict(reversed(body.items()))) == (
        200,
        {"id": ident, "already": True},
    )
    assert api.ask(f"/api/{path}", body | {"who": "rena", "note": "anew"})[0] == 201
    clock.ms += 1
    assert api.ask(f"/api/{path}", body)[0] == 201, "as somebody means it who says it again"
    assert api.ask(f"/api/{path}", body)[0] == 200
    with closing(sqlite3.connect(data / "village.db")) as conn:
        closed = conn.execute("SELECT count(*) FROM maintenance").fetchone()[0]
    assert closed == (3 if path == "closures" else 0)


def test_a_photo_goes_first_and_is_named_by_the_visit(api: Api) -> None:
    status, made = api.send("/api/photos", JPEG)
    assert status == 201, made
    for path, body in (("visits", VISIT), ("readings", READING)):
        assert api.ask(f"/api/{path}", body | {"photo": made["photo"]})[0] == 201
        assert api.ask(f"/api/{path}")[1]["entries"][-1]["body"]["photo"] == made["photo"]


@pytest.mark.parametrize("wrong", [b"", b"GIF89a", JPEG[:40], b"\xff" * 6_000_001])
def test_what_is_no_photo_is_refused(api: Api, wrong: bytes) -> None:
    assert api.send("/api/photos", wrong)[0] == 400


@pytest.mark.parametrize(
    ("path", "body", "said"),
    [
        ("turns", ROTA | {"who": "kankan"}, "who: a person of the plan, one of committee"),
        ("turns", ROTA | {"who": "nobody"}, "who"),
        ("turns", ROTA | {"plots": [["A1", 120], ["A1", 60]]}, "A1"),
        ("turns", ROTA | {"plots": "A1"}, "plots"),
        ("turns", ROTA | {"plots": [["A1", None]]}, "plots"),
        ("turns", ROTA | {"flow_lps": float("nan")}, "flow_lps"),
        ("turns", ROTA | {"start_ms": "now"}, "start_ms"),
        ("visits", VISIT | {"cause": "ghosts"}, "cause"),
        ("visits", VISIT | {"at_ms": NOW + 48 * HOUR}, "at_ms"),
        ("readings", READING | {"cm": True}, "cm"),
        ("readings", READING | {"point": "../x"}, "point"),
        ("closures", CLOSURE | {"note": ""}, "note"),
        ("closures", CLOSURE | {"hours": 1e9}, "hours"),
        ("closures", CLOSURE | {"who": "kankan"}, "committee, technician"),
        ("visits", VISIT | {"photo": "../../api.token"}, "photo"),
        ("readings", READING | {"photo": f"{'0' * 64}.jpg"}, "photo"),
        ("closures", CLOSURE | {"once": "x" * 33}, "once"),
    ],
)
def test_what_cannot_be_is_refused_in_words(
    api: Api, path: str, body: dict[str, Any], said: str
) -> None:
    before = api.ask(f"/api/{path}")[1]
    status, found = api.ask(f"/api/{path}", body)
    assert (status, said in found["error"]) == (400, True), found
    assert api.ask(f"/api/{path}")[1] == before


def test_without_the_token_only_the_description_is_open(api: Api) -> None:
    for path in ("turns", "visits", "readings", "closures"):
        assert api.ask(f"/api/{path}", token="x")[0] == 401
    assert api.ask("/api/openapi.json", token="x")[1]["openapi"] == "3.1.0"


def test_the_description_names_every_route_and_no_other(tmp_path: Path) -> None:
    app = create_app(PLAN, tmp_path, HandClock(), TOKEN)
    there = {
        (route.path, method.lower())
        for route in app.routes
        if isinstance(route, Route) and route.path.startswith("/api/")
        for method in (route.methods or {"GET"}) - {"HEAD"}
    }
    told = {(path, method) for path, each in description()["paths"].items() for method in each}
    assert told == there


def test_the_description_asks_for_what_the_gateway_asks_for(api: Api) -> None:
    bodies = {"turns": ROTA, "visits": VISIT, "readings": READING, "closures": CLOSURE}
    for path, body in bodies.items():
        said = description()["paths"][f"/api/{path}"]["post"]
        schema = said["requestBody"]["content"]["application/json"]["schema"]
        for key in schema["required"]:
            left_out = {k: v for k, v in body.items() if k != key}
            assert api.ask(f"/api/{path}", left_out)[0] == 400, (path, key)
    for path, each in description()["paths"].items():
        assert all(("security" in op) is (path not in OPEN) for op in each.values())
