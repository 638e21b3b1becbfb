# SPDX-License-Identifier: MIT
"""A staff gauge read by a person: stage and discharge, marked as manual and not evaluated."""

from __future__ import annotations

from kahriz_water import quality
from kahriz_water.interpret import of_discharge
from kahriz_water.records import U_STAFF_READ_M, Records, StaffReading
from kahriz_water.site import Plan
from kahriz_water.value import Value


def manual_values(reading: StaffReading, records: Records, plan: Plan) -> list[Value]:
    """What a staff reading says about the water, with the rating of its day."""
    point = plan.point(reading.point)
    if point is None:
        return []
    u, q = 2.0 * U_STAFF_READ_M, quality.NOT_EVALUATED
    quantity = "stage_m" if point.kind == "weir" else "level_m"
    values = [Value(point.id, quantity, reading.at, reading.staff_m, u, q, u, True)]
    structure = records.structure_at(point, reading.at)
    if quantity == "stage_m" and structure is not None:
        flow = structure.discharge(reading.staff_m, U_STAFF_READ_M, U_STAFF_READ_M)
        values.append(of_discharge(point.id, reading.at, flow, q)._replace(manual=True))
    return values
