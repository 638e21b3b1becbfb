# SPDX-License-Identifier: MIT
"""What the gateway answers to somebody who has written to it, in that person's language."""

from __future__ import annotations

from collections.abc import Sequence

from kahriz_alarms import messages
from kahriz_alarms.alarm import Alarm
from kahriz_alarms.messages import mark
from kahriz_water.site import Plan

HELP = mark(
    "1 got it, 2 on my way, 3 fixed (then the cause, 1 to 9), 4 later (then hours), "
    "5 or SU? how it stands, 0 help. Several alarms: the digit, then the alarm's number."
)
DONE = {
    "ack": mark("%(alarms)s: it is yours. 2 on my way, 3 fixed."),
    "coming": mark("%(alarms)s: you are on your way. 3 when it is fixed."),
    "fixed": mark("%(alarms)s: reported fixed. It stays open until the water proves it."),
    "shelve": mark("%(alarms)s: quiet until %(until)s."),
}
QUIET = mark(
    "%(alarms)s: you are not rung until %(until)s. It goes on ringing for the others until a "
    "second person agrees."
)
WISH = mark(
    "%(who)s wants quiet until %(until)s: %(alarms)s. Reply %(example)s if you agree; "
    "otherwise it goes on ringing."
)
ADVISE = mark(
    "%(site)s: do not drink the water until it is tested (at least until %(until)s). %(why)s"
)
ADVISE_END = mark(
    "%(site)s: the advisory has ended (%(why)s). That does not say that the water may be drunk: "
    "ask who has tested it."
)
STORM = mark("Storm water at the source")
DAYS_OVER = mark("the days set are over")
ENDED_BY = mark("ended by %(who)s")
SIGN = mark(
    "%(site)s: the gateway works; %(flow)s; nodes heard %(heard)d of %(nodes)d, "
    "open alarms %(alarms)d."
)
LINKS = mark("Answer by link, each once, until %(until)s:")
LINK = {"ack": mark("Got it"), "coming": mark("On my way"), "fixed": mark("Fixed")}
LINK_OVER = mark("This link does nothing any more: it was used, or it is too old.")
DIGIT = {"ack": "1", "coming": "2", "fixed": "3", "shelve": "4"}
NONE = mark("No open alarm waits for your answer.")
UNKNOWN = mark("There is no open alarm %(number)d.")
WHICH = mark("Which one? %(alarms)s. Write for example: %(example)s")
CANNOT = mark("%(alarms)s: that is not possible now.")
NO_READING = mark("no reading")
NO_ALARM = mark("No open alarm: that says nothing about sensors that are silent.")
TEST = mark("Test of the alarm path of %(site)s. Nothing is wrong; no answer is needed.")


def say(text: str, language: str, **values: object) -> str:
    """A text of the catalogue with its values."""
    words = messages.translate(text, language)
    return words % values if values else words


def named(alarms: Sequence[Alarm], plan: Plan, language: str, most: int = 4) -> str:
    """`#7 Leak: Upper; #9 …`: what to answer with, and what it is."""
    found = [
        f"#{a.id} {messages.kind(a, language)}: {messages.place(plan, a.place, language)}"
        for a in alarms[:most]
    ]
    rest = len(alarms) - most
    return "; ".join(found) + (f"; +{rest}" if rest > 0 else "")


def done(op: str, alarms: Sequence[Alarm], plan: Plan, language: str, until: int = 0) -> str:
    values = {"alarms": named(alarms, plan, language), "until": messages.moment(until)}
    return say(DONE[op], language, **values)


def which(op: str, alarms: Sequence[Alarm], plan: Plan, language: str) -> str:
    example = f"{DIGIT[op]} #{alarms[0].id}"
    return say(WHICH, language, alarms=named(alarms, plan, language), example=example)
