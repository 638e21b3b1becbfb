# SPDX-License-Identifier: MIT
"""One drawn run of the alarm loop against a hostile modem, and what became of its promises.

The keeper, the sender and the listener are the real ones over a real store. Promised: within five
minutes of the alarm the first person has the text, or the next one is being tried.
"""

from __future__ import annotations

import random
import sqlite3
from dataclasses import dataclass, field
from pathlib import Path

from kahriz_alarms.channels.call import CallChannel
from kahriz_alarms.channels.modem import Modem
from kahriz_alarms.channels.sms import SmsChannel
from kahriz_alarms.delivery import DeliveryError
from kahriz_alarms.people import Person
from kahriz_alarms.personal import Health, Incoming, Message
from kahriz_detect.finding import RAISED, Finding
from kahriz_gateway.alarms import post as alarm_post
from kahriz_gateway.alarms.keeper import Keeper
from kahriz_gateway.alarms.listen import Listener
from kahriz_gateway.alarms.people import PeopleSender
from kahriz_gateway.village import alarms as village_alarms
from kahriz_gateway.village import store as village_store
from kahriz_sim.modem import Modem as Stick
from kahriz_sim.modem_trouble import KINDS, Trouble
from kahriz_water.plan import Plan, parse_plan

from .alarm_phone import Phone
from .alarm_time import T0_MS, Hand, Time, Turn

SITES = Path(__file__).parents[2] / "firmware" / "kahriz_sim" / "sites"
TEXT = (SITES / "banovshalar-gozlu" / "site.toml").read_text(encoding="utf-8")
PEOPLE = """
[modem]
device = "/dev/ttyUSB0"

[email]
host = "127.0.0.1"
security = "none"
from = "kahriz@example.az"

[[person]]
id = "ali"
name = "Əli"
role = "crew"
language = "az"
channels = ["sms", "call"]
phone = "+994501234567"

[[person]]
id = "vali"
name = "Vəli"
role = "crew"
language = "ru"
ascii = true
channels = ["sms"]
phone = "+994501234568"

[[person]]
id = "rena"
name = "Rəna"
role = "technician"
language = "en"
channels = ["email"]
email = "rena@example.az"
"""
PLAN: Plan = parse_plan(TEXT + PEOPLE)
PROMISE_S = 300.0
LASTS_S = 900.0


class Mail:
    """The mail server: far away, slow, and down at times."""

    name = "email"

    def __init__(self, time: Time, seed: int) -> None:
        self._time, self._random = time, random.Random(seed)
        self.down = self._random.random() < 0.2
        self.got: list[tuple[float, Message]] = []

    def send(self, message: Message, to: Person) -> None:
        self._time.spend(self._random.uniform(0.5, 30.0))
        if self.down:
            raise DeliveryError("the mail server is away", permanent=False)
        self.got.append((self._time.s(), message))

    def health(self) -> Health:
        return Health(not self.down)

    def receive(self) -> list[Incoming]:
        return []

    def done(self, incoming: Incoming) -> None:
        pass


@dataclass
class Verdict:
    """`faults` are broken promises; the times are seconds after the alarm."""

    seed: int
    delivered_s: float | None = None
    next_s: float | None = None
    anybody_s: float | None = None
    copies: int = 0
    repeats: int = 0
    struck: int = 0
    powered: int = 0
    faults: list[str] = field(default_factory=list)


