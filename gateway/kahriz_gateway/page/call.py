# SPDX-License-Identifier: MIT
"""Whom to call: the number that everybody may see, and behind a PIN who is asked for what."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from kahriz_alarms import kinds, rota
from kahriz_alarms.alarm import Alarm
from kahriz_gateway.page import labels, queries, stores
from kahriz_gateway.page.gate import ROLES, Gate
from kahriz_water.people import Person
from kahriz_water.site import Plan

USUAL = ("technician", "committee", "crew")  # whom one asks when no warning is open
MOST = 6


@dataclass(frozen=True, slots=True)
class Call:
    """The button: `phone` leads to a call, without one it leads to the page that explains."""

    phone: str | None
    name: str


def asked(plan: Plan, alarm: Alarm | None, now_ms: int) -> list[Person]:
    """Who has a warning or is asked next, first one first; without one whom one asks anyway."""
    roles = USUAL if alarm is None else kinds.of(alarm.kind).roles
    owner = None if alarm is None else alarm.owner
    return rota.ladder(plan, roles, now_ms, owner)[:MOST]


def button(plan: Plan, alarms: list[Alarm], entered: bool, now_ms: int) -> Call:
    """With a PIN the person of the worst warning, else the number that is published."""
    if entered:
        for person in asked(plan, labels.worst(alarms), now_ms):
            if person.phone:
                return Call(person.phone, person.name)
    return Call(plan.page.call, "")


class CallPage:
    """The page of whom to call."""

    def __init__(self, plan: Plan, data_dir: Path, gate: Gate) -> None:
        self._plan, self._data_dir, self._gate = plan, data_dir, gate

    def routes(self) -> list[Route]:
        """Open; names and numbers of people only for those who have entered."""
        return [Route("/call", self._show, methods=["GET"])]

    def _show(self, request: Request) -> Response:
        words, now_ms = self._gate.speech(request), self._gate.now_ms()
        try:
            with stores.village(self._data_dir) as conn:
                alarms = queries.alarms(conn, closed=False)
        except stores.UnreadableStoreError:
            alarms = []
        groups: list[tuple[Alarm | None, list[Person]]] = [
            (alarm, asked(self._plan, alarm, now_ms))
            for alarm in alarms
            if alarm.parent is None and kinds.of(alarm.kind).roles
        ]
        context: dict[str, object] = {
            "groups": groups or [(None, asked(self._plan, None, now_ms))],
            "number": self._plan.page.call,
            "session": self._gate.session(request),
            "roles": ROLES,
            "labels": labels,
        }
        return HTMLResponse(self._gate.templates.render("call.html", words, request, context))
