# SPDX-License-Identifier: MIT
"""A broker that differs from ours is told from it by what arrives, each difference by itself."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kahriz_gateway.broker.conf import access
from kahriz_gateway.checks import FAIL, IDLE, PASS, About, examine
from kahriz_gateway.checks.broker_ways import judge_delay, judge_queue
from kahriz_gateway.config import Options

from .conftest import PATIENCE_S, SITE, wait_for
from .site_broker import NODES, Site

OURS = access(SITE, NODES)
Differ = Callable[..., Site]


@pytest.fixture
def differ(tmp_path: Path) -> Iterator[Differ]:
    """Our broker with one line changed."""
    made: list[Site] = []

    def start(old: str = "", new: str = "", acl: str | None = OURS) -> Site:
        site = Site(tmp_path)

        def change(text: str) -> str:
            assert old in text, "the configuration no longer has this line"
            return text.replace(old, new) if old else text

        site.configure(acl, change)
        made.append(site.start())
        return site

    yield start
    for each in made:
        each.stop()


def look(site: Site, *names: str) -> list[tuple[str, str]]:
    results = examine(About(Options(site.plan(), site.folder / "data")), names)
    return [(each.finding.state, each.finding.says + each.finding.mend) for each in results]


@pytest.mark.needs("mosquitto")
def test_our_own_broker_passes(differ: Differ) -> None:
    found = look(differ(), "broker", "broker tls", "broker access", "broker retained",
                 "broker queue")  # fmt: skip
    assert [state for state, _ in found] == [PASS] * 5, found


@pytest.mark.needs("mosquitto")
def test_a_broker_without_access_list_is_known_although_ours_also_says_puback(
    differ: Differ,
) -> None:
    [(state, says)] = look(differ(acl=None), "broker access")
    assert (state, "speak for its neighbour" in says) == (FAIL, True)


@pytest.mark.needs("mosquitto")
def test_an_access_list_without_the_test_node_is_known(differ: Differ) -> None:
    [(state, says)] = look(differ(acl=OURS.replace("doctor", "nobody")), "broker access")
    assert (state, "kahriz.acl" in says) == (FAIL, True)


@pytest.mark.needs("mosquitto")
@pytest.mark.parametrize(
    ("old", "new", "check", "word"),
    [
        ("max_queued_messages 10000", "max_queued_messages 100", "broker queue", "max_queued"),
        ("max_inflight_messages 1000", "", "broker queue", "hands out 20"),
        ("persistence true", "persistence true\nretain_available false", "broker retained", "keep"),
        ("require_certificate true\n", "require_certificate false\n", "broker tls", "lets in"),
    ],
)
def test_one_line_that_differs_is_named(
    differ: Differ, old: str, new: str, check: str, word: str
) -> None:
    site = differ(old, new)
    if check == "broker tls":  # without a certificate there is no name to ask for
        site.stop()
        site.configure(None, lambda text: text.replace(old, new)
                       .replace("allow_anonymous false", "allow_anonymous true")
                       .replace("use_identity_as_username true\n", "")
                       .replace("use_username_as_clientid true\n", ""))  # fmt: skip
        site.start()
    [(state, says)] = look(site, check)
    assert (state, word in says) == (FAIL, True), says


@pytest.mark.needs("mosquitto")
def test_a_broker_that_waits_for_tcp_is_known(differ: Differ) -> None:
    """A delayed acknowledgement takes at least 40 ms, on however fast a machine."""
    [(state, says)] = look(
        differ("set_tcp_nodelay true", "set_tcp_nodelay false"), "broker nodelay"
    )
    assert (state, "set_tcp_nodelay" in says) == (FAIL, True), says


def test_what_figures_mean() -> None:
    assert judge_delay([0.4] * 12).state == PASS
    assert judge_delay([0.4] * 6 + [44.0] * 6).state == FAIL
    assert judge_delay([300.0] * 3 + [0.5] * 9).state == PASS, "a slow beginning is no delay"
    assert judge_delay([]).state == IDLE
    assert judge_queue(1_500, 1_000).state == PASS
    assert judge_queue(1_020, 20).state == FAIL


@pytest.mark.needs("mosquitto")
def test_without_a_receipt_the_doctor_does_not_believe_a_puback(differ: Differ) -> None:
    """No intake runs; the broker acknowledges the hello all the same."""
    [(state, says)] = look(differ(), "receipt")
    assert (state, "intake" in says) == (FAIL, True)


@pytest.mark.needs("mosquitto")
def test_intake_warns_of_a_foreign_broker_when_it_starts_and_works_on(differ: Differ) -> None:
    site = differ("max_inflight_messages 1000", "", acl=None)
    log = site.folder / "intake.log"
    argv = ["--config", str(site.plan()), "--data", str(site.folder / "data")]
    with log.open("wb") as out:
        intake = subprocess.Popen(
            [sys.executable, "-m", "kahriz_gateway.intake.service", *argv], stdout=out, stderr=out
        )
    try:
        wait_for(lambda: "receipt: stored and receipted" in log.read_text(), "it looks to the end")
        text = log.read_text()
        assert "WARNING broker access: no access list" in text
        assert "WARNING broker queue: hands out 20" in text
        assert "broker retained: keeps" in text
    finally:
        intake.terminate()
        assert intake.wait(PATIENCE_S) == 0
