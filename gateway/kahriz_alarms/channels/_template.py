# SPDX-License-Identifier: MIT
"""A channel to copy: say here what it reaches, what it needs in site.toml, and where that is told.

Then: one line in `channels/__init__.py`, its section in the example site, and
tests/alarms/test_<name>.py with `test_it_works`, `test_it_gives_up`, `test_it_retries`.
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
