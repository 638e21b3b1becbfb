# SPDX-License-Identifier: MIT
"""The real apprise, in a process of its own, against an HTTP server on this machine."""

from __future__ import annotations

import io
import json
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from kahriz_alarms.alarm import Alarm, Event
from kahriz_alarms.channels import Outside, apprise, channels
from kahriz_alarms.channels.apprise import AppriseChannel
from kahriz_alarms.delivery import DeliveryError
from kahriz_water.plan import ConfigError, parse_plan

pytest.importorskip("apprise")

SITES = Path(__file__).parents[2] / "firmware" / "kahriz_sim" / "sites"
TEXT = (SITES / "banovshalar-gozlu" / "site.toml").read_text(encoding="utf-8")
PLAN = parse_plan(f'{TEXT}[[apprise]]\nurl_file = "ntfy"\nlanguage = "ru"\n')
MS = 1_790_000_000_000
LEAK = Event(3, Alarm(7, "leak", "upper", "raised", MS, MS, lps=2.0), MS, "raised")


class Office:
    """Keeps what it was sent, and answers with `status`."""

    def __init__(self) -> None:
        self.status, self.got = 200, list[dict[str, Any]]()
        office = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                office.got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(office.status)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.http = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"json://127.0.0.1:{self.http.server_port}/"


@pytest.fixture(scope="module")
def office() -> Iterator[Office]:
    made = Office()
    threading.Thread(target=made.http.serve_forever, daemon=True).start()
    yield made
    made.http.shutdown()
    made.http.server_close()


def test_the_plan_sets_it_up_and_the_text_arrives_in_its_language(office: Office) -> None:
    office.status = 200
    found = channels(PLAN, Outside(None, lambda name: f"{office.url}\n\n".encode()))
    (channel,) = (c for c in found if c.name.startswith("apprise"))
    channel.send(LEAK, PLAN)
    assert office.got[-1]["title"] == "Кягриз Гёзлю, Бановшалар"
    assert office.got[-1]["message"].startswith("Утечка: Верхний канал, 2,0 л/с")


def test_a_refusal_is_tried_again_an_unknown_address_is_for_a_person_to_mend(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process itself, in this one: apprise takes four seconds to start."""
    office.status = 500

    def ends(url: str) -> int:
        said = {"urls": [url], "title": "t", "body": "b"}
        monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps(said)))
        return apprise.main()

    assert ends(office.url) == apprise.NOT_SENT
    assert ends("nothing://") == apprise.REFUSED


@pytest.mark.parametrize(
    ("end", "permanent"),
    [
        (f"exit {apprise.REFUSED}", True),
        (f"exit {apprise.NOT_SENT}", False),
        ("exit 1", False),
        ("kill -9 $$", False),
    ],
)
def test_no_end_of_it_tells_a_password(end: str, permanent: bool) -> None:
    """A real program that repeats what it was given, on both of its outputs, and ends so."""
    program = ("sh", "-c", f'said=$(cat); echo "$said"; echo "$said" >&2; {end}')
    with pytest.raises(DeliveryError) as caught:
        AppriseChannel("apprise-1", "json://u:secret@x", program=program).send(LEAK, PLAN)
    assert caught.value.permanent == permanent
    assert "secret" not in str(caught.value)


def test_one_that_hangs_is_given_up() -> None:
    hangs = AppriseChannel("a", "json://127.0.0.1", timeout_s=0.01, program=("sleep", "60"))
    with pytest.raises(DeliveryError, match="in time") as caught:
        hangs.send(LEAK, PLAN)
    assert not caught.value.permanent


def test_without_apprise_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)  # as Python says that it is not there
    with pytest.raises(DeliveryError, match="pip install") as caught:
        AppriseChannel("apprise-1", "json://x").send(LEAK, PLAN)
    assert caught.value.permanent


def test_a_language_that_we_do_not_have_is_refused() -> None:
    with pytest.raises(ConfigError, match="language"):
        parse_plan(f'{TEXT}[[apprise]]\nurl_file = "x"\nlanguage = "tr"\n')
