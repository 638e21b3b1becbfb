# SPDX-License-Identifier: MIT
"""An office for tests: its real HTTP server on a real socket, its keeper, a clock a test sets."""

from __future__ import annotations

import email
import http.client
import json
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import default
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from kahriz_alarms.alarm import Alarm
from kahriz_alarms.channels.to_people import to_people
from kahriz_alarms.heartbeat import beat as wire
from kahriz_alarms.heartbeat import key
from kahriz_alarms.heartbeat.beat import Beat
from kahriz_alarms.loop import book
from kahriz_alarms.loop.links import Links
from kahriz_alarms.loop.people import Done, Job, PeopleSender, attempt
from kahriz_alarms.personal import PersonalChannel
from kahriz_server.watch import store
from kahriz_server.watch.accept import Acceptor
from kahriz_server.watch.answer_page import AnswerPage
from kahriz_server.watch.config import Office, read_office
from kahriz_server.watch.keeper import Answer, OfficeKeeper, note_data
from kahriz_server.watch.serve import Handlers, Server, listen
from kahriz_server.watch.status import Status

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
START = 1_795_000_000_000
PATIENCE_S = 120.0  # for a broken program, never for a slow machine
OFFICE = """
[office]
id = "office"
name = { az = "Ofis", ru = "Контора", en = "Office" }
[listen]
port = 0
[watch]
oldest = "0.1"
[[person]]
id = "ayten"
name = "Aytən"
role = "office"
language = "az"
channels = ["email"]
email = "ayten@example.az"
[email]
host = "127.0.0.1"
port = PORT
security = "none"
from = "office@example.az"
"""
INFLUX = '[influx]\nurl = "http://127.0.0.1:1"\n'


class Hand:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.ms = START

    def now_ms(self) -> int:
        return self.ms

    def trusted(self) -> bool:
        return True


class Node:
    """A gateway as the office hears it: its key, its number."""

    def __init__(self, site: str) -> None:
        self.site, self.seed, self.n = site, secrets.token_urlsafe(32), 0
        self.public = key.public(self.seed)

    def beat(self, now: int, **words: Any) -> bytes:
        self.n += 1
        said = {"version": "0.1.0", "trusted": True, "at": now, "n": self.n, **words}
        return wire.body(Beat(site=self.site, **said))


def office_of(folder: Path, port: int = 25, more: str = "") -> Office:
    path = folder / "office.toml"
    path.write_text(OFFICE.replace("PORT", str(port)) + more, encoding="utf-8")
    return read_office(path)


class Bench:
    """The office's parts over one store: heartbeats by HTTP, rounds of the keeper by hand."""

    def __init__(self, folder: Path, more: str = "", mail: Mail | None = None) -> None:
        self.folder, self.clock = folder, Hand()
        self.post = [] if mail is None else mail.post
        self.office = office_of(folder, 25 if mail is None else mail.port, more)
        self.data = folder / "office"
        self.conn = store.open_office(self.data)
        self.conn.execute("PRAGMA synchronous=OFF")  # the other tests cut nobody's power
        self.path = self.data / store.FILE
        self.nodes: dict[str, Node] = {}
        self.begin()

    def begin(self) -> None:
        """The keeper as after a start of the program."""
        self.keeper = OfficeKeeper(self.path, self.office, self.clock, {})
        plan = self.office.plan
        ways = to_people(plan, lambda name: b"")
        self.people = PeopleSender(self.path, plan, self.clock, ways, {}, hand_over=AtOnce)
        self.keeper.tick(self.conn)

    def add(self, *sites: str, region: str | None = None) -> None:
        for site in sites:
            node = self.nodes.setdefault(site, Node(site))
            with store.transaction(self.conn):
                store.add(self.conn, site, node.public, region, self.clock.ms)

    def hear(self, *sites: str, **words: Any) -> None:
        """Heartbeats that went the short way, for tests of judgement."""
        for site in sites:
            body = self.nodes[site].beat(words.pop("at", self.clock.ms), **words)
            with store.transaction(self.conn):
                assert store.hear(self.conn, wire.read(body), self.clock.ms)

    def goes(self, ms: int, *alive: str, fed: tuple[str, ...] = (), data: bool | None = None,
             **words: Any) -> None:  # fmt: skip
        """Time passes in steps of four minutes; those alive are heard, those fed have readings."""
        end = self.clock.ms + ms
        while self.clock.ms < end:
            self.clock.ms = min(self.clock.ms + 4 * MINUTE, end)
            off = words.get("off", 0)
            more = {k: v for k, v in words.items() if k != "off"}
            for site in alive:
                self.hear(site, at=self.clock.ms + off, **more)
            if data is not None:
                newest = dict.fromkeys(fed, self.clock.ms)
                answer = Answer(newest, None if data else "no answer")
                with store.transaction(self.conn):
                    note_data(self.conn, answer, self.clock.ms)
            self.keeper.tick(self.conn)
            self.people.step(self.conn)

    def alarms(self) -> list[Alarm]:
        return book.open_alarms(self.conn)

    def standing(self) -> set[tuple[str, str]]:
        """What is told: kind and place, without what another explains and what is over."""
        return {(a.kind, a.place) for a in self.alarms() if a.parent is None and a.calm is None}

    def ever(self, kind: str) -> int:
        row = self.conn.execute("SELECT count(*) FROM alarm WHERE kind=?", (kind,)).fetchone()
        return int(row[0])

    def mails(self) -> list[str]:
        """The first line of each e-mail that the real server has taken, oldest first."""
        return [str(mail.get_payload(decode=True), "utf-8").splitlines()[0] for mail in self.post]


