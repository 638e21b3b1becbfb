# SPDX-License-Identifier: MIT
"""One heartbeat by hand, beside those of the village: for the technician and the doctor."""

from __future__ import annotations

from pathlib import Path

from kahriz_alarms.heartbeat import key
from kahriz_gateway.clock import Clock
from kahriz_gateway.heartbeat.beats import KEY_FILE
from kahriz_gateway.heartbeat.collect import collect
from kahriz_gateway.heartbeat.post import PostError, post
from kahriz_water.site import Plan

QUICK_S = 8.0


class NoKeyError(Exception):
    """The village has not made its key yet: in words."""


def own_key(data: Path) -> tuple[str, str]:
    """The secret half and the public one."""
    try:
        seed = (data / KEY_FILE).read_text(encoding="ascii").strip()
        return seed, key.public(seed)
    except (OSError, ValueError, key.KeyFormatError) as error:
        text = f"no key yet ({error}): the village makes it at its first heartbeat"
        raise NoKeyError(text) from error


def send_once(plan: Plan, data: Path, clock: Clock) -> None:
    """PostError or NoKeyError in words; the office's number of an old card is passed by."""
    assert plan.server is not None
    seed, _ = own_key(data)
    n = max(0, clock.now_ms())
    try:
        post(collect(plan, data, clock, n), seed, plan.server, QUICK_S)
    except PostError as error:
        if error.newest is None:
            raise
        post(collect(plan, data, clock, error.newest + 1), seed, plan.server, QUICK_S)
