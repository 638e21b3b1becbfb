# SPDX-License-Identifier: MIT
"""The ways out, against a real HTTP server and a publisher that can fail."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from kahriz_alarms.alarm import Alarm, Event
from kahriz_alarms.channels import CHANNELS, Outside, channels
from kahriz_alarms.channels._template import TemplateChannel
from kahriz_alarms.channels.log import LogChannel
from kahriz_alarms.channels.mqtt import MqttChannel
from kahriz_alarms.channels.webhook import WebhookChannel
from kahriz_alarms.delivery import DeliveryError
from kahriz_water.plan import parse_plan

SITES = Path(__file__).parents[2] / "firmware" / "kahriz_sim" / "sites"
TEXT = (SITES / "banovshalar-gozlu" / "site.toml").read_text(encoding="utf-8")
PLAN = parse_plan(TEXT)
LEAK = Alarm(7, "leak", "upper", "raised", 1_790_000_000_000, 1_790_000_000_000, lps=2.0)
RAISED = Event(1, LEAK, LEAK.raised, "raised")


class Server:
    """Answers with what the test puts in, keeps what it was sent."""

    def __init__(self) -> None:
        self.answers: list[int] = []
        self.got: list[tuple[dict[str, str], bytes]] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                server.got.append((dict(self.headers), body))
                self.send_response(server.answers.pop(0) if server.answers else 204)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.http = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}/kahriz"


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    thread = threading.Thread(target=made.http.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield made
    made.http.shutdown()
    made.http.server_close()


def test_a_webhook_posts_signed_json(server: Server) -> None:
    WebhookChannel("webhook-1", server.url, b"secret").send(RAISED, PLAN)
    headers, body = server.got[0]
    expected = hmac.new(b"secret", body, hashlib.sha256).hexdigest()
    assert headers["X-Kahriz-Signature"] == f"sha256={expected}"
    sent = json.loads(body)
    assert (sent["kind"], sent["place"], sent["lps"], sent["what"]) == (
        "leak",
        "upper",
        2.0,
        "raised",
    )
    assert sent["text_az"].startswith("Sızma")


def test_a_webhook_gives_up_on_a_refusal(server: Server) -> None:
    server.answers = [403]
    with pytest.raises(DeliveryError, match="403") as caught:
        WebhookChannel("webhook-1", server.url, None).send(RAISED, PLAN)
    assert caught.value.permanent


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_webhook_is_tried_again_after_trouble(server: Server, status: int) -> None:
    server.answers = [status]
    with pytest.raises(DeliveryError) as caught:
        WebhookChannel("webhook-1", server.url, None).send(RAISED, PLAN)
    assert not caught.value.permanent


def test_a_webhook_without_a_server_is_tried_again(server: Server) -> None:
    server.http.server_close()
    with pytest.raises(DeliveryError) as caught:
        WebhookChannel("webhook-1", server.url, None, timeout_s=2).send(RAISED, PLAN)
    assert not caught.value.permanent


def test_mqtt_keeps_an_open_alarm_and_clears_a_closed_one() -> None:
    kept: dict[str, bytes] = {}
    channel = MqttChannel(lambda topic, body: kept.update({topic: body}) is None)
    channel.send(RAISED, PLAN)
    topic = "kahriz/v1/banovshalar-gozlu/gateway/alarm/7"
    assert json.loads(kept[topic])["kind"] == "leak"
    closed = Alarm(7, "leak", "upper", "closed", LEAK.raised, LEAK.raised, closed=LEAK.raised + 1)
    channel.send(Event(2, closed, LEAK.raised + 1, "cleared"), PLAN)
    assert kept[topic] == b""


def test_mqtt_without_a_broker_is_tried_again() -> None:
    with pytest.raises(DeliveryError) as caught:
        MqttChannel(lambda topic, body: False).send(RAISED, PLAN)
    assert not caught.value.permanent


def test_the_log_says_it_in_one_line(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "kahriz.alarm"):
        LogChannel().send(RAISED, PLAN)
    assert caplog.records[0].getMessage().startswith("Leak: Upper channel, 2.0 L/s")


def test_the_template_works_and_retries() -> None:
    said: list[str] = []
    TemplateChannel("copy", said.append).send(RAISED, PLAN)
    assert said[0].startswith("Sızma")

    def no_way(text: str) -> None:
        raise OSError("no network")

    with pytest.raises(DeliveryError, match="no network"):
        TemplateChannel("copy", no_way).send(RAISED, PLAN)


def test_the_index_builds_what_the_plan_asks_for() -> None:
    plan = parse_plan(TEXT + '\n[[webhook]]\nurl = "https://office.example/x"\nsecret_file = "s"\n')
    built = channels(plan, Outside(lambda topic, body: True, lambda name: b"secret"))
    assert [c.name for c in built] == ["log", "mqtt", "webhook-1"]
    assert set(CHANNELS) == {"log", "mqtt", "webhook", "apprise"}
    assert all(c.tells for c in built)
