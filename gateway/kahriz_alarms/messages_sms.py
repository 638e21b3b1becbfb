# SPDX-License-Identifier: MIT
"""The message to one person: a first part that fits one SMS, and what is to be known beside it.

70 characters in UCS-2, or 160 folded to plain letters, as the person chooses. The head of the
first part (kind, place, litres, since when, digit) always fits: the kind, then the place are
shortened before anything else is lost. No text says that water is safe.
"""

from __future__ import annotations

from collections.abc import Sequence

from kahriz_alarms import messages
from kahriz_alarms.alarm import Alarm, Event
from kahriz_alarms.fold import ascii_text, units
from kahriz_alarms.kinds import of
from kahriz_alarms.people import Person
from kahriz_alarms.personal import Message
from kahriz_water.site import Plan

UCS2, GSM = 70, 160
SHORT = 12
STONES = ("collapse", "blockage", "storm", "source_drop")
# Our own words until a catalogue of natives has them; see NOT-PROVEN.md.
SAY = {
    "az": (
        "l/s",
        "cavab 1",
        "Lağıma və quyuya girməyin. Uşaqları ağızdan uzaq tutun: su birdən gələ bilər.",
        "Yol",
        "təsdiqlənmiş yol yazılmayıb: getməzdən əvvəl soruşun",
        "Kimdədir",
        "və daha",
        "Təkrar ola bilər.",
        "itki",
        "Yoxlanana qədər suyu içməyin.",
    ),
    "ru": (
        "л/с",
        "ответ 1",
        "Не входите в галерею и колодцы. Не подпускайте детей к устью: вода может хлынуть.",
        "Путь",
        "проверенный путь не указан: спросите до выхода",
        "У кого",
        "и ещё",
        "Возможно, повтор.",
        "потеряно",
        "Не пейте воду, пока её не проверят.",
    ),
    "en": (
        "L/s",
        "reply 1",
        "Do not enter the gallery or a shaft. Keep children from the outlet: water may surge.",
        "Path",
        "no approved path is recorded: ask before you go",
        "With",
        "and more:",
        "Possibly a repeat.",
        "lost",
        "Do not drink until tested.",
    ),
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
    return Message(ident, tuple(events), first, more, subject, urgent, again, chart_svg)


def first_part(event: Event, plan: Plan, person: Person, others: int = 0) -> str:
    """Kind, place, litres, since when, digit: within one SMS at any size of names."""
    alarm, language = event.alarm, person.language
    litres, reply = SAY[language][:2]
    place = short_place(plan, alarm.place, language)
    tail = []
    if alarm.lps is not None:
        size = messages.number(min(alarm.lps, 9999.9), 1, language)
        tail.append(f"{size} {litres}")
    tail.append(messages.moment(int(float(alarm.evidence.get("since_ms", alarm.raised)))))
    tail.append(f"+{min(others, 99)}" if others else "")
    tail.append(reply if event.what in ("raised", "changed", "notified") else event_word(event))
    rest = ", ".join(t for t in tail if t)
    fold, limit, count = (ascii_text, GSM, len) if person.ascii else (str, UCS2, units)
    rest, kind = fold(rest), fold(messages.kind(alarm, language))
    room = limit - count(rest) - 4  # ": " and ", "
    spot = _cut(fold(place), max(SHORT, room - count(kind)), count)
    return f"{_cut(kind, room - count(spot), count)}: {spot}, {rest}"


def short_place(plan: Plan, ident: str, language: str) -> str:
    """The plan's short name where it has one."""
    found = plan.reach(ident) or plan.point(ident)
    return (found.short if found else None) or messages.place(plan, ident, language)


def event_word(event: Event) -> str:
    """How it stands, in one sign, where nothing is asked for."""
    return {"cleared": "✓", "closed": "✓", "verified": "✓", "silent": "?"}.get(event.what, "…")


def second_part(events: Sequence[Event], plan: Plan, person: Person, again: bool = False) -> str:
    """Everything that did not fit; ends with the warning where stones or water may come."""
    language = person.language
    _, _, stones, path, no_path, owner, _, repeat, _, test = SAY[language]
    lines = [messages.short(e, plan, language) for e in events]
    alarm = events[0].alarm
    if person.role in ("crew", "technician"):
        lines += [f"{path}: {text}" for text in _paths(alarm, plan, language, no_path)]
    if alarm.owner:
        known = plan.person(alarm.owner)
        lines.append(f"{owner}: {known.name if known else alarm.owner}")
    if again:
        lines.append(repeat)
    if any(e.alarm.kind == "storm" for e in events):
        lines.append(test)
    if any(e.alarm.kind in STONES for e in events):
        lines.append(stones)
    text = "\n".join(lines)
    return ascii_text(text) if person.ascii else text


def _paths(alarm: Alarm, plan: Plan, language: str, no_path: str) -> list[str]:
    """The cleared way to each point concerned, or that there is none: the districts are mined."""
    reach = plan.reach(alarm.place)
    points = [reach.from_, reach.to] if reach else [alarm.place]
    found = []
    for ident in points:
        if plan.point(ident) is None:
            continue
        access, name = plan.access_to(ident), messages.place(plan, ident, language)
        if access is None:
            found.append(f"{name}: {no_path}")
        else:
            who = f"{access.cleared_by}, {access.cleared_on:%d.%m.%Y}"
            found.append(f"{name}: {access.path.of(language)} ({who})")
    return found


def _cut(text: str, size: int, count: object) -> str:
    """At most so many characters, a dot where something was left out; case stays."""
    assert callable(count)
    if count(text) <= size:
        return text
    while text and count(text) > size - 1:
        text = text[:-1]
    return text.rstrip() + "."
