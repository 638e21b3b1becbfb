# SPDX-License-Identifier: MIT
"""Links in a mail of the running village: looked at by scanners, pressed once, forged by some."""

from __future__ import annotations

import email
import http.client
import re
from email.policy import default
from urllib.parse import urlsplit

import pytest

from kahriz_alarms.loop.links import LinkError, Links, links_of
from kahriz_alarms.service import kept_secret
from kahriz_water.plan import ConfigError, parse_plan

from .conftest import PATIENCE_S
from .test_alarm_api import Site, ident, notified, site, until  # noqa: F401
from .test_alarm_loop import PEOPLE, T0, TEXT

URL = re.compile(r"http://127\.0\.0\.1:\d+/a/\S+")
PLAN = parse_plan(f'{TEXT}{PEOPLE}[alarms]\npublic_url = "https://kahriz.example/"\n')
KEY = b"k" * 32
UNTIL_S = T0 // 1000 + 60


def ask(url: str, method: str = "GET", body: str | None = None) -> tuple[int, str]:
    parts = urlsplit(url)
    link = http.client.HTTPConnection("127.0.0.1", parts.port, timeout=PATIENCE_S)
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    link.request(method, parts.path, body, form if body is not None else {})
    answer = link.getresponse()
    found = answer.read().decode()
    link.close()
    return answer.status, found


@pytest.fixture
def links(site: Site, ident: int) -> list[str]:  # noqa: F811
    """What the mail about this alarm offers: got it, on my way, fixed."""
    found: list[str] = []

    def came() -> bool:
        for _, content in site.mail.kept:
            body = email.message_from_bytes(content, policy=default).get_body()  # type: ignore[attr-defined]
            of_it = [u for u in URL.findall(body.get_content()) if f"/a/{ident}." in u]
            found[:] = of_it or found
        return len(found) == 3

    until(came)
    return found


def state(site: Site, ident: int) -> tuple[str, str | None, str | None]:  # noqa: F811
    one = site.ask("GET", f"/api/alarms/{ident}")[1]
    return one["state"], one["owner"], one["cause"]


def test_a_look_changes_nothing_a_press_does_and_only_once(
    site: Site,  # noqa: F811
    ident: int,  # noqa: F811
    links: list[str],
) -> None:
    until(lambda: notified(site, ident))
    got, coming, fixed = links
    for url in links * 2:  # what a scanner of mails does
        assert ask(url)[0] == 200
        assert ask(url, "HEAD")[0] == 200
    assert state(site, ident) == ("notified", None, None)
    status, page = ask(coming, "POST", "")
    assert status == 200
    assert "yolda olduğunuzu" in page
    assert state(site, ident) == ("in_repair", "ali", None)
    assert ask(coming, "POST", "")[0] == 409
    assert ask(coming)[0] == 409
    assert ask(fixed, "POST", "cause=magic")[0] == 400
    assert ask(fixed, "POST", "cause=joint")[0] == 200
    assert state(site, ident) == ("reported_fixed", "ali", "joint")
    assert ask(got, "POST", "")[0] == 409  # it cannot follow: not used up by that
    assert "somebody was faster" not in ask(got)[1]
    steps = [step["what"] for step in site.ask("GET", f"/api/alarms/{ident}")[1]["steps"]]
    own = [what for what in steps if what != "unproved"]  # by and by the water's own word is added
    assert own == ["raised", "notified", "coming", "fixed"]


def test_a_forged_or_cut_link_does_nothing(site: Site, ident: int, links: list[str]) -> None:  # noqa: F811
    got = links[0]
    swapped = got.replace(".ack.", ".fixed.")
    later = re.sub(r"\.(\d{10})\.", lambda m: f".{int(m[1]) + 9}.", got)
    for url in (
        swapped,
        later,
        got[:-1],
        got.replace(".ali.", ".rena."),
        got.split("/a/")[0] + "/a/x",
    ):
        assert ask(url, "POST", "cause=joint")[0] == 404
    assert state(site, ident)[1] is None


def test_a_link_ends_and_belongs_to_its_site_and_key() -> None:
    made = Links(PLAN, KEY)
    text = made.make(7, "ack", "ali", UNTIL_S)
    assert made.read(text, T0).alarm == 7
    for reader, link, now, why in (
        (made, text, T0 + 60_000, "over"),
        (Links(PLAN, b"z" * 32), text, T0, "wrong"),
        (made, made.make(7, "ack", "nobody", UNTIL_S), T0, "unknown"),
        (made, made.make(7, "burn", "ali", UNTIL_S), T0, "over"),
    ):
        with pytest.raises(LinkError) as caught:
            reader.read(link, now)
        assert caught.value.why == why


def test_the_key_is_kept_or_comes_from_a_file(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("data")
    made = links_of(PLAN, folder)
    assert made is not None
    text = made.make(7, "ack", "ali", UNTIL_S)
    again = links_of(PLAN, folder)
    assert again is not None
    assert again.read(text, T0).op == "ack"
    assert len(kept_secret.kept(folder, "link.key")) == 43
    (folder / "short").write_text("short")
    words = f'[alarms]\npublic_url = "https://x.az"\nlink_key_file = "{folder / "short"}"\n'
    with pytest.raises(ConfigError, match="16 bytes"):
        links_of(parse_plan(TEXT + words), folder)
