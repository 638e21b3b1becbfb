# SPDX-License-Identifier: MIT
"""kill -9 at any moment: no alarm and no message is lost, and a second copy says that it may be."""

from __future__ import annotations

import contextlib
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kahriz_gateway.alarms import post as alarm_post
from kahriz_sim.modem import Modem as Stick
from kahriz_sim.modem_pty import terminal
from kahriz_sim.modem_trouble import Trouble

from .conftest import wait_for
from .test_alarm_loop import RAISED, T0, Finding, Loop, leak

ROOT = Path(__file__).parents[2]
KILLS = 8
ROUND_S = 60  # between two starts: what was cut off is tried again after half a minute
HEAD = """
import os, sys, threading, time
from pathlib import Path
from kahriz_gateway.alarms.keeper import Keeper
from kahriz_gateway.alarms.people import PeopleSender
from kahriz_gateway.alarms import keeper as alarm_keeper, people as alarm_people
from kahriz_water.plan import parse_plan
from tests.gateway.test_alarm_loop import PEOPLE, T0, TELLS, TEXT, HandClock
class Clock(HandClock):
    def now_ms(self):
        return T0 + 1000 * int(sys.argv[2]) + round(1000 * (time.monotonic() - BEGUN))
BEGUN = time.monotonic()
PLAN = parse_plan(TEXT + PEOPLE + "[alarms]\\ngather_minutes = 0\\n")
alarm_keeper.PAUSE_S = alarm_people.PAUSE_S = 0.02
path, clock, stop = Path(sys.argv[1]), Clock(), threading.Event()
keeper = Keeper(path, PLAN, clock, TELLS)
threading.Thread(target=keeper.run, args=(stop,), daemon=True).start()
"""
FILE = (
    HEAD
    + """
class Way:
    name = "sms"
    def send(self, message, to):
        time.sleep(0.01)
        line = os.open(sys.argv[3], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(line, f"{message.id} {message.again}\\n".encode())  # it has got through
        os.close(line)
        time.sleep(0.01)  # and we do not know it yet
PeopleSender(path, PLAN, clock, [Way()], TELLS).run(stop)
"""
)
MODEM = (
    HEAD
    + """
from kahriz_alarms.channels.modem import Modem
from kahriz_alarms.channels.sms import SmsChannel
PeopleSender(path, PLAN, clock, [SmsChannel(Modem(sys.argv[3]))], TELLS).run(stop)
"""
)


Start = Callable[[str, Path, int, str], subprocess.Popen[bytes]]


@pytest.fixture
def start() -> Iterator[Start]:
    started: list[subprocess.Popen[bytes]] = []

    def program(text: str, path: Path, seconds: int, target: str) -> subprocess.Popen[bytes]:
        words = [sys.executable, "-c", text, str(path), str(seconds), target]
        started.append(subprocess.Popen(words, cwd=ROOT))
        return started[-1]

    yield program
    for process in started:
        process.kill()
        process.wait()


def users(device: str) -> list[str]:
    """The programs of others that hold this terminal: systemd waits longer than they do."""
    held = []
    for fd in Path("/proc").glob("[0-9]*/fd/*"):
        with contextlib.suppress(OSError):
            if os.readlink(fd) == device and fd.parts[2] != str(os.getpid()):
                held.append(fd.parts[2])
    return held


def test_kills_at_any_moment_lose_no_message_and_mark_what_may_be_a_repeat(
    tmp_path: Path, start: Start
) -> None:
    path, out = tmp_path / "village.db", tmp_path / "out"
    loop, draw = Loop(path), random.Random(3)
    out.touch()
    for number in range(KILLS):
        before = len(out.read_text())
        loop.clock.ms = T0 + number * ROUND_S * 1000
        process = start(FILE, path, number * ROUND_S, str(out))
        loop.find(Finding(RAISED, "leak", f"place-{number}", loop.clock.ms, 2.0))
        if number % 3:  # in the middle of work, not of Python's own start
            wait_for(lambda n=before: len(out.read_text()) > n, "one goes out")  # type: ignore[misc]
        time.sleep(draw.uniform(0.0, 0.03))
        process.kill()
        process.wait()
    start(FILE, path, KILLS * ROUND_S, str(out))

    def all_sent() -> bool:
        states = (alarm_post.WAITING, alarm_post.SENDING)
        urgent = [p for s in states for p in alarm_post.in_state(loop.conn, s)]
        asked = loop.conn.execute("SELECT count(DISTINCT alarm) FROM message_event").fetchone()[0]
        return asked == KILLS and not [p for p in urgent if p.sort == "urgent"]

    wait_for(all_sent, "everything has been sent")
    lines = [line.split() for line in out.read_text().splitlines()]
    told = {ident for ident, _ in lines}
    for ident in told:
        marks = [again for number, again in lines if number == ident]
        assert "False" not in marks[1:], f"message {ident} came twice and does not say so: {marks}"
    sent = [str(p.id) for p in alarm_post.in_state(loop.conn, alarm_post.SENT)]
    assert set(sent) <= told, "believed to be sent, and nothing left"
    rows = loop.conn.execute("SELECT message, alarm FROM message_event").fetchall()
    given_up = {str(p.id) for p in alarm_post.in_state(loop.conn, alarm_post.FAILED)}
    reached = {row["alarm"] for row in rows if str(row["message"]) in told | given_up}
    assert len(reached) == KILLS, "every alarm was told, or is known not to have been"
    loop.faithful()


def test_a_kill_while_the_modem_sends_is_told_once_more_and_says_so(
    tmp_path: Path, start: Start
) -> None:
    path = tmp_path / "village.db"
    loop, stick = (
        Loop(path),
        Stick(Trouble(share=1, kinds=("slow",), on=("SEND",), slow_s=0.5, most=1)),
    )
    loop.find(leak(RAISED))
    loop.tick()
    with terminal(stick) as line:
        first = start(MODEM, path, 1, line.device)
        wait_for(lambda: any(words.startswith("AT+CMGS") for words in stick.heard), "it sends")
        first.kill()
        first.wait()
        heard = len(stick.heard)
        wait_for(lambda: len(stick.sent) > 0, "gammu's own process ends what it has begun")
        wait_for(lambda: not users(line.device), "it hears the answer and lets go of the modem")
        start(MODEM, path, 60, line.device)
        wait_for(lambda: alarm_post.in_state(loop.conn, alarm_post.SENT), "it is sent once more")
    assert len(stick.heard) > heard
    texts = [p.text for p in stick.sent if p.parts == 1 and "cavab 1" in p.text]
    assert [("təkrar?" in text) for text in texts] == [False, True]
