# SPDX-License-Identifier: MIT
"""How a release spreads: to one node first, to the others when that one has proved it.

Proved is what came over the air, says its number in every hello since, and had its readings
receipted for so many hours, in at least half the sessions that its rhythm asks for. A node keeps
quiet about a refusal after it has told it once, so all hellos since the offer are read.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from kahriz_gateway.orders import ota

HOUR_MS = 3_600_000
GRACE_MS = 120_000  # beyond dt_s x batch, as `late` of doctor has it
AHEAD_MS = 24 * HOUR_MS
USUAL_S = 3600  # the rhythm of a node that has not told its own
LEAST_SESSIONS = 3
TOLD = ("release", "ota:", "errand:")  # how a node's complaint about a program begins


@dataclass(frozen=True, slots=True)
class Standing:
    """One line of the table: what a node shall run, what it runs, and why not."""

    node: str
    offered: str | None
    runs: str | None
    state: str
    why: str
    hours: float = 0.0
    number: int | None = None

    @property
    def proved(self) -> bool:
        return self.state == "proved"

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    def in_words(self) -> str:
        return f"{self.state}{f': {self.why}' if self.why else ''}"


def nodes(conn: sqlite3.Connection, planned: Iterable[str] = ()) -> list[str]:
    """All that ever spoke, are offered something, or are in the plan."""
    known = {
        str(row[0]) for row in conn.execute("SELECT node FROM session UNION SELECT node FROM offer")
    }
    first = list(dict.fromkeys(planned))
    return [*first, *sorted(known - set(first))]


def rest(conn: sqlite3.Connection, data: bytes) -> list[str]:
    """All that spoke, but those that are offered something newer."""
    number = ota.read(data).number
    newer = {node for node, offered, _ in ota.offers(conn) if offered > number}
    return [node for node in nodes(conn) if node not in newer]


def standing(conn: sqlite3.Connection, node: str, now_ms: int, hours: int) -> Standing:
    """How a node stands to what it is offered."""
    offer = conn.execute(
        "SELECT number, fw, coalesce(offer.at, 0) FROM offer JOIN release USING(number)"
        " WHERE node=?",
        (node,),
    ).fetchone()
    newest = conn.execute(
        "SELECT received, body FROM hello WHERE node=? ORDER BY rev DESC LIMIT 1", (node,)
    ).fetchone()
    says = json.loads(newest[1]) if newest else {}
    silent = _silent(conn, node, newest[0] if newest else None, now_ms)
    runs = says.get("fw")
    if offer is None:
        return Standing(node, None, runs, "late" if silent else "not offered", silent)
    number, fw, at_ms = offer
    if at_ms > now_ms + GRACE_MS:
        wrong = "the offer is dated in the future, a clock was wrong: withdraw it, offer again"
        return Standing(node, fw, runs, "waits", wrong, 0.0, number)
    state, why, ran_ms = _state(conn, node, number, at_ms, hours)
    if silent and state in ("waits", "on trial", "proved"):
        state, why = "late", f"{silent}; before that: {state}"
    return Standing(node, fw, runs, state, why, round(ran_ms / HOUR_MS, 1), number)


def offer(
    conn: sqlite3.Connection, nodes: Sequence[str], data: bytes, now_ms: int, hours: int
) -> ota.Release:
    """Keep a release and offer it, or say who must prove it first; inside a transaction."""
    found = ota.put(conn, data, now_ms)
    wanted = list(dict.fromkeys(nodes))
    holders = [node for node, number, _ in ota.offers(conn) if number == found.number]
    fresh = [node for node in wanted if node not in holders]
    if fresh and len(holders) + len(fresh) > 1:
        seen = [standing(conn, node, now_ms, hours) for node in holders]
        if not any(one.proved for one in seen):
            raise ota.OtaError(_not_yet(found, seen, fresh, hours))
    for node in wanted:
        ota.offer(conn, node, found.number, now_ms)
    return found


def _not_yet(found: ota.Release, seen: list[Standing], fresh: list[str], hours: int) -> str:
    if not seen:
        return (
            f"a release goes to one node first, not to {len(fresh)}: offer {found.fw} to one; when "
            f"it has run it for {hours} h, to the others"
        )
    told = "; ".join(f"{one.node} {one.in_words()}" for one in seen)
    return (
        f"release {found.fw} is not proved yet ({told}): nothing was offered to "
        f"{', '.join(fresh)}; wait, or `ota withdraw {seen[0].node}` and begin with another"
    )


def _state(
    conn: sqlite3.Connection, node: str, number: int, at_ms: int, hours: int
) -> tuple[str, str, int]:
    """State, reason, and for how long it has run the release by what was receipted."""
    before = conn.execute(
        "SELECT body FROM hello WHERE node=? AND received<=? ORDER BY rev DESC LIMIT 1",
        (node, at_ms),
    ).fetchone()
    since = [
        (int(received), json.loads(body))
        for received, body in conn.execute(
            "SELECT received, body FROM hello WHERE node=? AND received>? ORDER BY rev",
            (node, at_ms),
        )
    ]
    ran = [received for received, says in since if says.get("ota") == number]
    complaint = next(
        (e for _, s in reversed(since) if str(e := s.get("error") or "").startswith(TOLD)), ""
    )
    if not since:
        return "waits", "it has not spoken since the offer", 0
    if since[-1][1].get("ota") != number:
        if ran or "gone back" in complaint:
            return "gone back", complaint or "it says nothing of why", 0
        if "battery" in complaint:
            return "waits", complaint, 0
        if complaint:
            return "refused", complaint, 0
        newer = since[-1][1].get("ota")
        if isinstance(newer, int) and newer > number:
            return "refused", "it runs a newer one", 0
        return "waits", "it fetches, piece by piece", 0
    if (before is not None and json.loads(before[0]).get("ota") == number) or (
        before is None and len(ran) == len(since)
    ):
        return "by cable", "it ran this before the offer, which proves nothing of the air", 0
    return _trial(conn, node, ran, hours)


def _trial(conn: sqlite3.Connection, node: str, ran: list[int], hours: int) -> tuple[str, str, int]:
    begin = ran[0]
    last = conn.execute(
        "SELECT max(received) FROM reading WHERE node=? AND received>=?", (node, begin)
    ).fetchone()[0]
    if last is None:
        return "on trial", "no reading was receipted under it", 0
    lasted = max(0, min(int(last), ran[-1]) - begin)
    need = max(LEAST_SESSIONS, hours * HOUR_MS // _rhythm_ms(conn, node) // 2)
    if lasted >= hours * HOUR_MS and len(ran) >= need:
        return "proved", f"{lasted / HOUR_MS:.1f} h, {len(ran)} sessions", lasted
    told = f"{lasted / HOUR_MS:.1f} of {hours} h, {len(ran)} of {need} sessions"
    return "on trial", told, lasted


def _rhythm_ms(conn: sqlite3.Connection, node: str) -> int:
    row = conn.execute("SELECT body FROM birth WHERE node=?", (node,)).fetchone()
    birth = json.loads(row[0]) if row else {}
    return int(birth.get("dt_s", USUAL_S) * birth.get("batch", 1)) * 1000


def _silent(conn: sqlite3.Connection, node: str, last_ms: int | None, now_ms: int) -> str:
    """Why a node's silence is no good news; empty when it spoke in time."""
    if last_ms is None:
        return "it never spoke, or while our clock was not set"
    if last_ms - now_ms > AHEAD_MS:
        return "it was last heard in the future: a clock was wrong"
    late_ms = now_ms - last_ms
    if late_ms <= _rhythm_ms(conn, node) + GRACE_MS:
        return ""
    minutes = late_ms // 60_000
    return f"silent for {minutes} min" if minutes < 120 else f"silent for {minutes // 60} h"
