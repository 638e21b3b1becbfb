# SPDX-License-Identifier: MIT
"""What a node writes: the smallest part of the contract, so that it fits into a chip's memory."""

import json

from kahriz_wire import WireError

ROOT = "kahriz/v1"
UP_MOST_BYTES = 4096
GONE_MOST = 64
SLEEP = b"sleep"
OFFLINE = b"offline"


def topic(site: str, node: str, kind: str) -> str:
    """The topic of one kind of message of a node; the ids were checked with the configuration."""
    return ROOT + "/" + site + "/" + node + "/" + kind


def dump(pairs: "list[tuple[str, object]]") -> bytes:
    """A JSON object in the given order, without what is None (MicroPython forgets dict order)."""
    parts = []
    for key, value in pairs:
        if value is not None:
            parts.append(json.dumps(key) + ":" + json.dumps(value))
    return ("{" + ",".join(parts) + "}").encode()


def hello(
    s: str, journal: str, first: int, following: int, health: "list[tuple[str, object]]"
) -> bytes:
    """A hello: `first` is the oldest n still held, `following` the n not yet given."""
    pairs: list[tuple[str, object]] = [
        ("s", s),
        ("journal", journal),
        ("first", first),
        ("next", following),
    ]
    pairs.extend(health)
    return dump(pairs)


def row_text(
    n: int,
    q: int,
    pairs: "list[tuple[str, str]]",
    ts: "int | None" = None,
    tq: "str | None" = None,
    up_s: "int | None" = None,
    boot: "int | None" = None,
) -> str:
    """One row as JSON; `pairs` are keys and values that are JSON text already."""
    parts = []
    if ts is not None:
        parts.append(f'"ts":{ts}')
    parts.append(f'"n":{n},"q":{q}')
    if tq is not None:
        parts.append(f'"tq":"{tq}"')
    if up_s is not None:
        parts.append(f'"up_s":{up_s}')
    if boot is not None:
        parts.append(f'"boot":{boot}')
    for key, value in pairs:
        parts.append(f'"{key}":{value}')
    return "{" + ",".join(parts) + "}"


def up(texts: "list[str]") -> bytes:
    """The payload of an `up` made of row texts."""
    payload = ("[" + ",".join(texts) + "]").encode()
    if len(payload) > UP_MOST_BYTES:
        raise WireError("up", f"{len(payload)} bytes, at most {UP_MOST_BYTES}; split it")
    return payload


def ack(
    s: str,
    journal: str,
    gone: "list[tuple[int, int, str]]",
    done: "list[dict[str, object]]",
    ota: "tuple[int, int] | None" = None,
) -> bytes:
    """An ack: ranges gone with their reasons, results of commands, the next pieces wanted."""
    parts: list[tuple[str, object]] = [("s", s), ("journal", journal), ("gone", gone or None)]
    parts.extend([("cmd", done or None), ("ota", ota)])
    return dump(parts)


def birth(
    rev: int,
    fw: str,
    hw: str,
    dt_s: int,
    batch: int,
    cfg: "int | None",
    channels: "dict[str, dict[str, object]]",
) -> bytes:
    """A birth of contract version 1."""
    pairs: list[tuple[str, object]] = [("v", 1), ("rev", rev), ("fw", fw), ("hw", hw)]
    pairs.extend([("dt_s", dt_s), ("batch", batch), ("cfg", cfg), ("channels", channels)])
    return dump(pairs)
