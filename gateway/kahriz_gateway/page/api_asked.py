# SPDX-License-Identifier: MIT
"""What a request of the API asks for, read out of its JSON; what cannot be meant, in words."""

from __future__ import annotations

import json
from typing import Any

from starlette.requests import Request

from kahriz_alarms.alarm import CAUSES
from kahriz_alarms.states import SHELF_HOURS
from kahriz_gateway.alarms.cli_advisory import MOST_DAYS

BODY_BYTES = 4096
TEXT_LONG = 500
HOUR_MS = 3_600_000


class AskedWrongError(Exception):
    """What is wrong with a request, in words."""


async def body_of(request: Request, most: int = BODY_BYTES) -> bytes:
    found = bytearray()
    async for chunk in request.stream():
        found += chunk
        if len(found) > most:
            raise AskedWrongError(f"a body of at most {most} bytes")
    return bytes(found)


def asked(op: str, body: bytes, now: int) -> tuple[str, str | None, dict[str, object]]:
    """Who, in what words, and what the step needs beside."""
    found, who, note = _object(body)
    if op in ("fixed", "close"):
        cause = found.get("cause")
        if cause not in CAUSES:
            raise AskedWrongError(f"cause: one of {', '.join(CAUSES)}")
        return who, note, {"cause": cause}
    if op == "shelve":
        size = _number(found, "hours", SHELF_HOURS)
        if note is None:
            raise AskedWrongError("the reason: a text under `note`")
        return who, note, {"until": now + round(size * HOUR_MS)}
    return who, note, {}


def asked_days(op: str, body: bytes) -> tuple[str, str, float]:
    """Who begins or ends an advisory, why, and for how many days."""
    found, who, note = _object(body)
    if note is None:
        raise AskedWrongError("the reason: a text under `note`")
    return who, note, _number(found, "days", MOST_DAYS) if op == "start" else 0.0


def object_of(body: bytes) -> tuple[dict[str, Any], str]:
    """What was sent, and who says so."""
    found, who, _ = _object(body)
    return found, who


def _object(body: bytes) -> tuple[dict[str, Any], str, str | None]:
    """What was sent, who says so, and in what words."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise AskedWrongError('a JSON object such as {"who": "ali"}')
    who = _words(found, "who")
    if who is None:
        raise AskedWrongError("who says so: a text under `who`")
    return found, who, _words(found, "note")


def _number(found: dict[str, Any], key: str, most: float) -> float:
    given: Any = found.get(key)
    number = isinstance(given, int | float) and not isinstance(given, bool)
    if not number or not 0.1 <= given <= most:  # NaN is not between
        raise AskedWrongError(f"{key}: a number, 0.1 to {most}")
    return float(given)


def _words(found: dict[str, Any], key: str) -> str | None:
    text = found.get(key)
    if text is None:
        return None
    if not isinstance(text, str) or not text.strip() or len(text) > TEXT_LONG:
        raise AskedWrongError(f"{key}: a text of 1 to {TEXT_LONG} characters")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise AskedWrongError(f"{key}: text that can be written as UTF-8") from error
    return text.strip()
