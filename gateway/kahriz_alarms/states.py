# SPDX-License-Identifier: MIT
"""The life of an alarm: which step may follow which.

    raised -> notified -> acknowledged -> closed

Nothing ends because a sensor died: `silent` and `heard` only note it. The same cause is one alarm
while it is open; when it comes back after its end, that is a new one.
"""

from __future__ import annotations

RAISED, NOTIFIED, ACKNOWLEDGED, CLOSED = "raised", "notified", "acknowledged", "closed"

# what happens -> (states it may happen in, state it leads to; None: stays)
STEPS: dict[str, tuple[tuple[str, ...], str | None]] = {
    "notified": ((RAISED,), NOTIFIED),
    "acknowledged": ((RAISED, NOTIFIED), ACKNOWLEDGED),
    "changed": ((RAISED, NOTIFIED, ACKNOWLEDGED), None),
    "silent": ((RAISED, NOTIFIED, ACKNOWLEDGED), None),
    "heard": ((RAISED, NOTIFIED, ACKNOWLEDGED), None),
    "cleared": ((RAISED, NOTIFIED, ACKNOWLEDGED), CLOSED),
    "closed": ((RAISED, NOTIFIED, ACKNOWLEDGED), CLOSED),
}


class StateError(Exception):
    """A step that cannot follow."""


def after(state: str, what: str) -> str:
    """The state after a step; StateError when it may not happen there.

    >>> after("raised", "acknowledged")
    'acknowledged'
    >>> after("notified", "silent")
    'notified'
    """
    if what not in STEPS:
        raise StateError(f"{what!r} is no step; expected one of {', '.join(STEPS)}")
    allowed, to = STEPS[what]
    if state not in allowed:
        raise StateError(f"an alarm that is {state} cannot be {what}")
    return state if to is None else to
