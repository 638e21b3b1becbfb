# SPDX-License-Identifier: MIT
"""`kahriz server run`: heartbeats in, judgement, alarms out; each part in a thread of its own.

The keeper's loop is the work, and it alone feeds systemd's watchdog. A disk that is full stops
what must be stored and nothing else; it goes on by itself.
"""

from __future__ import annotations

import logging
import sqlite3
import ssl
import threading
import time
from collections.abc import Callable
from pathlib import Path

from kahriz_alarms.attempts import CALL
from kahriz_alarms.channels import Outside, channels
from kahriz_alarms.channels.to_people import to_people
from kahriz_alarms.loop.clock import Clock
from kahriz_alarms.loop.links import links_of
from kahriz_alarms.loop.listen import Listener
from kahriz_alarms.loop.people import PeopleSender
from kahriz_alarms.loop.sender import Sender
from kahriz_alarms.service import secret_file
from kahriz_alarms.service.notify import Notifier
from kahriz_server.watch import store
from kahriz_server.watch.accept import Acceptor
from kahriz_server.watch.answer_page import AnswerPage
from kahriz_server.watch.config import Listen, Office
from kahriz_server.watch.keeper import OfficeKeeper
from kahriz_server.watch.readings import ReadingsWatch
from kahriz_server.watch.serve import Handlers, Server, listen
from kahriz_server.watch.status import Status
from kahriz_water.strict import ConfigError

PAUSE_S = 1.0
AGAIN_S = 10.0  # after a helper has failed
HUNG_S = 60.0  # the keeper has not ended a round for so long

log = logging.getLogger(__name__)

Target = Callable[[threading.Event], None]


class PortError(Exception):
    """An address that is taken, or not ours: in words."""


class Rounds:
    """The keeper's loop, which a full disk does not end."""

    def __init__(self, keeper: OfficeKeeper, data: Path) -> None:
        self._keeper, self._data = keeper, data
        self._trouble: str | None = None
        self._ended_s = time.monotonic()

    def ailing(self) -> str | None:
        """Why nothing is judged now; None while all is well."""
        if self._trouble is not None:
            return self._trouble
        hung_s = time.monotonic() - self._ended_s
        return f"nothing was judged for {hung_s:.0f} s" if hung_s > HUNG_S else None

    def run(self, conn: sqlite3.Connection, notifier: Notifier, stop: threading.Event) -> None:
        while not stop.wait(PAUSE_S):
            try:
                self._keeper.tick(conn)
            except sqlite3.Error as error:
                if self._trouble is None:
                    log.error("nothing can be judged or told: %s", error)
                    notifier.status(f"cannot store: {error}")
                self._trouble = str(error)
            else:
                if self._trouble is not None:
                    log.warning("it can be stored again")
                    notifier.status("listening")
                self._trouble = None
                self._ended_s = time.monotonic()
            notifier.ready("listening")
            notifier.beat()


def run(office: Office, data: Path, clock: Clock, stop: threading.Event) -> None:
    """Run until `stop`; ConfigError, OfficeStoreError and PortError in words."""
    conn = store.open_office(data)
    path = data / store.FILE
    plan = office.plan
    links = links_of(plan, data)
    tells_to = Sender(path, plan, clock, channels(plan, Outside(None, secret_file.read)))
    people = to_people(plan, secret_file.read)
    keeper = OfficeKeeper(path, office, clock, tells_to.tells)
    rounds = Rounds(keeper, data)
    answer = None
    if links is not None:
        answer = AnswerPage(store.open_office(data), plan, links, clock, tells_to.tells)
    server = _server(office.listen, data, clock, rounds, answer)
    helpers: dict[str, Target] = {
        "heartbeats": server.run,
        "sender": tells_to.run,
        "people": PeopleSender(path, plan, clock, people, tells_to.tells, links=links).run,
    }
    if office.influx is not None:
        helpers["readings"] = ReadingsWatch(data, office.influx, clock).run
    for channel in people:
        if channel.name != CALL:  # the same modem as for texts
            helpers[f"hears {channel.name}"] = Listener(
                path, plan, clock, channel, tells_to.tells
            ).run
    notifier = Notifier()
    threads = [_start(name, target, stop) for name, target in helpers.items()]
    log.info("heartbeats at %s:%s", *server.address)
    try:
        rounds.run(conn, notifier, stop)
    finally:
        notifier.stopping()
        stop.set()
        for thread in threads:
            thread.join(5.0)
        conn.close()


def tls_of(wanted: Listen) -> ssl.SSLContext | None:
    """ConfigError when certificate or key cannot be used."""
    if wanted.cert is None or wanted.key is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(secret_file.path_of(wanted.cert), secret_file.path_of(wanted.key))
    except OSError as error:
        raise ConfigError("listen.cert", f"a certificate with its key ({error})") from error
    return context


def _server(
    wanted: Listen, data: Path, clock: Clock, rounds: Rounds, answer: AnswerPage | None
) -> Server:
    acceptor = Acceptor(store.open_office(data))
    status = Status(data, clock, acceptor, rounds.ailing)
    tls = tls_of(wanted)
    try:
        sock = listen(wanted.host, wanted.port)
    except OSError as error:
        raise PortError(
            f"cannot listen at {wanted.host}:{wanted.port} ({error.strerror}): stop what uses"
            " this port, or give another under [listen]"
        ) from error
    handlers = Handlers(
        lambda body, signature: acceptor.take(body, signature, clock.now_ms()),
        {"/healthz": status.healthz, "/metrics": status.metrics},
        answer,
    )
    return Server(sock, handlers, tls)


def _start(name: str, target: Target, stop: threading.Event) -> threading.Thread:
    def run_again() -> None:
        while not stop.is_set():
            try:
                target(stop)
            except sqlite3.Error as error:
                log.error("%s cannot store (%s) and tries again", name, error)
                stop.wait(AGAIN_S)
            except Exception:  # the outermost edge of a thread: the others must go on
                log.exception("%s has failed and starts again", name)
                stop.wait(AGAIN_S)

    thread = threading.Thread(target=run_again, name=name, daemon=True)
    thread.start()
    return thread
