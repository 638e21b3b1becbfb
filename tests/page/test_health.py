# SPDX-License-Identifier: MIT
"""What programs ask of the page: numbers as JSON, and whether its data are fresh."""

import json
from pathlib import Path

import pytest
from answer import Answer
from conftest import Serve
from stores_made import HOUR, MIN, NOW, HandClock

from kahriz_gateway.village import store as village_store


def test_the_same_as_numbers(data: Path, serve: Serve) -> None:
    now = json.loads(Answer(serve(data) + "/api/now").text)
    assert (now["site"], now["status"], now["main"]) == ("banovshalar-gozlu", "act", "outlet")
    assert now["alarms"][0]["place"] == "upper"
    outlet = next(p for p in now["points"] if p["id"] == "outlet")
    assert outlet["numbers"][0]["age_ms"] < 10 * MIN
    assert 470 < now["today"]["m3"] < 490


def test_healthz_is_well_while_data_arrive(data: Path, serve: Serve) -> None:
    answer = Answer(serve(data) + "/healthz")
    assert answer.status == 200
    assert json.loads(answer.text)["ok"] is True


def test_healthz_fails_when_data_grow_old(data: Path, serve: Serve) -> None:
    answer = Answer(serve(data, HandClock(NOW + 3 * HOUR)) + "/healthz")
    assert answer.status == 503
    found = json.loads(answer.text)
    assert (found["intake"]["ok"], found["village"]["ok"]) == (False, False)


def test_healthz_fails_when_the_village_stands_still(data: Path, serve: Serve) -> None:
    conn = village_store.open_village(data / "village.db")
    conn.execute("DELETE FROM value WHERE ts > ?", (NOW - 5 * HOUR,))
    conn.close()
    found = json.loads(Answer(serve(data) + "/healthz").text)
    assert (found["intake"]["ok"], found["village"]["ok"]) == (True, False)


def test_healthz_fails_when_the_village_shows_no_sign_of_life(data: Path, serve: Serve) -> None:
    conn = village_store.open_village(data / "village.db")
    village_store.set_state(conn, "alive_ms", NOW - HOUR)
    conn.close()
    found = json.loads(Answer(serve(data) + "/healthz").text)
    assert (found["intake"]["ok"], found["village"]["ok"]) == (True, False)


@pytest.mark.parametrize("name", ["village.db", "readings.db"])
def test_healthz_fails_when_a_store_is_gone(data: Path, serve: Serve, name: str) -> None:
    for path in data.glob(f"{name}*"):
        path.unlink()
    answer = Answer(serve(data) + "/healthz")
    assert answer.status == 503
    assert f"{name}: no such file" in answer.text
