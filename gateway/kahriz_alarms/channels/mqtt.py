# SPDX-License-Identifier: MIT
"""Open alarms as retained MQTT messages: kahriz/v1/<site>/gateway/alarm/<id>, for a lamp or siren.

Flat JSON; a closed alarm is cleared by an empty message.
"""

from __future__ import annotations

import json
from collections.abc import Callable

from kahriz_alarms import messages
from kahriz_alarms.alarm import Alarm, Event
from kahriz_alarms.delivery import DeliveryError
from kahriz_water.site import Plan


class MqttChannel:
    name = "mqtt"
    tells: tuple[str, ...] = (
        "raised",
        "notified",
        "acknowledged",
        "changed",
        "silent",
        "heard",
        "cleared",
        "closed",
    )

    def __init__(self, publish_retained: Callable[[str, bytes], bool]) -> None:
        self._publish = publish_retained

    def send(self, event: Event, plan: Plan) -> None:
        topic = f"kahriz/v1/{plan.id}/gateway/alarm/{event.alarm.id}"
        if not self._publish(topic, body(event.alarm, event, plan)):
            raise DeliveryError("the broker has not confirmed", permanent=False)


def body(alarm: Alarm, event: Event, plan: Plan) -> bytes:
    """The retained body; empty once the alarm is closed."""
    if alarm.closed is not None:
        return b""
    flat = messages.flat(alarm, plan)
    flat["text"] = messages.short(event, plan, "en")
    return json.dumps(flat, ensure_ascii=False).encode()