class Run:
    """Everything of one run; what is drawn is drawn from the seed alone."""

    def __init__(self, seed: int, folder: Path) -> None:
        draw = random.Random(seed)
        self.seed, self.draw = seed, draw
        self.time = Time(T0_MS)
        kinds = tuple(k for k in KINDS if draw.random() < 0.6) or KINDS
        share = draw.choice((0.0, 0.02, 0.05, 0.15, 0.4))
        self.stick = Stick(Trouble(share=share, kinds=kinds, seed=seed))
        self.phone = Phone(self.stick, self.time, seed)
        self.powered = 0
        self.modem = Modem(
            "stick",
            power_cycle=self._power if draw.random() < 0.5 else None,
            program=self.phone,
            turn=Turn(self.time),
            beat_s=self.time.s,
        )
        self.mail = Mail(self.time, seed)
        self.sms = SmsChannel(self.modem, beat_s=self.time.s)
        self.path = folder / f"village-{seed}.db"
        self.conn = village_store.open_village(self.path)
        self.conn.execute("PRAGMA synchronous=OFF")
        self.keeper = Keeper(self.path, PLAN, self.time, {})
        self.listener = Listener(self.path, PLAN, self.time, self.sms, {})
        self.sender = self._start()
        self.happens = self._happenings(draw)
        self.alarm_s = draw.uniform(0.0, 30.0)

    def _start(self) -> PeopleSender:
        channels = (self.sms, CallChannel(self.modem), self.mail)
        made = PeopleSender(
            self.path, PLAN, self.time, channels, {},
            hand_over=lambda channel, done: Hand(channel, done, self.time),
        )  # fmt: skip
        made.start(self.conn)
        return made

    def _power(self) -> None:
        self.powered += 1
        self.time.spend(8.0)
        self.stick.power_cycle()

    def _happenings(self, draw: random.Random) -> list[tuple[float, str]]:
        """What befalls the hut: the network goes and comes, somebody plugs, the power fails."""
        found: list[tuple[float, str]] = []
        if draw.random() < 0.3:
            off = draw.uniform(0.0, 300.0)
            found += [(off, "network gone"), (off + draw.uniform(5.0, 400.0), "network back")]
        if draw.random() < 0.3:
            found.append((draw.uniform(0.0, 600.0), "plugged anew"))
        if draw.random() < 0.2:
            found.append((draw.uniform(1.0, 240.0), "program killed"))
        return sorted(found)

    def live(self, lasts_s: float = LASTS_S) -> Verdict:
        raised, listens_s = False, self.draw.uniform(0.0, 10.0)
        while self.time.at_s < self.alarm_s + lasts_s:
            now = self.time.at_s
            while self.happens and self.happens[0][0] <= now:
                self._happen(self.happens.pop(0)[1])
            if not raised and now >= self.alarm_s:
                raised = True
                self._raise()
            self.keeper.tick(self.conn)
            self.sender.step(self.conn)
            if now >= listens_s:
                with self.time.thread(now):
                    self.listener.step(self.conn)
                    listens_s = self.time.s() + 10.0
            self.time.at_s += 1.0
        verdict = judge(self)
        self.conn.close()
        return verdict

    def _happen(self, what: str) -> None:
        if what == "network gone":
            self.stick.registered = 2
        elif what == "network back":
            self.stick.registered = 1
        elif what == "plugged anew":
            self.stick.has_sim = True
            self.stick.power_cycle()
        else:
            self.phone.end(0.0)
            self.sender = self._start()

    def _raise(self) -> None:
        finding = Finding(RAISED, "leak", "upper", self.time.now_ms(), 2.0, 0.4, 7.0)
        with village_store.transaction(self.conn):
            village_alarms.apply(self.conn, [finding], PLAN, self.time.now_ms(), {})


def judge(run: Run) -> Verdict:
    """Compare what the store says with what the stick and the mail server took."""
    found = Verdict(run.seed, struck=len(run.stick.trouble.struck), powered=run.powered)
    begun = run.alarm_s
    firsts = [
        (at, part)
        for at, part in zip(run.phone.sent_at, run.stick.sent, strict=True)
        if part.parts == 1 and _reply(part.text)
    ]
    ali = [(at, part.text) for at, part in firsts if part.to == "+994501234567"]
    found.delivered_s = min((at - begun for at, _ in ali), default=None)
    conn = run.conn
    others = conn.execute(
        "SELECT min(a.at) FROM attempt a JOIN message m ON m.id = a.message WHERE m.person <> 'ali'"
    ).fetchone()[0]
    if others is not None:
        found.next_s = (others - T0_MS) / 1000 - begun
    reached = [at - begun for at, _ in firsts] + [at - begun for at, _ in run.mail.got]
    found.anybody_s = min(reached, default=None)
    times = [t for t in (found.delivered_s, found.next_s) if t is not None]
    if min(times, default=PROMISE_S + 1) > PROMISE_S:
        found.faults.append(f"neither delivered nor the next one tried within {PROMISE_S:.0f} s")
    _copies(found, run, ali)
    _believed(found, conn, ali)
    return found


def _reply(text: str) -> bool:
    return any(f"{word} 1" in text for word in ("cavab", "otvet"))


def _copies(found: Verdict, run: Run, texts: list[tuple[float, str]]) -> None:
    """Of one message to one person the second copy says that it may be one."""
    asked = run.conn.execute(
        "SELECT count(*) FROM message WHERE person='ali' AND sort='urgent'"
    ).fetchone()[0]
    found.copies = max(0, len(texts) - 1)
    found.repeats = sum("təkrar?" in text for _, text in texts)
    unmarked = len(texts) - found.repeats
    if unmarked > asked:
        found.faults.append(f"{unmarked} unmarked copies of {asked} messages")


def _believed(found: Verdict, conn: sqlite3.Connection, texts: list[tuple[float, str]]) -> None:
    sent = conn.execute(
        "SELECT count(*) FROM attempt a JOIN message m ON m.id = a.message"
        " WHERE m.person='ali' AND m.sort='urgent' AND a.channel='sms' AND a.state='delivered'"
    ).fetchone()[0]
    if sent > len(texts):
        found.faults.append(f"{sent} believed to be delivered, {len(texts)} were")
    under_way = [p for p in alarm_post.in_state(conn, alarm_post.SENDING) if p.sort == "urgent"]
    if under_way and found.anybody_s is None:
        found.faults.append("still sending after a quarter of an hour")
