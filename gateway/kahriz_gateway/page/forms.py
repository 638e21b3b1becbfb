# SPDX-License-Identifier: MIT
"""What a form of the page sent: its fields as text, times of Baku as milliseconds."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime
from urllib.parse import parse_qsl

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.requests import Request
from starlette.types import Message

from kahriz_gateway.page.format import BAKU, local

BYTES = 16_384
FIELDS = 50


class FormError(Exception):
    """A field cannot be taken; the message, already in the reader's language, says which."""


class TooLongError(Exception):
    """More than a form of ours ever sends."""


async def fields_and_photo(request: Request, most: int) -> tuple[dict[str, str], bytes]:
    """The fields of a form and the one file that it may bring; TooLongError over `most` bytes."""
    seen = 0

    async def limited() -> Message:
        nonlocal seen
        message = await request.receive()
        seen += len(message.get("body", b""))
        if seen > most + BYTES:
            raise TooLongError
        return message

    found: dict[str, str] = {}
    photo = b""
    try:
        async with Request(request.scope, limited).form(max_files=1, max_fields=FIELDS) as form:
            for key, value in form.multi_items():
                if isinstance(value, UploadFile):
                    photo = await value.read()
                else:
                    found[key] = value.strip()
    except (MultiPartException, HTTPException):
        return {}, b""
    return found, photo


async def fields(request: Request) -> dict[str, str]:
    """The fields of a form, stripped; a body that is no form has none. Raises TooLongError."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > BYTES:
            raise TooLongError
    try:
        pairs = parse_qsl(
            body.decode(), keep_blank_values=True, errors="strict", max_num_fields=FIELDS
        )
    except ValueError:
        return {}
    return {key: value.strip() for key, value in pairs}


def moment(text: str) -> int | None:
    """`2026-11-23T06:00`, wall clock of Baku, as ms; None for anything else."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    if found.tzinfo is not None or not 2020 <= found.year <= 2100:
        return None
    return int(found.replace(tzinfo=BAKU).timestamp() * 1000)


def field_of(ms: int) -> str:
    """What a field of date and time is filled with."""
    return f"{local(ms):%Y-%m-%dT%H:%M}"


def number(text: str) -> float | None:
    """`12,5` and `12.5` are the same number; None for anything else."""
    try:
        found = float(text.replace(",", "."))
    except ValueError:
        return None
    return found if math.isfinite(found) else None


def chosen(form: Mapping[str, str], key: str, of: tuple[str, ...]) -> str | None:
    """The value of a choice; None when it is none of the choices."""
    return form.get(key) if form.get(key) in of else None