def certificate(folder: Path) -> tuple[Path, Path]:
    """For 127.0.0.1, signed by itself; of the machine's day, whatever the simulated clock says."""
    made = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "office")])
    here = x509.IPAddress(IPv4Address("127.0.0.1"))
    now = datetime.now(UTC)
    cert = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(made.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=2))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectAlternativeName([here]), critical=False)
        .sign(made, hashes.SHA256())
    )
    secret = made.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "office.pem").write_bytes(cert.public_bytes(serialization.Encoding.PEM))
    (folder / "office.key").write_bytes(secret)
    return folder / "office.pem", folder / "office.key"


class AtOnce:
    """Sends in the thread that asks: the test waits for nobody."""

    def __init__(self, channel: PersonalChannel, done: Done) -> None:
        self._channel, self._done = channel, done

    def put(self, job: Job) -> None:
        self._done.put((job, *attempt(self._channel, job)))

    def overdue(self, deadline_s: float) -> list[tuple[int, int]]:
        return []


class AnyPort(Controller):
    """Finds out the port that the kernel gave."""

    def _trigger_server(self) -> None:
        assert self.server is not None
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


class Mail:
    """A real SMTP server that keeps what it is given."""

    def __init__(self) -> None:
        self.post: list[EmailMessage] = []
        self.controller = AnyPort(self, hostname="127.0.0.1", port=0, ready_timeout=PATIENCE_S)
        self.controller.start()
        self.port = int(self.controller.port)

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        self.post.append(email.message_from_bytes(envelope.content, policy=default))
        return "250 OK"

    def close(self) -> None:
        self.controller.stop()


class Door:
    """The real server in a thread."""

    def __init__(self, bench: Bench) -> None:
        self.conn = store.open_office(bench.data)
        self.conn.execute("PRAGMA synchronous=OFF")
        self.acceptor = Acceptor(self.conn)
        plan = bench.office.plan
        self.links = Links(plan, b"a key of sixteen bytes at least")
        page = AnswerPage(self.conn, plan, self.links, bench.clock, {})
        status = Status(bench.data, bench.clock, self.acceptor, lambda: None)
        handlers = Handlers(
            lambda body, signature: self.acceptor.take(body, signature, bench.clock.ms),
            {"/healthz": status.healthz, "/metrics": status.metrics},
            page,
        )
        self.server = Server(listen("127.0.0.1", 0), handlers, deadline_s=PATIENCE_S)
        self.stop = threading.Event()
        self._thread = threading.Thread(target=self.server.run, args=(self.stop,))
        self._thread.start()
        self.port = self.server.address[1]

    def ask(
        self, method: str, path: str, body: bytes | None = None, **headers: str
    ) -> tuple[int, dict[str, Any]]:
        talk = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        try:
            talk.request(method, path, body, headers)
            answer = talk.getresponse()
            text = answer.read()
        finally:
            talk.close()
        return answer.status, json.loads(text) if text.startswith(b"{") else {"text": text}

    def beat(self, node: Node, body: bytes, signed: bytes | None = None) -> tuple[int, Any]:
        header = key.sign(node.seed, body if signed is None else signed)
        return self.ask("POST", wire.PATH, body, **{wire.SIGNATURE: header})

    def close(self) -> None:
        self.stop.set()
        self._thread.join(PATIENCE_S)
        self.conn.close()


@contextmanager
def door(bench: Bench) -> Iterator[Door]:
    made = Door(bench)
    try:
        yield made
    finally:
        made.close()
