# SPDX-License-Identifier: MIT
"""Telegram by its Bot API, whose address is a setting; answers come by getUpdates.

Telegram keeps an update until a call names a higher `offset`, which `done` sets once it is stored:
a restart begins at what nobody has confirmed. An update without text counts too, or it would block.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import math
import secrets
import time
import urllib.error
import urllib.request
from typing import Any

from kahriz_alarms import charts
from kahriz_alarms.delivery import DeliveryError
from kahriz_alarms.people import Person
from kahriz_alarms.personal import Health, Incoming, Message, storable

TIMEOUT_S = 20.0
BASE = "https://api.telegram.org"
USUAL_WAIT_S, LONGEST_WAIT_S = 30.0, 300.0  # no answer silences this way for longer: it asks again
LONGEST_AT_S = 1 << 40


class TelegramChannel:
    """429 names the seconds to wait: until then nothing is sent, and the next way is tried."""

    name = "telegram"

    def __init__(self, token: str, base: str = BASE) -> None:
        self._token, self._base = token, base.rstrip("/")
        self.offset = 0
        self._quiet_until = 0.0
        self._health = Health(True)

    def send(self, message: Message, to: Person) -> None:
        if to.telegram is None:
            raise DeliveryError(f"{to.id} has no Telegram chat", permanent=True)
        text = "\n\n".join(t for t in (message.first, message.more) if t)
        self._call("sendMessage", {"chat_id": to.telegram, "text": text[:4096]})
        if message.chart_svg is not None:
            with contextlib.suppress(DeliveryError):  # the text is there; it is not sent twice
                self._picture(to.telegram, message.chart_svg)

    def _picture(self, chat: str, svg: bytes) -> None:
        """The chart as a photo; as a file where this machine cannot make a PNG."""
        photo = charts.png(svg)
        if photo is not None:
            self._post("sendPhoto", *form(chat, "photo", "chart.png", "image/png", photo))
        else:
            self._post("sendDocument", *form(chat, "document", "chart.svg", "image/svg+xml", svg))

    def health(self) -> Health:
        return self._health

    def receive(self) -> list[Incoming]:
        asked = {"offset": self.offset, "timeout": 0, "allowed_updates": ["message"]}
        found = []
        updates = self._call("getUpdates", asked)
        if not isinstance(updates, list):
            raise self._strange("no list of updates")
        if not updates:
            self.offset = 0  # all is confirmed; after a quiet week Telegram numbers anew
        for update in map(_object, updates):
            if type(update.get("update_id")) is not int:
                continue  # it cannot be confirmed; the others can
            said = _object(update.get("message"))
            date, sender = said.get("date"), str(_object(said.get("chat")).get("id", ""))
            at_s = date if type(date) is int and 0 <= date < LONGEST_AT_S else 0
            key = f"{update['update_id']}.{at_s}"
            text = storable(str(said.get("text", "")))
            found.append(Incoming("telegram", sender, text, at_s * 1000, key))
        if updates and not found:
            raise self._strange("updates without numbers")
        return found

    def done(self, incoming: Incoming) -> None:
        self.offset = max(self.offset, int(incoming.key.partition(".")[0]) + 1)

    def _call(self, method: str, body: dict[str, object]) -> Any:
        return self._post(method, json.dumps(body).encode(), "application/json")

    def _post(self, method: str, body: bytes, content_type: str) -> Any:
        left = self._quiet_until - time.monotonic()
        if left > 0:
            raise DeliveryError(f"Telegram asks to wait {left:.0f} s", permanent=False)
        url = f"{self._base}/bot{self._token}/{method}"
        request = urllib.request.Request(url, body, {"Content-Type": content_type})
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
                said = json.load(answer)
        except urllib.error.HTTPError as error:
            raise self._refused(error) from error
        except (
            OSError,
            ValueError,
            http.client.HTTPException,
        ) as error:  # the address holds the token: not told
            unsure = not isinstance(error, urllib.error.URLError)  # it was reached, and then fell
            raise self._bad(f"Telegram: {type(error).__name__}", False, unsure) from None
        if "result" not in _object(said):
            raise self._strange("no result")
        self._health = Health(True)
        return said["result"]

    def _refused(self, error: urllib.error.HTTPError) -> DeliveryError:
        try:
            said = _object(json.load(error))
        except (OSError, ValueError, http.client.HTTPException):
            said = {}
        if error.code == 429:
            wait_s = _wait_s(_object(said.get("parameters")).get("retry_after"))
            self._quiet_until = time.monotonic() + wait_s
            return self._bad(f"Telegram asks to wait {wait_s:.0f} s", False)
        text = f"Telegram answered {error.code}: {said.get('description', '')}"
        return self._bad(text, 400 <= error.code < 500)

    def _strange(self, what: str) -> DeliveryError:
        text = f"Telegram answered with {what}: does another server stand at its address?"
        return self._bad(text, False, unsure=True)

    def _bad(self, text: str, permanent: bool, unsure: bool = False) -> DeliveryError:
        self._health = Health(False, text)
        return DeliveryError(text, permanent, unsure)


def _object(found: object) -> dict[str, Any]:
    """A JSON object; an empty one for whatever else came."""
    return found if isinstance(found, dict) else {}


def _wait_s(asked: object) -> float:
    """How long to be quiet, as Telegram asks, within bounds.

    >>> [_wait_s(asked) for asked in (60, "5", -1, 10**9, "soon", None, float("nan"))]
    [60.0, 5.0, 1.0, 300.0, 30.0, 30.0, 30.0]
    """
    try:
        wait_s = float(str(asked))
    except ValueError:
        return USUAL_WAIT_S
    return USUAL_WAIT_S if math.isnan(wait_s) else min(max(wait_s, 1.0), LONGEST_WAIT_S)


def form(chat: str, field: str, name: str, content_type: str, data: bytes) -> tuple[bytes, str]:
    """A file as multipart/form-data (RFC 7578), with its Content-Type."""
    edge = secrets.token_hex(16)
    head = (
        f'--{edge}\r\nContent-Disposition: form-data; name="chat_id"\r\n\r\n{chat}\r\n'
        f'--{edge}\r\nContent-Disposition: form-data; name="{field}"; filename="{name}"\r\n'
        f"Content-Type: {content_type}\r\n\r\n"
    )
    body = head.encode() + data + f"\r\n--{edge}--\r\n".encode()
    return body, f"multipart/form-data; boundary={edge}"
