# SPDX-License-Identifier: MIT
"""What alarms, states and numbers are called: the page's words put together, in any language."""

from __future__ import annotations

from kahriz_water.plan import Plan

from kahriz_gateway.page.nodes import Node
from kahriz_gateway.page.quantities import DISCHARGE, Quantity, quantity, unit
from kahriz_gateway.page.queries import Alarm, Number, Volume
from kahriz_gateway.page.view import AlarmNow, Now
from kahriz_gateway.page.words import Speech, mark

KINDS = {
    "leak": mark("Leak"),
    "tapping": mark("Water taken without a turn"),
    "source_drop": mark("Less water from the source"),
    "blockage": mark("Gallery blocked"),
    "collapse": mark("Gallery fallen in"),
    "fouled_weir": mark("Weir is dirty: clean it"),
    "balance_doubt": mark("Measurements do not agree"),
    "silent_node": mark("Node is silent"),
    "twin": mark("Two nodes under one name"),
    "gateway": mark("Gateway"),
}
STATES = {
    "raised": mark("new"),
    "notified": mark("sent"),
    "acknowledged": mark("taken on"),
    "in_repair": mark("in repair"),
    "reported_fixed": mark("reported repaired"),
    "verified": mark("repair confirmed by the water"),
    "closed": mark("closed"),
}
LOST = {
    "crc": mark("damaged in the node's memory"),
    "dropped": mark("the node's memory was full"),
    "below_first": mark("the node no longer has it"),
    "quarantine": mark("the message could not be read"),
    "replaced": mark("the node got a new memory"),
}
STATUS = {
    "normal": mark("Normal"),
    "watch": mark("Watch"),
    "act": mark("Act"),
    "none": mark("No data"),
}


def alarm_kind(speech: Speech, kind: str) -> str:
    """The name of an alarm; an unknown kind stands under its own name."""
    return speech.text(KINDS[kind]) if kind in KINDS else kind


def alarm_state(speech: Speech, state: str) -> str:
    return speech.text(STATES[state]) if state in STATES else state


def lost_reason(speech: Speech, reason: str) -> str:
    return speech.text(LOST[reason]) if reason in LOST else reason


def place(speech: Speech, plan: Plan, ident: str) -> str:
    """The name of a reach or point."""
    found = plan.reach(ident) or plan.point(ident)
    return found.name.of(speech.language) if found else ident


def number(speech: Speech, n: Number, with_unit: bool = True) -> str:
    """`12,0 l/san`, or a bound in words: never a zero for water too low to be measured."""
    what = _shown(n)
    text = speech.format.number(n.value, decimals(n))
    if with_unit:
        text = f"{text}\u00a0{unit(speech, what)}".rstrip("\u00a0")
    return bound(speech, n.bound, text)


def _shown(n: Number) -> Quantity:
    """The quantity people know: a bound is one of the discharge."""
    return DISCHARGE if n.bound else quantity(n.quantity)


def bound(speech: Speech, side: str, text: str) -> str:
    if side == "below":
        return speech.text("less than %(value)s", value=text)
    if side == "above":
        return speech.text("more than %(value)s", value=text)
    return text


def uncertainty(speech: Speech, n: Number) -> str:
    """`± 0,4`, or nothing where it is not known."""
    if n.u is None or n.bound:
        return ""
    return f"±\u00a0{speech.format.number(n.u, decimals(n))}"


def decimals(n: Number) -> int:
    """As many as the quantity has, one more where its uncertainty would read as zero."""
    usual = _shown(n).decimals
    return usual + 1 if n.u is not None and 0 < n.u < 0.5 * 10**-usual else usual


def volume(speech: Speech, v: Volume) -> str:
    """`412` of m³, `at least 412` where a part of it was only bounded from one side."""
    text = speech.format.number(v.m3, 0)
    return speech.text("at least %(value)s", value=text) if v.at_least else text


def status(speech: Speech, now: Now) -> str:
    """The status word; without data also since when."""
    chief = now.main.chief
    if now.status == "none" and chief is not None:
        moment = speech.format.moment(chief.ts, now.at)
        return speech.text("No data since %(time)s", time=moment)
    return speech.text(STATUS[now.status])


def reason(speech: Speech, now: Now, plan: Plan) -> str:
    """Half a sentence that says why the status is what it is."""
    if now.alarms:
        worst = _worst(now)
        where = place(speech, plan, worst.place)
        return f"{alarm_kind(speech, worst.kind)} · {where}"
    if now.status == "none":
        return speech.text("The last number is old. It is not the water of now.")
    stale = [p for p in now.points if p.stale]
    if stale:
        names = ", ".join(p.point.name.of(speech.language) for p in stale)
        return speech.text("No data: %(places)s", places=names)
    mute = [p for p in now.points if p.mute]
    if mute:
        names = ", ".join(p.point.name.of(speech.language) for p in mute)
        return speech.text("Sensor gives no reading: %(places)s", places=names)
    if now.status == "watch":
        return speech.text("The last reading is suspect")
    return speech.text("No open warnings")


def _worst(now: Now) -> Alarm:
    """Water lost comes before all else, the most litres first."""
    alarms = [a.alarm for a in now.alarms]
    return max(alarms, key=lambda a: (a.kind == "leak", a.lps or 0.0, -a.raised))


def alarm_loss(speech: Speech, alarm: Alarm) -> str:
    """`2,0 ± 0,4 l/san`."""
    if alarm.lps is None:
        return ""
    text = speech.format.number(alarm.lps, 1)
    if alarm.lps_u:
        text += f"\u00a0±\u00a0{speech.format.number(alarm.lps_u, 1)}"
    return f"{text}\u00a0{speech.text('L/s')}"


def alarm_silence(speech: Speech, alarm: AlarmNow, now_ms: int) -> str:
    """`last known: …; silent since 03:10`, for an alarm whose sensor has died."""
    if alarm.silent_since is None or alarm.alarm.closed is not None:
        return ""
    return speech.text(
        "Last known: %(alarm)s; silent since %(time)s",
        alarm=alarm_kind(speech, alarm.alarm.kind),
        time=speech.format.moment(alarm.silent_since, now_ms),
    )


def node_heard(speech: Speech, node: Node, now_ms: int) -> str:
    if node.heard is None:
        return speech.text("never heard")
    return speech.age(now_ms - node.heard)
