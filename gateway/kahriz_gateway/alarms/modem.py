# SPDX-License-Identifier: MIT
"""Asks the modem how it stands: SIM and operator every six hours, the prepaid credit every week.

A text that cannot leave is noticed before it is needed: what is wrong is an alarm that goes out
by another way. An answer that nobody can read is no good news: after three of them it is told.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
from pathlib import Path
from typing import Any, Protocol

from kahriz_alarms import credit
from kahriz_alarms.delivery import DeliveryError
from kahriz_detect.finding import CLEARED, RAISED, Finding
from kahriz_gateway.alarms import book as alarm_book
from kahriz_gateway.alarms import post as alarm_post
from kahriz_gateway.clock import Clock
from kahriz_gateway.village import alarms as village_alarms
from kahriz_gateway.village import store as village_store
from kahriz_water.site import Plan

KEY = "alarm:modem"
PAUSE_S = 60.0
MINUTE_MS, HOUR_MS, DAY_MS = 60_000, 3_600_000, 86_400_000
NETWORK_MS = {True: 6 * HOUR_MS, False: 10 * MINUTE_MS}  # until the next look, by whether well
CREDIT_MS = {True: 7 * DAY_MS, False: DAY_MS}
MOST_FAILURES = 3
LONGEST = 160  # characters of the operator's answer that are kept
REGISTERED = ("HomeNetwork", "RoamingNetwork")
PATH, LOW = "alarm_path", "credit_low"

log = logging.getLogger(__name__)


class Stick(Protocol):
    """What can be asked: the SMS channel."""

    def network(self) -> dict[str, Any]: ...
    def ask_operator(self, code: str) -> str: ...


class ModemWatch:
    """`step` asks what is due and can be called by a test."""

    def __init__(
        self, path: Path, plan: Plan, clock: Clock, stick: Stick, tells: alarm_book.Tells
    ) -> None:
        self._path, self._plan, self._clock = path, plan, clock
        self._stick, self._tells = stick, tells

    def run(self, stop: threading.Event) -> None:
        conn = village_store.open_village(self._path)
        try:
            while not stop.is_set():
                self.step(conn)
                stop.wait(PAUSE_S)
        finally:
            conn.close()

    def step(self, conn: sqlite3.Connection) -> None:
        """A modem that does not answer at all is the matter of the listener."""
        kept = seen(conn)
        try:
            if self._due(kept, "network", NETWORK_MS):
                self._network(conn, kept)
            busy = alarm_post.in_state(conn, alarm_post.SENDING)  # the operator may take a minute
            if not busy and self._due(kept, "credit", CREDIT_MS):
                self._credit(conn, kept)
        except DeliveryError as error:
            log.info("the modem was not asked: %s", error)

    def _due(self, kept: dict[str, Any], what: str, pause_ms: dict[bool, int]) -> bool:
        if what == "credit" and (self._code is None or not self._clock.trusted()):
            return False
        at = kept.get(f"{what}_at")
        return at is None or not 0 <= self._clock.now_ms() - at < pause_ms[kept[f"{what}_ok"]]

    @property
    def _code(self) -> str | None:
        modem = self._plan.ways.modem
        return None if modem is None else modem.credit_ussd

    def _network(self, conn: sqlite3.Connection, kept: dict[str, Any]) -> None:
        found = self._stick.network()
        says = "its SIM is missing or wants a PIN"
        if found["sim"]:
            well = found["state"] in REGISTERED
            says = "" if well else f"the operator does not let it in ({found['state']})"
        kept |= {"network_at": self._clock.now_ms(), "network_ok": not says, "network": found}
        self._keep(conn, kept, [self._finding(PATH, "modem", says)])

    def _credit(self, conn: sqlite3.Connection, kept: dict[str, Any]) -> None:
        modem = self._plan.ways.modem
        assert modem is not None
        assert modem.credit_ussd is not None
        try:
            text = self._stick.ask_operator(modem.credit_ussd)[:LONGEST]
        except DeliveryError as error:
            text, left = str(error), None
        else:
            left = credit.amount(text, modem.credit_pattern)
        failures = 0 if left is not None else kept.get("credit_failures", 0) + 1
        well = left is not None and left >= modem.credit_least
        kept |= {
            "credit_at": self._clock.now_ms(),
            "credit_ok": well,
            "credit_says": text,
            "credit_failures": failures,
        }
        findings = []
        if left is not None:
            kept |= {"credit": left, "credit_known_at": self._clock.now_ms()}
            findings.append(self._finding(LOW, self._plan.id, "" if well else f"{left:g}: {text}"))
        if left is not None or failures >= MOST_FAILURES:
            unread = "" if left is not None else f"{modem.credit_ussd} tells no credit: {text}"
            findings.append(self._finding(PATH, "credit", unread))
        self._keep(conn, kept, findings)

    def _finding(self, kind: str, place: str, says: str) -> Finding:
        now = self._clock.now_ms()
        if not says:
            return Finding(CLEARED, kind, place, now)
        return Finding(RAISED, kind, place, now, evidence={"detail": says})

    def _keep(
        self, conn: sqlite3.Connection, kept: dict[str, Any], findings: list[Finding]
    ) -> None:
        with village_store.transaction(conn):
            village_store.set_state(conn, KEY, kept)
            now = self._clock.now_ms()
            village_alarms.apply(conn, findings, self._plan, now, self._tells)


def seen(conn: sqlite3.Connection) -> dict[str, Any]:
    """What the modem said last; empty before it was ever asked."""
    found: dict[str, Any] = village_store.get_state(conn, KEY) or {}
    return found
