# SPDX-License-Identifier: MIT
"""What the terminal says of a run that goes on, and of a leak that cannot ring."""

import inspect
import io

import pytest
from click.testing import CliRunner

from kahriz_detect.reach.balance import Balance
from kahriz_sim.demo import DAY_MS, LEARN_DAYS, DemoOptions, _doubt
from kahriz_sim.demo_cli import demo
from kahriz_sim.demo_screen import Screen

LEAK = ("leak", "upper", 2.0)


def test_an_alarm_of_an_earlier_run_is_no_news() -> None:
    out = io.StringIO()
    screen = Screen(out, quiet=True)
    screen.go_on(0, [LEAK])
    screen.life(60_000, 7, [LEAK])
    assert (
        out.getvalue() == "demo: going on from 01.01.1970 04:00; ALARM from before: leak at upper\n"
    )


@pytest.mark.parametrize(
    ("days", "options", "says"),
    [
        (2.0, DemoOptions(), "--history-days 2 are fewer"),
        (7.0, DemoOptions(duration=10.0), "--duration 10 ends before --leak-after 60"),
        (7.0, DemoOptions(duration=360.0), ""),
        (2.0, DemoOptions(scenario="calm", duration=10.0), ""),
    ],
)
def test_a_leak_that_cannot_ring_is_told_beforehand(
    days: float, options: DemoOptions, says: str
) -> None:
    out = io.StringIO()
    _doubt(options, {"start_ms": 0, "life_ms": int(days * DAY_MS)}, Screen(out, quiet=True))
    assert says in out.getvalue()
    assert bool(out.getvalue()) == bool(says)


def test_the_days_of_learning_are_those_of_the_detector() -> None:
    assert inspect.signature(Balance).parameters["learn_days"].default == LEARN_DAYS


@pytest.mark.parametrize("option", ["--leak-lps", "--speed", "--duration", "--history-days"])
def test_what_is_no_number_is_refused(option: str) -> None:
    done = CliRunner().invoke(demo, [option, "nan", "--page", "none"])
    assert done.exit_code == 2
    assert "'nan' is no number" in done.output


@pytest.mark.parametrize("moment", ["1970-01-01", "2025-03-04T23:55", "2036-01-01"])
def test_a_date_that_the_gateway_would_not_believe_is_refused(moment: str) -> None:
    done = CliRunner().invoke(demo, ["--begins", moment, "--page", "none"])
    assert done.exit_code == 2
    assert f"{moment} is not from 2025-03-05 to before 2036-01-01" in done.output
