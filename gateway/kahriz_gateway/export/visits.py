# SPDX-License-Identifier: MIT
"""Ratings and visits under the column names of the USGS, in metres and litres a second."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import tzinfo

from kahriz_gateway.export.provenance import iso
from kahriz_gateway.export.table_file import Row
from kahriz_gateway.records import store as records_store
from kahriz_water.site import Plan
from kahriz_water.structures import Structure

METRIC = "column names of the USGS; stages in m and discharges in L/s, not in feet and cfs"
RATING = ("site_no", "rating_begin_dt", "rating_end_dt", "rating_type", "INDEP", "SHIFT", "DEP")
VISIT = (
    *("site_no", "measurement_dt", "party_nm", "meas_type", "gage_height_va", "discharge_va"),
    *("q_meas_used_fg", "measured_rating_diff", "discharge_uncertainty_va"),
)
STEPS = 100  # of the valid range


def rating_rows(conn: sqlite3.Connection, plan: Plan, zone: tzinfo) -> Iterator[Row]:
    """Each rating that holds or held, as a table of its valid range; SHIFT is always 0."""
    records = records_store.load(conn)
    for point in plan.points:
        if point.structure is not None:
            yield from _table(f"{plan.id}/{point.id}", "", "", point.structure)
        for rating in records.ratings:
            if rating.point == point.id:
                end = "" if rating.to_ms is None else iso(rating.to_ms, zone)
                begin = iso(rating.from_ms, zone)
                yield from _table(f"{plan.id}/{point.id}", begin, end, rating.structure)


def _table(site: str, begin: str, end: str, structure: Structure) -> Iterator[Row]:
    """The stages of the valid range, evenly."""
    for k in range(STEPS + 1):
        stage_m = structure.low_m + (structure.high_m - structure.low_m) * k / STEPS
        found = structure.discharge(stage_m, 0.0)
        if found.lps is not None:
            row = [f"{stage_m:.4f}", "0", f"{found.lps:.3f}"]
            yield [site, begin, end, structure.kind, *row]


def visit_rows(conn: sqlite3.Connection, plan: Plan, zone: tzinfo) -> Iterator[Row]:
    """Gaugings with what the device said meanwhile; people by their initials alone."""
    for gauging in records_store.gaugings(conn):
        lps, device = gauging.lps(), gauging.device_lps
        yield [
            f"{plan.id}/{gauging.point}",
            iso(gauging.at, zone),
            initials(gauging.who),
            gauging.method,
            "" if gauging.stage_m is None else f"{gauging.stage_m:.4f}",
            f"{lps:.3f}",
            "No" if gauging.complaints() else "Yes",
            "" if device is None else f"{(device / lps - 1) * 100:.1f} %",
            f"{gauging.u_lps():.3f}",
        ]


def initials(name: str) -> str:
    """
    >>> initials("Rəşad Quliyev"), initials("r.quliyev")
    ('RQ', 'RQ')
    """
    return "".join(part[0].upper() for part in name.replace(".", " ").split())
