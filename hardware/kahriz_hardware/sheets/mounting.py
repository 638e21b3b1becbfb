# SPDX-License-Identifier: MIT
"""Where things hang, drawn from the figures by which `kahriz hardware` refuses."""

from __future__ import annotations

import math

from kahriz_hardware.candidates import head_m
from kahriz_hardware.radio import (
    NODE_DBM,
    NODE_HEARS_DBM,
    POINT_DBM,
    POINT_HEARS_DBM,
    End,
    Link,
)
from kahriz_hardware.sheets.page import Page
from kahriz_hardware.well import SENSORS, Place
from kahriz_water.structures.v_notch import VNotch

MAX_LPS = 30.0  # the guide's example
FACE_OVER_NOTCH_M = 0.8  # the demo's sites
PER_M = 120.0  # millimetres of paper
WATER, GROUND = "#cfe8f7", "#c9b79c"


def over_weir() -> str:
    """A channel from the side: notch plate, water at its highest, the ultrasonic and its beam."""
    head = head_m(VNotch(90.0), MAX_LPS)
    assert head is not None
    upstream = 4.0 * head
    place = Place(SENSORS["a02yyuw"], FACE_OVER_NOTCH_M - head, FACE_OVER_NOTCH_M, 1000.0, False)
    page = Page(230.0, 190.0)
    plate_x, notch_y = 190.0, 130.0
    surface = notch_y - head * PER_M
    sensor_x, face_y = plate_x - upstream * PER_M, notch_y - FACE_OVER_NOTCH_M * PER_M
    spread = math.tan(math.radians((place.sensor.beam_deg or 0.0) / 2.0))
    page.box(10.0, surface, plate_x - 10.0, 170.0 - surface, WATER)
    page.box(10.0, 170.0, 210.0, 8.0, GROUND)
    page.line(plate_x, notch_y, plate_x, 170.0, 'stroke="#000" stroke-width="2"')
    half = (surface - face_y) * spread
    page.shape(
        [(sensor_x, face_y), (sensor_x - half, surface), (sensor_x + half, surface)], "#f6d58e"
    )
    page.box(sensor_x - 4.0, face_y - 8.0, 8.0, 8.0, "#555")
    page.text(sensor_x + 8.0, face_y - 2.0, "U2 A02YYUW, U3 in the shade of M4", 4.0)
    _height(page, sensor_x - half - 6.0, face_y, surface, f"{place.nearest_m * 1000:.0f} mm")
    page.line(sensor_x, surface + 12.0, plate_x, surface + 12.0)
    page.text(
        (sensor_x + plate_x) / 2.0,
        surface + 18.0,
        f"4 x {head * 1000:.0f} = {upstream * 1000:.0f} mm at least",
        4.0,
        anchor="middle",
    )
    _height(page, plate_x + 6.0, surface, notch_y, f"{head * 1000:.0f} mm")
    page.text(12.0, surface + 28.0, f"water at {MAX_LPS:g} L/s, notch of 90°, plate M6", 4.0)
    page.text(
        10.0,
        186.0,
        f"beam {place.sensor.beam_deg:g}°: {place.nearest_m * 1000 * spread:.0f} mm in radius "
        f"here, {place.radius_mm:.0f} mm at the notch's point: nothing may stand in it",
        4.0,
    )
    return page.svg()


def in_pipe() -> str:
    """A pool wall with the pressure probe in its stilling pipe."""
    page = Page(160.0, 190.0)
    page.box(110.0, 30.0, 14.0, 140.0, GROUND)
    page.box(10.0, 50.0, 100.0, 120.0, WATER)
    page.box(10.0, 170.0, 114.0, 8.0, GROUND)
    page.box(80.0, 25.0, 16.0, 140.0, "#fff")
    page.box(81.0, 50.0, 14.0, 114.0, WATER)
    page.line(88.0, 15.0, 88.0, 148.0, 'stroke="#000" stroke-width="1"')
    page.box(85.0, 148.0, 6.0, 14.0, "#555")
    for y in (70.0, 100.0, 130.0):
        page.line(80.0, y, 81.5, y, 'stroke="#1d6fa5" stroke-width="2"')
        page.line(96.0, y, 110.0, y, 'stroke="#000" stroke-width="2"')
    page.text(12.0, 45.0, "highest water", 4.0)
    page.text(12.0, 155.0, "U2: 5 cm over the floor", 4.0)
    page.text(12.0, 100.0, "M4 DN 110, holes 10 mm", 4.0)
    page.text(12.0, 12.0, "W1 with its air tube: to M3, dry, never bent", 4.0)
    page.text(114.0, 186.0, "clamps M5", 4.0)
    return page.svg()


def link_profile() -> str:
    """The guide's refused link from the side: line of sight, first Fresnel zone, ridge."""
    near, far = (
        End(NODE_DBM, NODE_HEARS_DBM, 2.0, 1.5),
        End(POINT_DBM, POINT_HEARS_DBM, 10.0, 6.0),
    )
    path = Link(near, far, 900.0, ridge_m=4.0)
    page = Page(230.0, 120.0)
    left, wide, ground, up = 15.0, 200.0, 95.0, 8.0  # 8 mm of paper a metre of height

    def at(share: float, height_m: float) -> tuple[float, float]:
        return left + share * wide, ground - height_m * up

    zone = []
    for sign in (1.0, -1.0):
        for i in range(41):
            share = i / 40.0 if sign > 0 else 1.0 - i / 40.0
            line = near.height_m + share * (far.height_m - near.height_m)
            radius = 2.0 * path.fresnel_m * math.sqrt(share * (1.0 - share))
            zone.append(at(share, line + sign * radius))
    page.shape([(round(x, 2), round(min(y, ground), 2)) for x, y in zone], "#f6d58e")
    page.box(left, ground, wide, 8.0, GROUND)
    page.shape([at(0.42, 0.0), at(0.5, path.ridge_m), at(0.58, 0.0)], GROUND)
    page.line(
        *at(0.0, near.height_m), *at(1.0, far.height_m), 'stroke="#c1121f" stroke-width="0.6"'
    )
    for share, end in ((0.0, near), (1.0, far)):
        page.line(*at(share, 0.0), *at(share, end.height_m), 'stroke="#000" stroke-width="1.2"')
    page.text(left + 2.0, ground - 20.0, f"node {near.height_m:g} m", 4.0)
    page.text(left + wide, ground - 60.0, f"access point {far.height_m:g} m", 4.0, anchor="end")
    page.text(left + wide / 2.0, ground - 8.0, f"ridge {path.ridge_m:g} m", 4.0, anchor="middle")
    page.text(
        left,
        114.0,
        f"{path.distance_m:g} m; first Fresnel zone {path.fresnel_m:.1f} m in radius, "
        f"{100 * path.clearance:.0f} % of it free over the ridge (60 wanted): "
        f"{path.ridge_db:.1f} dB lost",
        4.0,
    )
    return page.svg()


def _height(page: Page, x: float, top: float, foot: float, said: str) -> None:
    page.line(x, top, x, foot)
    for y in (top, foot):
        page.line(x - 2.0, y, x + 2.0, y)
    page.text(x + 3.0, (top + foot) / 2.0, said, 4.0)
