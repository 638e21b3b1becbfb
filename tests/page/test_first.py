# SPDX-License-Identifier: MIT
"""The first screen: when the pool is full, whom to call, who has a warning."""

from __future__ import annotations

import inspect
from dataclasses import replace
from pathlib import Path

import pytest
from answer import Answer
from conftest import Serve
from phone import Phone
from stores_made import (
    DAY,
    HOUR,
    MIN,
    NOW,
    HandClock,
    alarm,
    fills,
    flow,
    living,
    open_for_writing,
    plan_of,
    put,
)  # fmt: skip

from kahriz_detect.reach.balance import Balance
from kahriz_gateway.committee import book, pins
from kahriz_gateway.page.view import LEARN_MS
from kahriz_gateway.village.store import Value
from kahriz_water.filling import LOOK_MS, full_at
from kahriz_water.people import Person

PEOPLE = (
    Person("aqsaqqal", "Məmməd Əliyev", "committee", "az", ("call",), phone="+994501110011"),
    Person("kankan", "Həsən Quliyev", "crew", "az", ("call",), phone="+994502220022"),
)
PEOPLED = replace(plan_of(), people=PEOPLE)


def test_a_pool_that_fills_steadily_says_when_it_is_full(tmp_path: Path, serve: Serve) -> None:
    living(tmp_path)
    fills(tmp_path, rate_m3_h=100.0)  # 725 m3 hold; 300 at 11:05
    assert "full at 15:20" in Answer(serve(tmp_path) + "/?lang=en").text


@pytest.mark.parametrize(
    ("m3", "why"),
    [
        (lambda h: 300.0, "stands"),
        (lambda h: 300.0 - 30 * h, "falls"),
        (lambda h: 300.0 + max(0.0, h + 0.5) * 100, "began half an hour ago"),
        (lambda h: 300.0 + 50 * h + (40 if int(h * 12) % 2 else -40), "waves"),
        (lambda h: 700.0 + 0.5 * h, "takes days"),
        (lambda h: 800.0 + 10 * h, "is full"),
    ],
)
def test_a_rise_that_is_not_steady_says_nothing(m3: object, why: str) -> None:
    assert callable(m3)
    rows = [(NOW + m * MIN, m3(m / 60)) for m in range(-180, 1, 5)]
    assert full_at(rows, 725.0, 62 * MIN, NOW) is None, why


def test_an_old_or_broken_rise_says_nothing() -> None:
    rows = [(NOW + m * MIN, 300.0 + 2 * m) for m in range(-180, 1, 5)]
    assert full_at(rows, 725.0, 62 * MIN, NOW) is not None
    assert full_at(rows, 725.0, 62 * MIN, NOW + 2 * HOUR) is None
    assert full_at([r for r in rows if r[0] > NOW - LOOK_MS // 2], 725.0, 62 * MIN, NOW) is None


def test_the_call_button_names_nobody_without_a_pin(tmp_path: Path, serve: Serve) -> None:
    living(tmp_path, leak=True)
    page = Answer(serve(tmp_path) + "/").text
    assert 'class="call" href="/call"' in page
    answer = Answer(serve(tmp_path, plan=PEOPLED) + "/call?lang=en")
    assert "published no number" in answer.text
    assert "Crew" in answer.text
    for each in PEOPLE:
        assert each.name not in answer.text + page
        assert (each.phone or "+") not in answer.text


def test_a_published_number_is_one_tap_away(tmp_path: Path, serve: Serve) -> None:
    living(tmp_path)
    plan = plan_of()
    plan = replace(plan, page=replace(plan.page, call="+994552220011"))
    address = serve(tmp_path, plan=plan)
    assert 'href="tel:+994552220011"' in Answer(address + "/").text
    assert 'href="tel:+994552220011"' in Answer(address + "/call").text


def test_with_a_pin_the_button_rings_who_has_the_warning(tmp_path: Path, serve: Serve) -> None:
    living(tmp_path, leak=True)
    owner = PEOPLE[1]
    conn = open_for_writing(tmp_path)
    conn.execute("UPDATE alarm SET owner=?", (owner.id,))
    conn.close()
    phone = Phone(serve(tmp_path, plan=PEOPLED))
    assert "with: Crew" in phone.get("/?lang=en")[1]
    phone.enter(pins.set_pin(book.open_book(tmp_path), "aqsaqqal", "committee", NOW))
    assert f'href="tel:{owner.phone}" aria-label="Call {owner.name}"' in phone.get("/?lang=en")[1]
    page = phone.get("/call?lang=en")[1]
    assert page.index(owner.name) < page.index("has it")
    assert page.index("has it") < page.index(PEOPLE[0].phone or "")


def test_a_young_kahriz_says_until_when_it_learns(tmp_path: Path, serve: Serve) -> None:
    living(tmp_path, days=1)  # 22.11.2026 11:05
    put(tmp_path, [Value("chamber", "level_m", NOW - 5 * MIN, 1.0, 0.01, 1)])
    clock = HandClock()
    address = serve(tmp_path, clock)
    assert "Learning until 25.11" in Answer(address + "/?lang=en").text
    put(tmp_path, flow("outlet", 12.0, NOW - 4 * DAY, NOW - 4 * DAY + HOUR))
    for point in ("middle", "inlet"):
        put(tmp_path, flow(point, 12.0, NOW - 4 * DAY, NOW - 4 * DAY + HOUR))
    assert "Learning" not in Answer(address + "/?lang=en").text


def test_learning_takes_as_long_as_the_balance_says() -> None:
    days = inspect.signature(Balance.__init__).parameters["learn_days"].default
    assert days * DAY == LEARN_MS


def test_nobody_has_a_new_warning(tmp_path: Path, serve: Serve) -> None:
    alarm(tmp_path, raised=NOW - HOUR)
    put(tmp_path, flow("outlet", 12.0, NOW - HOUR, NOW))
    assert "nobody has it yet" in Answer(serve(tmp_path) + "/?lang=en").text
