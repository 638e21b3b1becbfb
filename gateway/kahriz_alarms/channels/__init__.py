# SPDX-License-Identifier: MIT
"""The ways an alarm goes out: an index, one a file.

A channel has `send(event, plan) -> None` or raises DeliveryError(message, permanent). It is
called by a loop that has stored the event before, tries again what failed, and never gives up
what is not permanent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from kahriz_alarms.alarm import Event
from kahriz_alarms.channels import apprise, log, mqtt, webhook
from kahriz_water.site import Plan


class Channel(Protocol):
    """`tells` are the events it wants; see `kahriz_alarms.states`."""

    name: str
    tells: tuple[str, ...]

    def send(self, event: Event, plan: Plan) -> None: ...


@dataclass(frozen=True, slots=True)
class Outside:
    """What channels are handed: the retained publisher, and how to read a secret's file."""

    publish_retained: Callable[[str, bytes], bool] | None
    read_secret: Callable[[str], bytes]


def _logs(plan: Plan, outside: Outside) -> list[Channel]:
    return [log.LogChannel()]


def _mqtts(plan: Plan, outside: Outside) -> list[Channel]:
    publish = outside.publish_retained
    return [] if publish is None else [mqtt.MqttChannel(publish)]


def _webhooks(plan: Plan, outside: Outside) -> list[Channel]:
    found: list[Channel] = []
    for number, hook in enumerate(plan.webhooks, 1):
        secret = outside.read_secret(hook.secret_file) if hook.secret_file else None
        found.append(webhook.WebhookChannel(f"webhook-{number}", hook.url, secret))
    return found


def _apprises(plan: Plan, outside: Outside) -> list[Channel]:
    return [
        apprise.AppriseChannel(
            f"apprise-{number}", outside.read_secret(way.url_file).decode(), way.language
        )
        for number, way in enumerate(plan.ways.apprises, 1)
    ]


CHANNELS: Mapping[str, Callable[[Plan, Outside], list[Channel]]] = {
    "log": _logs,
    "mqtt": _mqtts,
    "webhook": _webhooks,
    "apprise": _apprises,
}


def channels(plan: Plan, outside: Outside) -> list[Channel]:
    """All channels a plan asks for."""
    return [channel for build in CHANNELS.values() for channel in build(plan, outside)]
