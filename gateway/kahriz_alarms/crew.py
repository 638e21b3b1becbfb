# SPDX-License-Identifier: MIT
"""What to look at and what to bring, by kind of alarm and by what it turned out to be: data.

Who is there decides; nothing here asks anybody to go into a gallery or a shaft.
"""

from __future__ import annotations

from dataclasses import dataclass

from kahriz_alarms.alarm import Alarm
from kahriz_alarms.messages import mark

_CLAY = mark("shovel, clay or cement, lamp")
_KANKAN = mark("lamp, rope, helmet; the kankan decides")
_BRUSH = mark("brush, rake, gloves")
_STAFF = mark("staff, spirit level, tape")
_CLOTH = mark("cloth, tape, spare sensor")
_POWER = mark("multimeter, charged battery, fuses")


@dataclass(frozen=True, slots=True)
class Work:
    """Both are texts of the catalogue."""

    look: str
    bring: str


_SENSOR = Work(mark("box, cable and sensor: dirt, cobweb, tilt"), _CLOTH)
_MAINS = Work(mark("fuse and meter of the gateway's house"), _POWER)

WORK = {
    "leak": Work(mark("wet ground, washed-out soil and joints along the channel"), _CLAY),
    "pool_leak": Work(mark("floor, walls and gate of the pool"), _CLAY),
    "tapping": Work(
        mark("a new pipe, cut or pump along the channel"), mark("a camera; talk first")
    ),
    "source_drop": Work(mark("outlet and gate from outside, colour of the water"), _KANKAN),
    "collapse": Work(
        mark("sinkholes above the line from a distance, colour of the water"), _KANKAN
    ),
    "blockage": Work(mark("level in the chamber and branches in the mouth, from outside"), _KANKAN),
    "storm": Work(mark("outlet and channel from a distance"), _BRUSH),
    "decline": Work(
        mark("the flow with a bucket and a watch; wells nearby"), mark("bucket, watch, tape")
    ),
    "fouled_weir": Work(mark("leaves, stones and weed on the weir"), _BRUSH),
    "balance_doubt": Work(mark("both weirs: zero, leaves, water that passes beside"), _STAFF),
    "sensor": _SENSOR,
    "sensor_fault": _SENSOR,
    "spike": _SENSOR,
    "stuck": _SENSOR,
    "silent_node": Work(mark("box, battery, panel and aerial"), _POWER),
    "wifi": Work(mark("power and aerial of the access point"), _POWER),
    "gateway": Work(mark("power and WiFi of the gateway"), _POWER),
    "gateway_silent": Work(mark("power, SIM card and Internet of the gateway"), _POWER),
    "mains": _MAINS,
    "mains_ending": _MAINS,
    "alarm_path": Work(
        mark("stick, SIM, credit and aerial of the modem; the Internet"), mark("another SIM")
    ),
}
TOOLS = {  # of a repair that has to be done once more
    "terkdoyme": mark("pick, short shovel, lamp, rope; the kankan decides"),
    "dolasov": mark("shovel, bucket, rope, helmet; the kankan decides"),
    "aval": mark("rake, shovel, bucket"),
    "joint": mark("clay or cement, trowel, brush"),
    "tapping": WORK["tapping"].bring,
    "weir_cleaned": _BRUSH,
    "sensor": _CLOTH,
}


def work(alarm: Alarm) -> Work | None:
    """What a crew should know before it goes; None for what nobody goes to.

    >>> from dataclasses import replace
    >>> leak = Alarm(1, "leak", "upper", "raised", 0, 0)
    >>> work(leak).bring, work(replace(leak, cause="joint")).bring
    ('shovel, clay or cement, lamp', 'clay or cement, trowel, brush')
    """
    found = WORK.get(alarm.kind) or WORK.get(alarm.kind.partition(":")[0])
    if found is None or alarm.cause not in TOOLS:
        return found
    return Work(found.look, TOOLS[alarm.cause])
