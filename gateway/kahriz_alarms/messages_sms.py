# SPDX-License-Identifier: MIT
"""The message to one person: a first part that fits one SMS, and what is to be known beside it.

70 characters in UCS-2, or 160 folded to plain letters, as the person chooses. The head of the
first part (kind, place, litres, since when, digit) always fits: the kind, then the place are
shortened before anything else is lost. No text says that water is safe.
"""

from __future__ import annotations

from collections.abc import Sequence

from kahriz_alarms import crew, messages
from kahriz_alarms.alarm import Alarm, Event
from kahriz_alarms.fold import ascii_text, units
from kahriz_alarms.kinds import of
from kahriz_alarms.messages import mark, translate
from kahriz_alarms.people import Person
from kahriz_alarms.personal import Message
from kahriz_water.site import Plan, Point

UCS2, GSM = 70, 160
SHORT = 12
NAMED = 6  # of what an alarm explains
STONES = ("collapse", "blockage", "storm", "source_drop")
GOING = ("crew", "technician", "committee")  # who may set out, and so needs the cleared path
WARNING = mark(
    "Do not enter the gallery or a shaft. Keep children from the outlet: water may surge."
)
SHORT_KINDS = {  # where the name of a kind would be cut in a first part that is full
    "fouled_weir": mark("Weir dirty"),
    "balance_doubt": mark("Weirs disagree"),
    "source_drop": mark("Source fell"),
    "tapping": mark("Water tapped"),
    "collapse": mark("Collapse"),
    "blockage": mark("Blockage"),
    "decline": mark("Flow declines"),
    "restored": mark("Restored"),
    "clock_went_back": mark("Clock set back"),
    "journal_replaced": mark("New board"),
    "certificate": mark("Certificate ends soon"),
    "disk_half": mark("Disk half full"),
    "no_heartbeat": mark("No heartbeat"),
    "no_data": mark("No readings"),
    "office_database": mark("Database silent"),
    "second_gateway": mark("Second gateway"),
}


def compose(
    ident: int,
    events: Sequence[Event],
    plan: Plan,
    person: Person,
    again: bool = False,
    chart_svg: bytes | None = None,
) -> Message:
    """One message about one or several events, the gravest first."""
    if not events:
        raise ValueError("a message needs an event")
    ordered = sorted(events, key=lambda e: (not e.alarm.urgent, not of(e.alarm.kind).urgent))
    first = first_part(ordered[0], plan, person, len(ordered) - 1)
    more = second_part(ordered, plan, person, again)
    subject = f"{messages.kind(ordered[0].alarm, person.language)}: {plan.name.of(person.language)}"
    urgent = any(e.alarm.urgent for e in ordered)
    return Message(
        ident, tuple(events), first, more, subject, urgent, again, chart_svg, warns(events)
    )


def first_part(event: Event, plan: Plan, person: Person, others: int = 0) -> str:
    """Kind, place, litres, since when, digit: within one SMS at any size of names."""
    alarm, language = event.alarm, person.language
    place = short_place(plan, alarm.place, language)
    tail = []
    if alarm.lps is not None:
        size = messages.number(min(alarm.lps, 9999.9), 1, language)
        tail.append(translate("%(litres)s L/s", language) % {"litres": size})
    tail.append(messages.moment(int(float(alarm.evidence.get("since_ms", alarm.raised)))))
    tail.append(f"+{min(others, 99)}" if others else "")
    asks = event.what in ("raised", "changed", "notified")
    tail.append(translate("reply 1", language) if asks else event_word(event))
    tail.append(translate("repeat?", language) if event.again else "")
    rest = ", ".join(t for t in tail if t)
    fold, limit, count = (ascii_text, GSM, len) if person.ascii else (str, UCS2, units)
    rest, kind = fold(rest), fold(short_kind(alarm, language))
    room = limit - count(rest) - 4  # ": " and ", "
    spot = _cut(fold(place), max(SHORT, room - count(kind)), count)
    return f"{_cut(kind, room - count(spot), count)}: {spot}, {rest}"


