# SPDX-License-Identifier: MIT
"""What alarms, states and numbers are called: the page's words put together, in any language."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from kahriz_alarms import messages
from kahriz_alarms.alarm import Alarm
from kahriz_gateway.alarms.advisory import Advisory
from kahriz_gateway.page.nodes import Node
from kahriz_gateway.page.quantities import DISCHARGE, Quantity, quantity, unit
from kahriz_gateway.page.queries import Number
from kahriz_gateway.page.view import WATER_ALARMS, AlarmNow, Now
from kahriz_gateway.page.words import Speech, mark
from kahriz_water.site import Plan
from kahriz_water.totals import Total

STATES = {
    "raised": mark("new"),
    "notified": mark("sent"),
    "acknowledged": mark("taken on"),
    "escalated": mark("nobody has answered: the next person is asked"),
    "in_repair": mark("being repaired"),
    "reported_fixed": mark("reported fixed, not yet proved by the water"),
    "verified": mark("proved by the water"),
    "closed": mark("closed"),
}
SORTS = {
    "urgent": mark("urgent"),
    "routine": mark("can wait"),
    "answer": mark("answers"),
    "test": mark("tests"),
    "word": mark("words to all"),
}
CAUSES = {
    "terkdoyme": mark("floor of the gallery dug deeper"),
    "dolasov": mark("fallen stone cleared"),
    "aval": mark("flood debris cleared"),
    "joint": mark("joint of the channel or pipe"),
    "tapping": mark("somebody took water"),
    "weir_cleaned": mark("weir cleaned"),
    "sensor": mark("sensor or node"),
    "nothing_there": mark("nothing was there"),
    "other": mark("something else"),
}
LOST = {
    "crc": mark("damaged in the node's memory"),
    "dropped": mark("the node's memory was full"),
    "below_first": mark("the node no longer has it"),
    "quarantine": mark("the message could not be read"),
    "replaced": mark("the node got a new memory"),
}
OUT_OF_RANGE = {
    "below": mark("So little water cannot be measured exactly here"),
    "above": mark("So much water cannot be measured exactly here"),
}
STATUS = {
    "normal": mark("Normal"),
    "watch": mark("Watch"),
    "act": mark("Act"),
    "none": mark("No data"),
}


def alarm_title(speech: Speech, plan: Plan, alarm: Alarm) -> str:
    """`Leak · Upper channel`: what and where, in the words of the SMS."""
    what = messages.kind(alarm, speech.language)
    return f"{what} · {messages.place(plan, alarm.place, speech.language)}"


def alarm_class(alarm: Alarm) -> str:
    return "act" if alarm.kind in WATER_ALARMS else "watch"


def alarm_danger(speech: Speech, alarm: Alarm) -> str:
    """What to beware of while it is open."""
    beware = alarm.kind in messages.DANGER and alarm.closed is None
    return speech.text("Do not enter the gallery or a shaft") if beware else ""


def alarm_cause(speech: Speech, cause: str) -> str:
    return speech.text(CAUSES[cause]) if cause in CAUSES else cause


def person(plan: Plan, ident: str | None) -> str:
    """What somebody is called; the id of one who is no longer in the plan."""
    known = plan.person(ident or "")
    return known.name if known else ident or ""


def advisory_why(speech: Speech, advisory: Advisory) -> str:
    """The reason; who said so is not for everybody."""
    storm = advisory.who is None
    return speech.text("Storm water at the source") if storm else advisory.why


def kind_name(speech: Speech, kind: str) -> str:
    """`Leak`, in the words of the SMS."""
    text = messages.KINDS.get(kind) or messages.KINDS.get(kind.partition(":")[0])
    return messages.translate(text, speech.language) if text else kind


def outcome(speech: Speech, plan: Plan, stats: dict[str, Any]) -> dict[str, Any]:
    """The figures of all warnings, in this language; the whole kahriz has no name here."""
    kinds = [(kind_name(speech, name), row) for name, row in stats["kinds"].items()]
    told = [
        (
            person(plan, ident),
            ", ".join(f"{speech.text(SORTS.get(sort, sort))} {n}" for sort, n in sorts.items()),
        )
        for ident, sorts in stats["messages_in_7_days"].items()
    ]
    return {"kinds": [("", stats["kahriz"]), *kinds] if kinds else [], "messages": told}


def alarm_state(speech: Speech, state: str) -> str:
    return speech.text(STATES[state]) if state in STATES else state


def lost_reason(speech: Speech, reason: str) -> str:
    return speech.text(LOST[reason]) if reason in LOST else reason


def number(speech: Speech, n: Number, with_unit: bool = True) -> str:
    """`12,0 l/san`, or a bound in words: never a zero for water too low to be measured."""
    what = _shown(n)
    text = speech.format.number(n.value, decimals(n))
    if with_unit:
        text = f"{text}\u00a0{unit(speech, what)}".rstrip("\u00a0")
    return bound(speech, n.bound, text)


def number_unit(speech: Speech, n: Number) -> str:
    return unit(speech, _shown(n))


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


def volume(speech: Speech, v: Total) -> str:
    """`412` of m³; a range or `at least` where a part of the day was only bounded."""
    text = speech.format.number(v.m3, 0)
    if v.most_m3 is None:
        return speech.text("at least %(value)s", value=text)
    most = speech.format.number(v.most_m3, 0)
    if most == text:
        return text
    return f"{text}…{most}" if v.m3 >= 0.5 else f"<\u00a0{most}"


def volume_uncertainty(speech: Speech, v: Total) -> str:
    """`± 31` beside a volume; what all readings have wrong together is not averaged away."""
    return f"±\u00a0{speech.format.number(v.u_m3, 0)}" if v.u_m3 >= 0.5 else ""


def status(speech: Speech, now: Now) -> str:
    """The status word; without data also since when."""
    chief = now.main.chief
    if now.status == "none" and chief is not None:
        moment = speech.format.moment(chief.ts, now.at)
        return speech.text("No data since %(time)s", time=moment)
    return speech.text(STATUS[now.status])


def reason(speech: Speech, now: Now, plan: Plan) -> str:
    """Half a sentence that says why the status is what it is."""
    first = worst(a.alarm for a in now.alarms)
    if first is not None:
        return alarm_title(speech, plan, first)
    if now.status == "none":
        return speech.text("The last number is old. It is not the water of now.")
    stale = [p for p in now.points if p.stale]
    if stale:
        names = ", ".join(p.point.name.of(speech.language) for p in stale)
        return speech.text("No data: %(places)s", places=names)
    if any(p.ahead(now.at) for p in now.points):
        return speech.text("A clock is wrong: numbers are of later than now")
    mute = [p for p in now.points if p.mute]
    if mute:
        names = ", ".join(p.point.name.of(speech.language) for p in mute)
        return speech.text("Sensor gives no reading: %(places)s", places=names)
    chief = now.main.chief
    if chief is not None and chief.bound:
        return speech.text(OUT_OF_RANGE[chief.bound])
    if now.status == "watch":
        return speech.text("The last reading is suspect")
    if now.learning_until is not None:
        day = speech.format.day(now.learning_until)[:5]
        return speech.text("Learning until %(day)s: a loss is not yet told", day=day)
    return speech.text("No open warnings")


def worst(alarms: Iterable[Alarm]) -> Alarm | None:
    """Water lost comes before all else, the most litres first."""

    def weight(alarm: Alarm) -> tuple[bool, float, int]:
        return alarm.kind in WATER_ALARMS, alarm.lps or 0.0, -alarm.raised

    return max(alarms, key=weight, default=None)


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
        alarm=messages.kind(alarm.alarm, speech.language),
        time=speech.format.moment(alarm.silent_since, now_ms),
    )


def node_heard(speech: Speech, node: Node, now_ms: int) -> str:
    if node.heard is None:
        return speech.text("never heard")
    return speech.age(now_ms - node.heard)
