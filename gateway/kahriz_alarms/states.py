# SPDX-License-Identifier: MIT
"""The life of an alarm: which step may follow which. docs/alarms.md is made from this table.

    raised -> notified -> acknowledged -> in_repair -> reported_fixed -> verified -> closed
                   \\-> escalated (nobody answers, or nobody repairs) -> acknowledged ...

Nothing ends because a sensor died: `silent` and `heard` only note it. The same cause is one alarm
while it is open; when it comes back after its end, that is a new one.
"""

from __future__ import annotations

from dataclasses import dataclass

RAISED, NOTIFIED, ACKNOWLEDGED, ESCALATED = "raised", "notified", "acknowledged", "escalated"
IN_REPAIR, REPORTED_FIXED = "in_repair", "reported_fixed"
VERIFIED, CLOSED = "verified", "closed"

STATES = {
    RAISED: "stored; nobody has been told yet",
    NOTIFIED: "a message has left for somebody; nobody has taken it",
    ACKNOWLEDGED: "a named person has taken it",
    ESCALATED: "nobody answered, or nobody repaired, in the time set: the next person is asked",
    IN_REPAIR: "its owner is on the way or at work",
    REPORTED_FIXED: "somebody says that it is mended; the water has not proved it yet",
    VERIFIED: "the water has proved the repair",
    CLOSED: "over, with its cause where a person gave one",
}
UNANSWERED = (RAISED, NOTIFIED, ESCALATED)
TAKEN = (ACKNOWLEDGED, IN_REPAIR)
OPEN = (*UNANSWERED, *TAKEN, REPORTED_FIXED)
SHELF_HOURS = 14 * 24  # nothing is kept quiet for longer than this


@dataclass(frozen=True, slots=True)
class Rule:
    """From which states a step may come, where it leads (None: the state stays), what it means."""

    states: tuple[str, ...]
    to: str | None
    means: str
    by_person: bool = False


STEPS: dict[str, Rule] = {
    "notified": Rule((RAISED,), NOTIFIED, "the first message has left this machine"),
    "acknowledged": Rule((*UNANSWERED, *TAKEN), ACKNOWLEDGED, "a person takes it", True),
    "escalated": Rule(
        (*UNANSWERED, *TAKEN), ESCALATED, "no answer, or no repair, in time: the next one is asked"
    ),
    "coming": Rule((*UNANSWERED, *TAKEN), IN_REPAIR, "a person is on the way", True),
    "fixed": Rule(OPEN, REPORTED_FIXED, "a person says that it is mended, and what it was", True),
    "unproved": Rule((REPORTED_FIXED,), None, "what the proof still lacks"),
    "reopened": Rule(
        (REPORTED_FIXED,), RAISED, "not proved in the time set: back to the same owner"
    ),
    "verified": Rule((REPORTED_FIXED,), VERIFIED, "the water has proved the repair"),
    "closed": Rule((*OPEN, VERIFIED), CLOSED, "ended by a person, or after the proof", True),
    "cleared": Rule(OPEN, CLOSED, "its cause is over by itself, and that is proved"),
    "changed": Rule(OPEN, None, "its size has left the dead band around what was told"),
    "sized": Rule(OPEN, None, "its size is known better, within the dead band"),
    "calm": Rule(OPEN, None, "the detector says that the cause is over; not yet proved"),
    "back": Rule(OPEN, None, "the cause is there again before the alarm had ended"),
    "silent": Rule(OPEN, None, "a sensor of it died: what is told is the last known"),
    "heard": Rule(OPEN, None, "its sensors speak again"),
    "shelved": Rule(OPEN, None, "a person keeps it quiet until a time, with a reason", True),
    "quiet_asked": Rule(
        OPEN, None, "a person asks by message for quiet: all but that person are still asked", True
    ),
    "unshelved": Rule(OPEN, None, "the time of quiet is over"),
    "joined": Rule(OPEN, None, "another alarm explains it and is told instead"),
    "left": Rule(OPEN, None, "what explained it is over, and it is not"),
    "unreachable": Rule(OPEN, None, "nobody could be reached by any way"),
    "explained": Rule((CLOSED,), None, "a person says afterwards what it was", True),
    "imported": Rule((), None, "a store of an older version: the alarm as it stood there"),
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
    rule = STEPS[what]
    if state not in rule.states:
        raise StateError(f"an alarm that is {state} cannot be {what}")
    return state if rule.to is None else rule.to


def table() -> str:
    """The states and steps as Markdown, for docs/alarms.md."""
    lines = ["| state | meaning |", "|---|---|"]
    lines += [f"| `{state}` | {means} |" for state, means in STATES.items()]
    lines += ["", "| step | may follow | leads to | by | meaning |", "|---|---|---|---|---|"]
    for what, rule in STEPS.items():
        to = f"`{rule.to}`" if rule.to else "stays"
        by = "a person" if rule.by_person else "the gateway"
        lines.append(f"| `{what}` | {_named(rule.states)} | {to} | {by} | {rule.means} |")
    return "\n".join(lines) + "\n"


def _named(found: tuple[str, ...]) -> str:
    if found == OPEN:
        return "any that is open"
    return ", ".join(f"`{state}`" for state in found) or "nothing: it is the first"
