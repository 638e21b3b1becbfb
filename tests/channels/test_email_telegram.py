# SPDX-License-Identifier: MIT
"""E-mail against a real SMTP server, Telegram against an HTTP server that speaks its Bot API."""

from __future__ import annotations

import email
import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from email.message import EmailMessage
from email.policy import default
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from kahriz_alarms import charts
from kahriz_alarms.channels.email import EmailChannel
from kahriz_alarms.channels.telegram import TelegramChannel
from kahriz_alarms.delivery import DeliveryError
from kahriz_alarms.people import Person
from kahriz_alarms.personal import Message
from kahriz_detect.charts.chart import Evidence, Line, Panel, chart_svg
from tests.server.office import PATIENCE_S, AnyPort

ALI = Person("ali", "Əli", "crew", "az", ("email",), email="ali@example.az", telegram="77")
LEAK = Message(5, (), "Sızma: Yuxarı arx", "12 m³ itki", "Sızma", chart_svg=b"<svg/>")


def _form(parts: Any) -> dict[str, Any]:
    """What each field of a form holds."""
    return {
        part.get_param("name", header="content-disposition"): part.get_content()
        for part in parts.iter_parts()
    }


class Bot:
    """Answers what the test puts in, keeps what it was asked."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, object]] = []
        self.got: list[tuple[str, dict[str, Any]]] = []
        bot = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                data = self.rfile.read(int(self.headers["Content-Length"]))
                sort = self.headers["Content-Type"]
                whole = f"Content-Type: {sort}\r\n\r\n".encode() + data
                parts = email.message_from_bytes(whole, policy=default)
                body = json.loads(data) if sort == "application/json" else _form(parts)
                bot.got.append((self.path, body))
                status, reply = bot.answers.pop(0) if bot.answers else (200, {"result": {}})
                self.send_response(status)
                self.end_headers()
                self.wfile.write(json.dumps(reply).encode())

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.http = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}"


@pytest.fixture
def bot() -> Iterator[Bot]:
    made = Bot()
    threading.Thread(target=made.http.serve_forever, args=(0.01,), daemon=True).start()
    yield made
    made.http.shutdown()
    made.http.server_close()


def test_telegram_sends_and_obeys_the_wait(bot: Bot) -> None:
    channel = TelegramChannel("1:x", bot.url)
    channel.send(LEAK, ALI)
    assert bot.got[0][0] == "/bot1:x/sendMessage"
    assert bot.got[0][1] == {"chat_id": "77", "text": "Sızma: Yuxarı arx\n\n12 m³ itki"}
    del bot.got[1:]
    bot.answers = [(429, {"parameters": {"retry_after": 60}})]
    for _ in range(2):
        with pytest.raises(DeliveryError, match="wait") as caught:
            channel.send(LEAK, ALI)
        assert not caught.value.permanent
    assert len(bot.got) == 2  # the second was not even asked, nor the chart sent
    assert not channel.health().ok


DRAWN = chart_svg(
    Evidence("Sızma", (Panel("L/s", (Line("Ağız", [(0, 12.0), (600, 10.0)]),)),), 0, 600, 600)
)


def test_the_chart_comes_as_a_photo_of_its_own(bot: Bot) -> None:
    pytest.importorskip("resvg_py")
    TelegramChannel("1:x", bot.url).send(replace(LEAK, chart_svg=DRAWN.encode()), ALI)
    assert [path for path, _ in bot.got] == ["/bot1:x/sendMessage", "/bot1:x/sendPhoto"]
    photo = bot.got[1][1]
    assert str(photo["chat_id"]).strip() == "77"
    assert photo["photo"].startswith(b"\x89PNG\r\n")
    assert 5_000 < len(photo["photo"]) < 200_000


def test_without_a_font_the_chart_goes_as_a_file(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(charts, "FONTS", ())
    charts.has_fonts.cache_clear()
    try:
        TelegramChannel("1:x", bot.url).send(replace(LEAK, chart_svg=DRAWN.encode()), ALI)
    finally:
        charts.has_fonts.cache_clear()
    assert bot.got[1][0] == "/bot1:x/sendDocument"
    assert bot.got[1][1]["document"] == DRAWN.encode()


def test_a_photo_that_is_refused_does_not_send_the_text_again(bot: Bot) -> None:
    bot.answers = [(200, {"result": {}}), (400, {"description": "PHOTO_INVALID_DIMENSIONS"})]
    TelegramChannel("1:x", bot.url).send(replace(LEAK, chart_svg=DRAWN.encode()), ALI)
    assert len(bot.got) == 2


def test_telegram_gives_up_on_a_refusal(bot: Bot) -> None:
    bot.answers = [(403, {"description": "bot was blocked by the user"})]
    with pytest.raises(DeliveryError, match="blocked") as caught:
        TelegramChannel("1:x", bot.url).send(LEAK, ALI)
    assert caught.value.permanent


def test_telegram_hears_answers_and_counts_on(bot: Bot) -> None:
    said = {"date": 1_790_000_000, "chat": {"id": 77}, "text": "gəlirəm"}
    bot.answers = [(200, {"result": [{"update_id": 9, "message": said}, {"update_id": 10}]})]
    channel = TelegramChannel("1:x", bot.url)
    heard = channel.receive()
    assert [(i.sender, i.text, i.key) for i in heard] == [
        ("77", "gəlirəm", "9.1790000000"),
        ("", "", "10.0"),
    ]
    assert channel.offset == 0  # not stored yet: it would come again
    for one in heard:
        channel.done(one)
    assert channel.offset == 11


@pytest.mark.parametrize("reply", [None, [], 7, "ok", {}, {"ok": True}])
def test_an_answer_that_is_none_of_telegrams_is_refused_in_words(bot: Bot, reply: object) -> None:
    bot.answers = [(200, reply), (200, reply), (200, {"result": []})]
    channel = TelegramChannel("1:x", bot.url)
    for ask in (lambda: channel.send(LEAK, ALI), channel.receive):
        with pytest.raises(DeliveryError, match="Telegram answered with no result") as caught:
            ask()
        assert (caught.value.permanent, channel.health().ok) == (False, False)
    assert channel.receive() == []
    assert channel.health().ok


@pytest.mark.parametrize("result", [None, {"a": 1}, 7, [None], [{}], [{"update_id": "9"}]])
def test_updates_that_are_none_are_refused_in_words(bot: Bot, result: object) -> None:
    bot.answers = [(200, {"result": result})]
    with pytest.raises(DeliveryError, match=r"with (no list of updates|updates without)"):
        TelegramChannel("1:x", bot.url).receive()


@pytest.mark.parametrize("said", [None, [], "SU", {"date": "x", "chat": None}, {"date": 1 << 80}])
def test_a_strange_message_does_not_block_what_comes_after(bot: Bot, said: object) -> None:
    good = {"date": 1_790_000_000, "chat": {"id": 77}, "text": "SU"}
    updates = [{"update_id": 9, "message": said}, {"update_id": 10, "message": good}]
    bot.answers = [(200, {"result": [None, *updates]})]
    heard = TelegramChannel("1:x", bot.url).receive()
    assert [(one.text, one.key) for one in heard] == [("", "9.0"), ("SU", "10.1790000000")]


@pytest.mark.parametrize(
    ("reply", "wait"),
    [
        ({"parameters": {"retry_after": 10**9}}, 300),
        ({"parameters": {"retry_after": "1e999"}}, 300),
        ({"parameters": {"retry_after": "45"}}, 45),
        ({"parameters": {"retry_after": -5}}, 1),
        ({"parameters": {"retry_after": [7]}}, 30),
        ({"parameters": "soon"}, 30),
        (["wait"], 30),
        (None, 30),
    ],
    ids=str,
)
def test_no_answer_silences_telegram_for_long(bot: Bot, reply: object, wait: int) -> None:
    bot.answers = [(429, reply)]
    with pytest.raises(DeliveryError, match=f"Telegram asks to wait {wait} s") as caught:
        TelegramChannel("1:x", bot.url).send(LEAK, ALI)
    assert not caught.value.permanent


def test_half_a_character_does_not_block_what_comes_after(bot: Bot) -> None:
    said = {"date": 1_790_000_000, "chat": {"id": 77}, "text": "SU\ud83d"}
    bot.answers = [(200, {"result": [{"update_id": 9, "message": said}]})]
    assert TelegramChannel("1:x", bot.url).receive()[0].text == "SU?"


def test_a_dead_telegram_does_not_tell_its_token() -> None:
    with pytest.raises(DeliveryError) as caught:
        TelegramChannel("secret", "http://127.0.0.1:1").send(LEAK, ALI)
    assert "secret" not in str(caught.value)
    assert not caught.value.permanent


def test_an_email_arrives_whole() -> None:
    kept: list[bytes] = []

    class Handler:
        async def handle_RCPT(  # noqa: N802
            self, server: Any, session: Any, env: Any, to: str, o: Any
        ) -> str:
            if to.startswith("nobody"):
                return "550 no such user"
            env.rcpt_tos.append(to)
            return "250 OK"

        async def handle_DATA(  # noqa: N802
            self, server: Any, session: Any, envelope: Any
        ) -> str:
            kept.append(envelope.content)
            return "250 OK"

    server = AnyPort(Handler(), hostname="127.0.0.1", port=0, ready_timeout=PATIENCE_S)
    server.start()
    try:
        channel = EmailChannel("127.0.0.1", server.port, "kahriz@example.az", tls="none")
        channel.send(LEAK, ALI)
        nobody = Person("x", "X", "crew", "az", ("email",), email="nobody@example.az")
        with pytest.raises(DeliveryError) as caught:
            channel.send(LEAK, nobody)
        assert caught.value.permanent
    finally:
        server.stop()
    mail = email.message_from_bytes(kept[0], policy=default)
    assert isinstance(mail, EmailMessage)
    body = mail.get_body()
    assert body is not None
    assert "12 m³ itki" in body.get_content()
    assert [a.get_filename() for a in mail.iter_attachments()] == ["chart.svg"]


def test_no_mail_server_is_tried_again() -> None:
    with pytest.raises(DeliveryError) as caught:
        EmailChannel("127.0.0.1", 1, "k@example.az", tls="none").send(LEAK, ALI)
    assert not caught.value.permanent
