# SPDX-License-Identifier: MIT
"""One heartbeat over HTTP(S): signed, sent, its answer understood. Raises one error, in words."""

from __future__ import annotations

import contextlib
import http.client
import json
import ssl
import urllib.error
import urllib.request

from kahriz_alarms.heartbeat import beat as wire
from kahriz_alarms.heartbeat import key
from kahriz_alarms.heartbeat.beat import Beat
from kahriz_alarms.service import secret_file
from kahriz_water.site import OfficeServer

TIMEOUT_S = 15.0
MOST_ANSWER = 4096


class PostError(Exception):
    """The server has not heard it; `newest` is the number after which it hears again."""

    def __init__(self, text: str, newest: int | None = None) -> None:
        super().__init__(text)
        self.newest = newest


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """A heartbeat goes to the address of the plan and nowhere else."""

    def redirect_request(self, *args: object, **kwargs: object) -> None:
        return None


def post(beat: Beat, seed: str, office: OfficeServer, timeout_s: float = TIMEOUT_S) -> None:
    """PostError says what is wrong and what mends it."""
    body = wire.body(beat)
    headers = {"Content-Type": "application/json", wire.SIGNATURE: key.sign(seed, body)}
    request = urllib.request.Request(office.url + wire.PATH, body, headers, method="POST")
    try:
        own = office.ca_file and secret_file.path_of(office.ca_file)
        context = ssl.create_default_context(cafile=own)
        opener = urllib.request.build_opener(
            NoRedirect, urllib.request.HTTPSHandler(context=context)
        )
        with opener.open(request, timeout=timeout_s) as answer:
            answer.read(MOST_ANSWER)
    except urllib.error.HTTPError as error:
        raise _refused(error, office) from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        why = getattr(error, "reason", error)
        raise PostError(f"{office.url} does not answer ({why})") from error


def _refused(error: urllib.error.HTTPError, office: OfficeServer) -> PostError:
    newest = None
    with contextlib.suppress(OSError, http.client.HTTPException, ValueError, AttributeError):
        found = json.loads(error.read(MOST_ANSWER)).get("newest")
        if isinstance(found, int) and 0 <= found < wire.MOST_N:
            newest = found
    if error.code == 401:
        return PostError(
            f"{office.url} does not know this gateway's key: there, kahriz server gateway add"
        )
    if error.code == 409:
        return PostError(f"{office.url} has heard this number before", newest)
    return PostError(f"{office.url} answers {error.code}")
