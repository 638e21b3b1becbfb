# SPDX-License-Identifier: MIT
"""The steps of a warning on the page, for those who have entered: taken, coming, fixed."""

from __future__ import annotations

from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from kahriz_alarms import states
from kahriz_alarms.alarm import CAUSES
from kahriz_gateway.alarms import book as alarm_book
from kahriz_gateway.alarms import hands as alarm_hands
from kahriz_gateway.page import api_alarms, forms
from kahriz_gateway.page.gate import Asked, Gate

STEPS = {"ack": "acknowledged", "coming": "coming", "fixed": "fixed"}
ANYONE = ("committee", "crew", "technician")


class AlarmSteps:
    """What a person with a PIN may do to a warning; the water alone ends it."""

    def __init__(self, data_dir: Path, gate: Gate) -> None:
        self._data_dir, self._gate = data_dir, gate

    def routes(self) -> list[Route]:
        """One form a step."""
        return [
            Route("/alarms/{ident:int}", self._gate.sent(self._take, *ANYONE), methods=["POST"])
        ]

    def _take(self, asked: Asked) -> Response:
        ident, form = int(asked.request.path_params["ident"]), asked.fields
        op = forms.chosen(form, "op", tuple(STEPS))
        if op is None or ident > 2**31:
            raise HTTPException(400)
        data: dict[str, object] = {}
        if op == "fixed":
            cause = forms.chosen(form, "cause", CAUSES)
            if cause is None:
                raise HTTPException(400)
            data = {"cause": cause}
        person = asked.session.person
        try:
            with api_alarms.writer(self._data_dir) as conn:
                alarm_hands.take(conn, ident, STEPS[op], person, asked.now_ms, None, data)
        except alarm_book.NoAlarmError:
            raise HTTPException(404) from None
        except states.StateError:
            raise HTTPException(409) from None
        asked.write("alarm", {"alarm": ident, "step": op, **data})
        return RedirectResponse(f"/alarms#a{ident}", 303)
