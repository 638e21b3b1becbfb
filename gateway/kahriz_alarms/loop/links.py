# SPDX-License-Identifier: MIT
"""Answers by a link in an e-mail: signed, for one person and one step, once, and not for ever.

    https://kahriz.example/a/7.ack.ali.1790000000.3vXbq0…

The last part is the HMAC-SHA256 of site and the parts before it. A look at the link changes
nothing (mail programs and their scanners look); the button on its page does.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from kahriz_alarms import answers, messages
from kahriz_alarms.alarm import Alarm, Event
from kahriz_alarms.loop import book as alarm_book
from kahriz_alarms.loop import findings
from kahriz_alarms.people import Person
from kahriz_alarms.service import kept_secret, secret_file
from kahriz_water.site import Plan
from kahriz_water.strict import ConfigError

STEPS = {"ack": "acknowledged", "coming": "coming", "fixed": "fixed"}
PATH = "/a/"
KEY_FILE = "link.key"
LEAST_KEY = 16  # bytes
DAYS = 3
MOST = 3  # alarms with links in one message
CHANNEL = "link"
FORM = re.compile(r"([0-9]{1,9})\.([a-z]{1,8})\.([a-z0-9-]{1,32})\.([0-9]{1,12})\.([\w-]{43})")


class LinkError(Exception):
    """A link that does nothing; `why`: wrong, over, used, unknown."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True, slots=True)
class Link:
    """What a signed link may do: `person` takes `op` on `alarm`, until then."""

    alarm: int
    op: str
    person: str
    until_s: int
    mark: str  # its signature: by it a second use is known


class Links:
    """Makes and reads the links of one site with its key."""

    def __init__(self, plan: Plan, key: bytes) -> None:
        self._plan, self._key = plan, key

    def text(self, events: Iterable[Event], to: Person, now_ms: int) -> str | None:
        """The links of a message, ready for its end; None where nothing waits for an answer."""
        base = self._plan.alarms.public_url
        opened = {e.alarm.id: e.alarm for e in events if e.alarm.open}
        if base is None or not opened:
            return None
        until_s = now_ms // 1000 + DAYS * 86_400
        until = messages.moment(until_s * 1000)
        lines = [answers.say(answers.LINKS, to.language, until=until)]
        for alarm in list(opened.values())[:MOST]:
            lines.append(answers.named([alarm], self._plan, to.language))
            for op, word in answers.LINK.items():
                link = f"{base}{PATH}{self.make(alarm.id, op, to.id, until_s)}"
                lines.append(f"{answers.say(word, to.language)}: {link}")
        return "\n".join(lines)

    def make(self, alarm: int, op: str, person: str, until_s: int) -> str:
        said = f"{alarm}.{op}.{person}.{until_s}"
        return f"{said}.{self._mark(said)}"

    def read(self, text: str, now_ms: int) -> Link:
        """LinkError when it was not made here, or is too old."""
        parts = FORM.fullmatch(text)
        if parts is None:
            raise LinkError("wrong")
        alarm, op, person, until_s, mark = parts.groups()
        if not hmac.compare_digest(mark.encode(), self._mark(text.rpartition(".")[0]).encode()):
            raise LinkError("wrong")
        link = Link(int(alarm), op, person, int(until_s), mark)
        if now_ms // 1000 >= link.until_s or op not in STEPS:
            raise LinkError("over")
        if self._plan.person(person) is None:
            raise LinkError("unknown")
        return link

    def _mark(self, said: str) -> str:
        found = hmac.new(self._key, f"{self._plan.id} {said}".encode(), hashlib.sha256).digest()
        return base64.urlsafe_b64encode(found).decode().rstrip("=")


def links_of(plan: Plan, data_dir: Path) -> Links | None:
    """None where no address is set; ConfigError when the key cannot be read or is too short."""
    if plan.alarms.public_url is None:
        return None
    name = plan.alarms.link_key_file
    try:
        key = secret_file.read(name) if name else kept_secret.kept(data_dir, KEY_FILE).encode()
    except kept_secret.SecretError as error:
        raise ConfigError(KEY_FILE, f"a key that can be kept ({error})") from error
    if len(key) < LEAST_KEY:
        raise ConfigError("alarms.link_key_file", f"a key of at least {LEAST_KEY} bytes")
    return Links(plan, key)


def used(conn: sqlite3.Connection, link: Link) -> bool:
    row = conn.execute(
        "SELECT 1 FROM incoming WHERE channel=? AND key=?", (CHANNEL, link.mark)
    ).fetchone()
    return row is not None


def use(
    conn: sqlite3.Connection, link: Link, cause: str | None, now: int, tells: alarm_book.Tells
) -> Alarm:
    """Inside a transaction: the step, once. LinkError, or StateError when it cannot follow."""
    alarm = alarm_book.load(conn, link.alarm)
    if alarm is None:
        raise LinkError("unknown")
    stored = conn.execute(
        "INSERT INTO incoming(channel, key, at, stored, sender, person, text, did)"
        " VALUES(?,?,?,?,?,?,?,?) ON CONFLICT DO NOTHING",
        (CHANNEL, link.mark, now, now, link.person, link.person, f"{link.op} #{alarm.id}", link.op),
    )
    if stored.rowcount == 0:
        raise LinkError("used")
    data = {"cause": cause} if link.op == "fixed" else {}
    what = STEPS[link.op]
    return findings.step(conn, alarm, what, now, tells, now, link.person, None, data)
