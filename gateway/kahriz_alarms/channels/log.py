# SPDX-License-Identifier: MIT
"""The gateway's own log: one line an event, in English, for journald."""

from __future__ import annotations

import logging

from kahriz_alarms import messages
from kahriz_alarms.alarm import Event
from kahriz_water.site import Plan

log = logging.getLogger("kahriz.alarm")


class LogChannel:
    name = "log"
    tells: tuple[str, ...] = ("raised", "cleared", "closed", "silent", "heard")

    def send(self, event: Event, plan: Plan) -> None:
        level = logging.WARNING if event.what == "raised" else logging.INFO
        log.log(level, "%s", messages.short(event, plan, "en"))
