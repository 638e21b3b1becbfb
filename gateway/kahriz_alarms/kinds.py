# SPDX-License-Identifier: MIT
"""What each kind of alarm asks for: how urgent, whose it is, how it ends, where it hangs.

A kind that is not here is a matter of the technician that can wait. Copy a line to add one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

WATER_ROLES = ("crew", "technician", "committee", "office")
GEAR_ROLES = ("technician", "committee")
OFFICE_ROLES = ("office", "technician")
MINUTE_MS = 60_000


@dataclass(frozen=True, slots=True)
class Kind:
    """`roles` are asked in this order. `proof`: it ends only when the water proves the repair.

    `off_minutes`: over for so long before it ends, so that what flutters is one alarm. `level` is
    the place in the tree of causes, 1 the root: one that is higher up explains those below it.
    """

    roles: tuple[str, ...] = GEAR_ROLES
    urgent: bool = False
    proof: bool = False
    on_minutes: float = 0.0
    off_minutes: float = 5.0
    level: int | None = None


_WATER = Kind(WATER_ROLES, urgent=True, proof=True)
_SLOW = Kind(WATER_ROLES, proof=True)
_POWER = Kind(level=1)
_OFFICE = Kind(OFFICE_ROLES, on_minutes=15.0)
_NOTICE = Kind(off_minutes=0.0)  # a moment that was noted: it stays for its own time

KINDS: Mapping[str, Kind] = {
    # the conveyance and the source: water is lost now
    "leak": _WATER,
    "pool_leak": _WATER,
    "tapping": _SLOW,
    "source_drop": _WATER,
    "collapse": _WATER,
    "blockage": _WATER,
    "storm": Kind(("committee", "crew", "technician"), urgent=True),
    "advisory": Kind(roles=(), off_minutes=0.0),  # everybody is told once, nobody is asked
    "decline": Kind(("committee", "office")),
    # the instrument
    "fouled_weir": Kind(("crew", "technician", "committee")),
    "balance_doubt": Kind(),
    "sensor": Kind(level=5),
    "sensor_fault": Kind(level=5),
    "spike": Kind(level=5),
    "stuck": Kind(level=5),
    # from the root of the tree down: power, gateway, access point, node
    "mains": _POWER,
    "mains_ending": Kind(urgent=True, level=1),
    "gateway": Kind(urgent=True, level=2),
    "wifi": Kind(level=3),
    "silent_node": Kind(level=4),
    # the gateway itself
    "store": Kind(urgent=True),
    "disk_nearly_full": Kind(urgent=True),
    "certificate": Kind(),
    "disk_half": _NOTICE,
    "twin": _NOTICE,
    "second_gateway": _NOTICE,
    "journal_replaced": _NOTICE,
    "ledger_recounted": _NOTICE,
    "restored": _NOTICE,
    "clock_went_back": _NOTICE,
    "office": Kind(),  # its server hears or takes nothing from us for a day
    "alarm_path": Kind(on_minutes=5.0, off_minutes=15.0),
    "credit_low": Kind(("office", "technician", "committee"), off_minutes=0.0),
    # what the office's server sees of its gateways; a cause of many is looked for first
    "gateway_silent": _OFFICE,
    "no_heartbeat": _OFFICE,
    "no_data": _OFFICE,
    "gateway_clock": _OFFICE,
    "gateway_store": _OFFICE,
    "gateway_version": _OFFICE,
    "many_gateways": Kind(OFFICE_ROLES),
    "office_database": Kind(OFFICE_ROLES, on_minutes=60.0),
    "test": Kind(off_minutes=0.0),
}
_OTHER = Kind()


def of(kind: str) -> Kind:
    """The rules of a kind; `sensor_fault:spike` has those of `sensor_fault`.

    >>> of("leak").urgent, of("never seen").urgent
    (True, False)
    >>> of("sensor_fault:spike").level
    5
    """
    return KINDS.get(kind) or KINDS.get(kind.partition(":")[0]) or _OTHER


def on_delay_ms(kind: str, minutes: Mapping[str, float]) -> int:
    """How long it must last before it is an alarm; the plan's word goes before ours."""
    return round(minutes.get(kind, of(kind).on_minutes) * MINUTE_MS)


def off_delay_ms(kind: str, minutes: Mapping[str, float]) -> int:
    """How long it must be over before the alarm ends."""
    return round(minutes.get(kind, of(kind).off_minutes) * MINUTE_MS)
