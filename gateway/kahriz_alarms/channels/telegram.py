# SPDX-License-Identifier: MIT
"""Telegram by its Bot API, whose address is a setting; answers come by getUpdates.

Telegram keeps an update until a call names a higher `offset`, which `done` sets once it is stored:
a restart begins at what nobody has confirmed. An update without text counts too, or it would block.
"""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from typing import Any

from kahriz_alarms.delivery import DeliveryError
from kahriz_alarms.people import Person
from kahriz_alarms.personal import Health, Incoming, Message, storable

TIMEOUT_S = 20.0
BASE = "https://api.telegram.org"


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

    def health(self) -> Health:
        return self._health

    def receive(self) -> list[Incoming]:
        asked = {"offset": self.offset, "timeout": 0, "allowed_updates": ["message"]}
        found = []
        updates = self._call("getUpdates", asked)
        if not updates:
            self.offset = 0  # all is confirmed; after a quiet week Telegram numbers anew
        for update in updates:
            said = update.get("message", {})
            at_s, sender = int(said.get("date", 0)), str(said.get("chat", {}).get("id", ""))
            key = f"{update['update_id']}.{at_s}"
            text = storable(str(said.get("text", "")))
            found.append(Incoming("telegram", sender, text, at_s * 1000, key))
        return found

    def done(self, incoming: Incoming) -> None:
        self.offset = max(self.offset, int(incoming.key.partition(".")[0]) + 1)

    def _call(self, method: str, body: dict[str, object]) -> Any:
        left = self._quiet_until - time.monotonic()
        if left > 0:
            raise DeliveryError(f"Telegram asks to wait {left:.0f} s", permanent=False)
        url = f"{self._base}/bot{self._token}/{method}"
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(url, json.dumps(body).encode(), headers)
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
                result = json.load(answer)["result"]
        except urllib.error.HTTPError as error:
            raise self._refused(error) from error
        except (OSError, ValueError, KeyError) as error:  # the address holds the token: not told
            unsure = not isinstance(error, urllib.error.URLError)  # it was reached, and then fell
            raise self._bad(f"Telegram: {type(error).__name__}", False, unsure) from None
        self._health = Health(True)
        return result

    def _refused(self, error: urllib.error.HTTPError) -> DeliveryError:
        try:
            said = json.load(error)
        except ValueError:
            said = {}
        if error.code == 429:
            wait_s = float(said.get("parameters", {}).get("retry_after", 30))
            self._quiet_until = time.monotonic() + wait_s
            return self._bad(f"Telegram asks to wait {wait_s:.0f} s", False)
        text = f"Telegram answered {error.code}: {said.get('description', '')}"
        return self._bad(text, 400 <= error.code < 500)

    def _bad(self, text: str, permanent: bool, unsure: bool = False) -> DeliveryError:
        self._health = Health(False, text)
        return DeliveryError(text, permanent, unsure)
