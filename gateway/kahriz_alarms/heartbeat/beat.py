# SPDX-License-Identifier: MIT
"""The body of a heartbeat: flat JSON of numbers, so that no name and no telephone can be in it.

    POST /v1/heartbeat    X-Kahriz-Signature: ed25519=<base64 of 64 bytes>
    {"v":1,"site":"numune","n":1790000000000,"at":1790000000000,"version":"0.1.0","trusted":true,
     "room_used":0.12,"days_left":210,"backlog":0,"alarms":2,"urgent":0,"stopped":false}

    200 {"now":ms}   400 not readable   401 not a key that is known   409 {"newest":n} seen before
    413 too large    503 cannot store now

`n` rises with each: what was heard once is not heard again, whatever the clocks say. A gateway
whose `n` was left behind (a new card, a clock put back) goes on after `newest`. v1 is additive:
unknown keys are ignored, and not kept.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import asdict, dataclass
from typing import Any

PATH = "/v1/heartbeat"
SIGNATURE = "X-Kahriz-Signature"
MOST_BYTES = 4096
MOST_N = 1 << 53  # what JSON keeps in every language
SITE = re.compile(r"[a-z0-9-]{1,32}")
VERSION = re.compile(r"[0-9]{1,4}\.[0-9]{1,4}[0-9A-Za-z.+-]{0,32}")
MOST_MS = 4_102_444_800_000  # 2100-01-01: a clock beyond is no clock


class BeatError(Exception):
    """Not a heartbeat: what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Beat:
    """What is not known is None and is not sent.

    `backlog`: changes that InfluxDB has not taken; `unsent_ms`: the oldest moment among them.
    `stopped`: readings or judgement cannot be stored at the gateway.
    """

    site: str
    n: int
    at: int  # the gateway's clock
    version: str
    trusted: bool  # whether the gateway believes its clock
    room_used: float | None = None  # share of the disk's room that the stores and others use
    days_left: float | None = None  # until the disk is full at the measured pace
    backlog: int | None = None
    unsent_ms: int | None = None
    alarms: int | None = None
    urgent: int | None = None
    mains: bool | None = None
    battery_hours: float | None = None
    stopped: bool | None = None


# Lowest and highest of each number that may be there.
WHOLE = {
    "backlog": (0, MOST_N),
    "unsent_ms": (0, MOST_MS),
    "alarms": (0, 1_000_000),
    "urgent": (0, 1_000_000),
}
REAL = {"room_used": (0.0, 1.0), "days_left": (0.0, 1e6), "battery_hours": (0.0, 1e5)}
FLAGS = ("mains", "stopped")


def body(beat: Beat) -> bytes:
    """The bytes that are signed and sent.

    >>> read(body(Beat("numune", 1, 2, "0.1.0", True, alarms=3))).alarms
    3
    """
    known = {key: value for key, value in asdict(beat).items() if value is not None}
    return json.dumps({"v": 1, **known}, separators=(",", ":")).encode()


def read(text: bytes) -> Beat:
    """BeatError names the key; nothing but what is expected gets through."""
    if len(text) > MOST_BYTES:
        raise BeatError(f"more than {MOST_BYTES} bytes")
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BeatError("no JSON") from error
    if not isinstance(found, dict) or found.get("v") != 1:
        raise BeatError("no heartbeat of version 1")
    more: dict[str, Any] = {
        key: _whole(found, key, *span) for key, span in WHOLE.items() if key in found
    }
    more |= {key: _real(found, key, *span) for key, span in REAL.items() if key in found}
    more |= {key: _flag(found, key) for key in FLAGS if key in found}
    return Beat(
        site=_text(found, "site", SITE),
        n=_whole(found, "n", 0, MOST_N),
        at=_whole(found, "at", 0, MOST_MS),
        version=_text(found, "version", VERSION),
        trusted=_flag(found, "trusted"),
        **more,
    )


def _text(found: dict[str, Any], key: str, form: re.Pattern[str]) -> str:
    value = found.get(key)
    if not isinstance(value, str) or form.fullmatch(value) is None:
        raise BeatError(f"{key} is not as expected")
    return value


def _whole(found: dict[str, Any], key: str, low: int, high: int) -> int:
    value = found.get(key)
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise BeatError(f"{key} is no whole number from {low} to {high}")
    return value


def _real(found: dict[str, Any], key: str, low: float, high: float) -> float:
    value = found.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BeatError(f"{key} is no number")
    if not math.isfinite(value) or not low <= value <= high:
        raise BeatError(f"{key} is no number from {low:g} to {high:g}")
    return float(value)


def _flag(found: dict[str, Any], key: str) -> bool:
    value = found.get(key)
    if not isinstance(value, bool):
        raise BeatError(f"{key} is neither true nor false")
    return value
