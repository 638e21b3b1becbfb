# SPDX-License-Identifier: MIT
"""A drilling template in real size for the bottom of a node's box: glands, vent; and what fits.

Everything leaves downwards, so that no drop follows a cable in.
"""

from __future__ import annotations

from kahriz_hardware.sheets.page import Page

BOX_MM = (200.0, 75.0)  # bottom of M1: width, depth
WALL_MM = 8.0  # ours: wall, rounding and the lid's bosses, where no nut sits
GLAND_HOLE_MM, GLAND_NUT_MM = (
    16.5,
    26.0,
)  # M16 and its nut over the corners, with room for a spanner
VENT_HOLE_MM, VENT_NUT_MM = 12.5, 20.0  # M12


class TooTightError(ValueError):
    """More glands than the wall takes; the message says how many fit."""


def places_mm(glands: int) -> list[float]:
    """Middles of the glands and, last, of the vent, from the left edge."""
    needed = glands * GLAND_NUT_MM + VENT_NUT_MM
    room = BOX_MM[0] - 2.0 * WALL_MM
    if needed > room:
        most = int((room - VENT_NUT_MM) // GLAND_NUT_MM)
        raise TooTightError(
            f"{glands} glands need {needed:.0f} mm, {room:.0f} are free: {most} fit"
        )
    gap = (room - needed) / glands
    step = GLAND_NUT_MM + gap
    found = [WALL_MM + GLAND_NUT_MM / 2.0 + i * step for i in range(glands)]
    return [*found, BOX_MM[0] - WALL_MM - VENT_NUT_MM / 2.0]


def template(glands: int) -> str:
    """Print at 100 %: the bar tells whether the printer did."""
    page = Page(230.0, 130.0)
    left, top = 15.0, 20.0
    page.text(left, 12.0, "M1, bottom, seen from outside, 1:1", 5.0)
    page.box(left, top, *BOX_MM)
    middle = top + BOX_MM[1] / 2.0
    *gland_places, vent = places_mm(glands)
    for x in gland_places:
        page.circle(left + x, middle, GLAND_HOLE_MM)
        page.text(left + x, middle + 20.0, f"Ø {GLAND_HOLE_MM:g}", 3.6, anchor="middle")
        page.text(left + x, middle - 16.0, f"{x:.0f}", 3.6, anchor="middle")
    page.circle(left + vent, middle, VENT_HOLE_MM)
    page.text(left + vent, middle + 20.0, f"Ø {VENT_HOLE_MM:g}", 3.6, anchor="middle")
    page.text(left + vent, middle - 16.0, f"{vent:.0f}", 3.6, anchor="middle")
    foot = top + BOX_MM[1] + 14.0
    page.line(left, foot, left + 100.0, foot)
    page.line(left, foot - 3.0, left, foot + 3.0)
    page.line(left + 100.0, foot - 3.0, left + 100.0, foot + 3.0)
    page.text(left + 104.0, foot + 1.5, "100 mm", 4.0)
    page.text(left, foot + 10.0, "from the left edge, mm; a free gland gets a plug", 4.0)
    return page.svg()
