# SPDX-License-Identifier: MIT
"""A channel to copy: say here what it reaches, what it needs in site.toml, and where that is told.

Then: a builder and its line in `channels/__init__.py` (tests/alarms/test_channels.py names them
all), its table in kahriz_water/ways.py and docs/site.md, and tests/channels/test_<name>.py against
a real server: it works, it gives up, it tries again.
"""

from __future__ import annotations

from collections.abc import Callable

from kahriz_alarms import messages
from kahriz_alarms.alarm import Event
from kahriz_alarms.delivery import DeliveryError
from kahriz_water.site import Plan


class TemplateChannel:
    """Hands the short text to `transmit`, which raises OSError when there is no way out."""

    tells: tuple[str, ...] = ("raised", "cleared")

    def __init__(self, name: str, transmit: Callable[[str], None], language: str = "az") -> None:
        self.name = name
        self._transmit = transmit
        self._language = language

    def send(self, event: Event, plan: Plan) -> None:
        try:
            self._transmit(messages.short(event, plan, self._language))
        except OSError as error:  # no network now: try again
            raise DeliveryError(str(error), permanent=False) from error
