# SPDX-License-Identifier: MIT
"""The modem's program in a village that dies just after a text has left."""

from __future__ import annotations

from typing import Any

from ..alarm_phone import Phone
from .baton import KilledError


class MortalPhone(Phone):
    """While `deadly`, the next text that leaves is the last thing its process does."""

    deadly = False

    def exchange(self, request: dict[str, Any], seconds: float) -> dict[str, Any]:
        before = len(self.stick.sent)
        answer = super().exchange(request, seconds)
        if self.deadly and len(self.stick.sent) > before:
            self.deadly = False
            raise KilledError
        return answer
