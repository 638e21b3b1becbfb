# SPDX-License-Identifier: MIT
"""A second gateway of the same site on the same broker, known by the retained `status`.

Each start of intake draws a `run` and announces it. Once our own announcement has come back to
us, another run on the topic can only be somebody else who announces himself as this gateway:
two with one client id throw each other out every second, and each sees what the other left.
"""

from __future__ import annotations

import json
import os

SAID_AGAIN_S = 600.0  # a rival that stays is written down this often


class Rival:
    """Fed with every message on our own status topic (in paho's thread)."""

    def __init__(self) -> None:
        self.run = os.urandom(4).hex()
        self.words: str | None = None
        self._confirmed = False
        self._heard = False
        self._said_s: float | None = None

    def heard(self, payload: bytes) -> None:
        try:
            body = json.loads(payload)
            run, store = body.get("run"), body.get("store")
        except (ValueError, AttributeError, RecursionError):
            return
        if run == self.run:
            self._confirmed = True
        elif self._confirmed:
            self.words = (
                f"a second gateway of this site works at the same broker (its store: {store}): "
                "switch one of the two off; until then readings go now to one, now to the other"
            )
            self._heard = True

    def news(self, now_s: float) -> str | None:
        """What is to be written down now: at the first sign, then every ten minutes of it."""
        if not self._heard:
            return None
        if self._said_s is not None and now_s - self._said_s < SAID_AGAIN_S:
            return None
        self._heard = False
        self._said_s = now_s
        return self.words

    def gone(self, now_s: float) -> bool:
        """Whether it has not been heard for twice that time: then it is over."""
        over = self._said_s is not None and now_s - self._said_s > 2 * SAID_AGAIN_S
        if over and not self._heard:
            self.words = self._said_s = None
            return True
        return False
