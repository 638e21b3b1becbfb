# SPDX-License-Identifier: MIT
"""An HTTP POST of flat JSON to an address of the plan, signed when a secret is given.

    [[webhook]]
    url = "https://office.example/kahriz"
    secret_file = "/etc/kahriz/webhook.secret"

`X-Kahriz-Signature: sha256=<hex>` is the HMAC of the body; `X-Kahriz-Event` is the number of the
event and never changes, so that a receiver can tell a repeat. 4xx but 408 and 429 is permanent.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import urllib.error
import urllib.request

from kahriz_alarms import messages
from kahriz_alarms.alarm import Event
from kahriz_alarms.delivery import DeliveryError
from kahriz_water.site import Plan

TIMEOUT_S = 10.0
TRY_AGAIN = (408, 429)


class WebhookChannel:
    tells: tuple[str, ...] = ("raised", "acknowledged", "silent", "heard", "cleared", "closed")

    def __init__(
        self, name: str, url: str, secret: bytes | None, timeout_s: float = TIMEOUT_S
    ) -> None:
        self.name = name
        self._url = url
        self._secret = secret
        self._timeout_s = timeout_s

    def send(self, event: Event, plan: Plan) -> None:
        body = payload(event, plan)
        headers = {"Content-Type": "application/json", "X-Kahriz-Event": str(event.id)}
        if self._secret is not None:
            digest = hmac.new(self._secret, body, hashlib.sha256).hexdigest()
            headers["X-Kahriz-Signature"] = f"sha256={digest}"
        request = urllib.request.Request(self._url, body, headers, method="POST")
        try:
            with urllib.request.urlopen(request, timeout=self._timeout_s) as answer:
                answer.read(1024)
        except urllib.error.HTTPError as error:
            permanent = 400 <= error.code < 500 and error.code not in TRY_AGAIN
            raise DeliveryError(f"{self._url} answered {error.code}", permanent) from error
        except OSError as error:
            raise DeliveryError(f"{self._url}: {error}", permanent=False) from error


def payload(event: Event, plan: Plan) -> bytes:
    """What is posted: the alarm flat, the event, the text in three languages."""
    flat = messages.flat(event.alarm, plan)
    flat.update(event=event.id, what=event.what, at=event.at, repeat=event.again)
    for language in ("az", "ru", "en"):
        flat[f"text_{language}"] = messages.short(event, plan, language)
    return json.dumps(flat, ensure_ascii=False, sort_keys=True).encode()
