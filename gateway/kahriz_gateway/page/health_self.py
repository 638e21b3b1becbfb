# SPDX-License-Identifier: MIT
"""What the gateway knows of itself: do both services live and store, disk, clock, mains."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from kahriz_gateway import limits, notify_sign, ups
from kahriz_gateway.page import stores
from kahriz_gateway.village.store import get_state
from kahriz_water.site import Plan


def fault_of_intake(data: Path) -> str | None:
    """Why no receipts are given just now; None where no intake has ever said a word."""
    said = notify_sign.read(data, "intake")
    if said is None:
        return None
    if not notify_sign.running(data):
        return "the service does not run"
    if "trouble" in said:
        return f"cannot store ({said['trouble']}): no receipts; the nodes keep everything"
    if "rival" in said:
        return str(said["rival"])
    if said.get("state") != "online":
        return "not connected to the broker"
    return None


def fault_of_village(data: Path) -> str | None:
    """Why no values and alarms are stored just now."""
    said = notify_sign.read(data, "village") or {}
    if "trouble" in said:
        return f"cannot store ({said['trouble']}): no new values or alarms"
    return None


def disk(data: Path, now_ms: int) -> tuple[bool, str]:
    """Less than four fifths of the room used; how long it lasts, once that is measured."""
    try:
        room = limits.room(data)
    except OSError as error:
        return False, f"{data}: {error.strerror}"
    samples: list[limits.Sample] = []
    try:
        with stores.village(data) as conn:
            samples = get_state(conn, "room") or []
    except (stores.UnreadableStoreError, sqlite3.Error):
        pass  # its own check says so
    days = limits.days_left(samples, now_ms, room.free)
    lasts = "" if days is None else f", {days:.0f} days at the measured pace"
    found = f"{room.share:.0%} of the room used, {room.free // 1_000_000} MB free{lasts}"
    return room.share < limits.NEARLY, found


def mains(plan: Plan, data: Path) -> tuple[bool, str] | None:
    """Mains or battery; None where the plan has no [ups]."""
    if plan.ups is None:
        return None
    there = ups.on_mains(plan.ups)
    if there is None:
        return False, f"{plan.ups.file} cannot be read: nobody would notice a power cut"
    if there:
        return True, "mains are there"
    try:
        with stores.village(data) as conn:
            kept = get_state(conn, "power")
    except (stores.UnreadableStoreError, sqlite3.Error):
        kept = None
    hours = "" if kept is None else f", {ups.Power(**kept).hours_left(plan.ups):.1f} hours left"
    return False, f"mains are lost{hours}"