def short_kind(alarm: Alarm, language: str) -> str:
    """The kind in at most 15 characters where litres stand beside it."""
    text = SHORT_KINDS.get(alarm.kind)
    return translate(text, language) if text else messages.kind(alarm, language)


def short_place(plan: Plan, ident: str, language: str) -> str:
    """The plan's short name where it has one."""
    if ident == plan.id and plan.short:
        return plan.short
    found = plan.reach(ident) or plan.point(ident)
    return (found.short if found else None) or messages.place(plan, ident, language)


def event_word(event: Event) -> str:
    """How it stands, in one sign, where nothing is asked for."""
    return {"cleared": "✓", "closed": "✓", "verified": "✓", "silent": "?"}.get(event.what, "…")


def second_part(events: Sequence[Event], plan: Plan, person: Person, again: bool = False) -> str:
    """Everything that did not fit; ends with the warning where stones or water may come."""
    language, alarm = person.language, events[0].alarm
    lines = [messages.short(e, plan, language) for e in events]
    lines += _children(events[0], plan, language)
    lines += _landmarks(alarm, plan, language)
    if person.role in GOING:
        lines += _paths(alarm, plan, language)
        lines += _work(alarm, language)
    if alarm.owner:
        known = plan.person(alarm.owner)
        name = known.name if known else alarm.owner
        lines.append(translate("With: %(name)s", language) % {"name": name})
    if again:
        lines.append(translate("Possibly a repeat.", language))
    if any(e.alarm.kind == "storm" for e in events):
        lines.append(translate("Do not drink the water until it is tested.", language))
    if warns(events):
        lines.append(translate(WARNING, language))
    text = "\n".join(lines)
    return ascii_text(text) if person.ascii else text


def warns(events: Sequence[Event]) -> bool:
    """Whether stones or water may come: the warning is sent, however little hurry there is."""
    return any(e.alarm.kind in STONES for e in events)


def _points(alarm: Alarm, plan: Plan) -> list[Point]:
    """The points that a crew for this alarm goes to."""
    reach = plan.reach(alarm.place)
    idents = [reach.from_, reach.to] if reach else [alarm.place]
    return [point for ident in idents if (point := plan.point(ident)) is not None]


def _children(event: Event, plan: Plan, language: str) -> list[str]:
    """What this explains: fifty silent nodes behind one access point are one line."""
    if not event.children:
        return []
    names = [short_place(plan, a.place, language) for a in event.children[:NAMED]]
    values = {"count": len(event.children), "places": ", ".join(names)}
    return [translate("Because of it, %(count)d more: %(places)s", language) % values]


def _landmarks(alarm: Alarm, plan: Plan, language: str) -> list[str]:
    return [
        f"{point.name.of(language)}: {point.landmark.of(language)}"
        for point in _points(alarm, plan)
        if point.landmark is not None
    ]


def _paths(alarm: Alarm, plan: Plan, language: str) -> list[str]:
    """The cleared way to each point concerned, or that there is none: the districts are mined."""
    found = []
    for point in _points(alarm, plan):
        access, name = plan.access_to(point.id), point.name.of(language)
        if access is None:
            text = translate("no approved path is recorded: ask before you go", language)
        else:
            who = f"{access.cleared_by}, {access.cleared_on:%d.%m.%Y}"
            text = f"{access.path.of(language)} ({who})"
        values = {"place": name, "path": text}
        found.append(translate("Path to %(place)s: %(path)s", language) % values)
    return found


def _work(alarm: Alarm, language: str) -> list[str]:
    """What to look at, and what to bring."""
    known = crew.work(alarm)
    if known is None:
        return []
    look, bring = translate(known.look, language), translate(known.bring, language)
    return [
        translate("Look at: %(what)s", language) % {"what": look},
        translate("Bring: %(what)s", language) % {"what": bring},
    ]


def _cut(text: str, size: int, count: object) -> str:
    """At most so many characters, a dot where something was left out; case stays."""
    assert callable(count)
    if count(text) <= size:
        return text
    while text and count(text) > size - 1:
        text = text[:-1]
    return text.rstrip() + "."
