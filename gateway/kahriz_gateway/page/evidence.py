# SPDX-License-Identifier: MIT
"""What a detector saw when it raised an alarm, in words; an unknown key stands as it is."""

from __future__ import annotations

from kahriz_gateway.page.words import Speech, mark

NAMES = {
    "since_ms": mark("Seen since"),
    "up_change_lps": mark("Change at the upper point, L/s"),
    "down_change_lps": mark("Change at the lower point, L/s"),
    "scatter_lps": mark("Usual scatter, L/s"),
    "before_lps": mark("Before, L/s"),
    "now_lps": mark("Then, L/s"),
    "drop_share": mark("Less by, %"),
    "drop_share_below": mark("Less by, at the lower point, %"),
    "calm_hours": mark("Calm for, h"),
    "staff_off_mm": mark("Sensor off the staff gauge, mm"),
    "conductivity_us_cm_before": mark("Conductivity before, µS/cm"),
    "conductivity_us_cm_now": mark("Conductivity then, µS/cm"),
    "temperature_c_before": mark("Temperature before, °C"),
    "temperature_c_now": mark("Temperature then, °C"),
    "detail": mark("In words"),
}


def name(speech: Speech, key: str) -> str:
    return speech.text(NAMES[key]) if key in NAMES else key


def value(speech: Speech, key: str, found: object, now_ms: int) -> str:
    """A moment, a share in percent, a number with its comma, or the text itself."""
    if not isinstance(found, int | float) or isinstance(found, bool):
        return str(found)
    if key.endswith("_ms"):
        return speech.format.moment(int(found), now_ms)
    if key.startswith("drop_share"):
        return speech.format.number(100 * found, 0)
    return speech.format.number(found, 1)
