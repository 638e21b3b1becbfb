# SPDX-License-Identifier: MIT
"""An alarm is what its steps make of it: `fold` is the only way in which one changes.

The store keeps every step and, beside them, the alarm; folding the steps again gives the same
alarm, so that each of its states can be replayed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, replace
from typing import Any

from kahriz_alarms import states
from kahriz_alarms.alarm import Alarm, Step

SIZES = ("lps", "lps_u", "m3")


def raised(ident: int, step: Step) -> Alarm:
    """The first step: its data are the alarm."""
    data: dict[str, Any] = dict(step.data)
    return Alarm(
        id=ident,
        state=states.RAISED,
        raised=step.at,
        stored=step.stored,
        asked=step.stored,
        told_lps=data.get("lps"),
        **data,
    )


def fold(alarm: Alarm, step: Step) -> Alarm:
    """The alarm after a step; StateError when the step cannot follow."""
    what, data = step.what, step.data
    was = alarm
    alarm = replace(alarm, state=states.after(alarm.state, what))
    if what in ("changed", "sized", "back"):
        alarm = replace(alarm, **{key: data[key] for key in SIZES if key in data})
    if what == "changed":
        return replace(alarm, told_lps=alarm.lps)
    if what in ("acknowledged", "coming"):
        return replace(alarm, owner=step.who, answered=step.stored)
    if what == "escalated":
        if was.state in states.TAKEN or data.get("again"):
            return replace(alarm, asked=step.stored, answered=None)
        return alarm
    if what == "fixed":
        owner = step.who or alarm.owner
        return replace(alarm, owner=owner, fixed=step.stored, cause=data.get("cause"))
    if what == "reopened":
        return replace(alarm, fixed=None, asked=step.stored, answered=None)
    if what == "verified":
        return replace(alarm, proved=True)
    if what in ("closed", "cleared"):
        cause = data.get("cause") or alarm.cause
        proved = alarm.proved or what == "cleared"
        return replace(alarm, closed=step.at, cause=cause, proved=proved, parent=None)
    if what == "explained":
        return replace(alarm, cause=data["cause"])
    return _note(alarm, step)


def _note(alarm: Alarm, step: Step) -> Alarm:
    """Steps that leave the state as it is."""
    what, data = step.what, step.data
    if what == "calm":
        return replace(alarm, calm=step.at, calm_stored=step.stored)
    if what == "back":
        return replace(alarm, calm=None, calm_stored=None)
    if what == "silent":
        return replace(alarm, silent_since=data["since_ms"])
    if what == "heard":
        return replace(alarm, silent_since=None)
    if what == "shelved":
        return replace(
            alarm, shelved_until=data["until"], shelved_by=step.who, shelved_why=step.note
        )
    if what == "unshelved":
        return replace(
            alarm, shelved_until=None, shelved_by=None, shelved_why=None, asked=step.stored
        )
    if what == "joined":
        return replace(alarm, parent=data["parent"])
    if what == "left":
        return replace(alarm, parent=None, asked=step.stored)
    return alarm


def replay(ident: int, steps: Iterable[Step]) -> Alarm:
    """The alarm that its steps make, the first of them `raised` (or `imported`)."""
    told = list(steps)
    first = max((i for i, s in enumerate(told) if s.what == "imported"), default=0)
    if not told or told[first].what not in ("raised", "imported"):
        raise states.StateError(f"alarm {ident} has no first step")
    start = told[first]
    if start.what == "imported":
        alarm = Alarm(**{**start.data, "id": ident})
    else:
        alarm = raised(ident, start)
    for step in told[first + 1 :]:
        alarm = fold(alarm, step)
    return alarm


def birth(step: Step) -> dict[str, Any]:
    """The columns of an alarm that begins with this step, without its id."""
    columns = asdict(raised(0, step))
    del columns["id"]
    return columns
