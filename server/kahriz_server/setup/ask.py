# SPDX-License-Identifier: MIT
"""JSON over HTTP with errors that say what is wrong and what mends it."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from typing import Any

Json = dict[str, Any]
TIMEOUT_S = 20.0
CLOCK_S = 120.0  # apart by more than this, certificates and "now" begin to fail


class SetupError(Exception):
    """Why the setup stopped, with its mend."""


def web_address(url: str) -> str:
    """The same, when it can be one."""
    try:
        parts = urllib.parse.urlsplit(url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # half a bracket, a port that is no number
        good = False
    if not good or not url.isprintable() or " " in url:
        raise SetupError(f"{url!r} is no address: expected http://… or https://…")
    return url


class Door:
    """One server's API under one token."""

    def __init__(
        self,
        url: str,
        token: str,
        now_s: Callable[[], float] = time.time,
        scheme: str = "Token",
        wanted: str = "an all-access (operator) token; look at --influx-token-file",
    ) -> None:
        self.url = web_address(url).rstrip("/")
        self._login = f"{scheme} {token}"
        self._wanted = wanted
        self._now_s = now_s

    def get(self, path: str, **query: str) -> Json:
        tail = f"?{urllib.parse.urlencode(query)}" if query else ""
        return self._ask("GET", path + tail, None)

    def post(self, path: str, body: Json) -> Json:
        return self._ask("POST", path, body)

    def delete(self, path: str) -> Json:
        return self._ask("DELETE", path, None)

    def patch(self, path: str, body: Json) -> Json:
        return self._ask("PATCH", path, body)

    def _ask(self, method: str, path: str, body: Json | None) -> Json:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, method=method)
        request.add_header("Authorization", self._login)
        request.add_header("Accept", "application/json")
        if data is not None:
            request.add_header("Content-Type", "application/json")
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_S) as reply:
                self._same_time(reply.headers.get("Date"))
                found = json.load(reply)
        except urllib.error.HTTPError as error:
            raise SetupError(self._said(error)) from error
        except OSError as error:
            why = getattr(error, "reason", error)
            raise SetupError(
                f"{self.url} does not answer ({why}): is the server started, is the address right?"
            ) from error
        except ValueError as error:
            raise SetupError(f"{self.url}{path} answers no JSON: is this the server?") from error
        if not isinstance(found, dict):
            raise SetupError(f"{self.url}{path} answers otherwise than its documentation says")
        return found

    def _said(self, error: urllib.error.HTTPError) -> str:
        text = error.read(300).decode(errors="replace").strip()
        if error.code in (401, 403):
            return f"{self.url} refuses the token ({error.code}): it must be {self._wanted}"
        return f"{self.url} says {error.code}: {text}"

    def _same_time(self, date: str | None) -> None:
        """Two clocks apart: what gateways write would lie in the future or beyond retention."""
        if date is None:
            return
        apart_s = parsedate_to_datetime(date).timestamp() - self._now_s()
        if abs(apart_s) > CLOCK_S:
            raise SetupError(
                f"the clock of {self.url} is {abs(apart_s) / 60:.0f} min"
                f" {'ahead of' if apart_s > 0 else 'behind'} this machine's: set both"
                " (timedatectl set-ntp true), then again"
            )
