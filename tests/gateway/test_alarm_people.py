# SPDX-License-Identifier: MIT
"""Messages to people: a hanging channel, a kill in mid-send, the next way."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

from kahriz_alarms.delivery import DeliveryError
from kahriz_alarms.loop import people
from kahriz_alarms.people import Person
from kahriz_alarms.personal import Health, Incoming, Message
from kahriz_gateway.alarms import post as alarm_post
from kahriz_gateway.alarms.people import Job, PeopleSender
from kahriz_gateway.village import store as village_store

from .conftest import wait_for
from .test_alarm_loop import PLAN, RAISED, TELLS, Loop, leak

ROOT = Path(__file__).parents[2]
PROGRAM = """
import sys, threading, time
from pathlib import Path
from kahriz_gateway.alarms.people import PeopleSender
from tests.gateway.test_alarm_loop import PLAN, TELLS, HandClock
class Slow:
    name = "sms"
    def send(self, message, to):
        with open(sys.argv[2], "a") as f:
            f.write(f"{message.id} {message.again}\\n")
        time.sleep(float(sys.argv[3]))
clock = HandClock(); clock.ms += 1000 * int(sys.argv[4])
PeopleSender(Path(sys.argv[1]), PLAN, clock, [Slow()], TELLS).run(threading.Event())
"""


class Channel:
    """Keeps what it was given; waits for `gate` first, or refuses."""

    def __init__(self, name: str, error: DeliveryError | None = None) -> None:
        self.name, self.error = name, error
        self.gate = threading.Event()
        self.gate.set()
        self.got: list[Message] = []

    def send(self, message: Message, to: Person) -> None:
        self.gate.wait()
        if self.error is not None:
            raise self.error
        self.got.append(message)

    def health(self) -> Health:
        return Health(True)

    def receive(self) -> list[Incoming]:
        return []

    def done(self, incoming: Incoming) -> None:
        pass


def until(loop: Loop, sender: PeopleSender, state: str) -> None:
    def reached() -> bool:
        sender.step(loop.conn)
        return bool(alarm_post.in_state(loop.conn, state))

    wait_for(reached, f"a message is {state}")


def test_a_text_that_hangs_is_given_up_and_a_ring_alone_does_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sender's time stands still but for the text: no busy machine makes another way late."""
    now_s = [0.0]
    monkeypatch.setattr(people, "time", SimpleNamespace(monotonic=lambda: now_s[0]))
    loop = Loop(tmp_path / "village.db")
    sms, call, mail = Channel("sms"), Channel("call"), Channel("email")
    sms.gate.clear()
    sender = PeopleSender(
        tmp_path / "village.db", PLAN, loop.clock, [sms, call, mail], TELLS, deadline_s=60.0
    )
    loop.find(leak(RAISED))
    loop.tick()
    for passed_s in (0.0, 60.0):  # not yet
        now_s[0] += passed_s
        sender.step(loop.conn)
        assert alarm_post.in_state(loop.conn, "sending")
        assert call.got == []
    now_s[0] += 0.1
    until(loop, sender, "failed")
    assert (len(sms.got), len(call.got)) == (0, 1), "Əli was rung and knows nothing"
    loop.tick()
    until(loop, sender, "sent")
    assert len(mail.got) == 1, "so the next one was told"
    assert loop.state() == "escalated"
    sms.gate.set()


def test_a_try_is_on_the_disk_before_it_is_handed_over(tmp_path: Path) -> None:
    loop = Loop(tmp_path / "village.db")
    seen: list[int] = []

    class Looks:
        """Asks the store, by a connection of its own, when a job comes."""

        since: dict[tuple[int, int], float] = {}  # noqa: RUF012 - as a worker's

        def __init__(self, channel: object, done: object) -> None:
            pass

        def put(self, job: Job) -> None:
            conn = village_store.open_village(tmp_path / "village.db", read_only=True)
            row = conn.execute(
                "SELECT count(*) FROM attempt WHERE message=? AND n=?", (job.message.id, job.n)
            ).fetchone()
            seen.append(row[0])

        def overdue(self, deadline_s: float) -> list[tuple[int, int]]:
            return []

    sender = PeopleSender(
        tmp_path / "village.db", PLAN, loop.clock, [Channel("sms")], TELLS, hand_over=Looks
    )
    loop.find(leak(RAISED))
    loop.tick()
    for _ in range(3):
        sender.step(loop.conn)
    assert seen == [1]


def test_a_kill_in_mid_send_loses_nothing_and_marks_the_repeat(tmp_path: Path) -> None:
    loop = Loop(tmp_path / "village.db")
    loop.find(leak(RAISED))
    loop.tick()
    out = tmp_path / "out"

    def start(pause: str, later: str) -> subprocess.Popen[bytes]:
        words = [
            sys.executable,
            "-c",
            PROGRAM,
            str(tmp_path / "village.db"),
            str(out),
            pause,
            later,
        ]
        return subprocess.Popen(words, cwd=ROOT)

    def lines(count: int) -> list[str]:
        def found() -> list[str]:
            return out.read_text().splitlines() if out.exists() else []

        wait_for(lambda: len(found()) >= count, "something is sent")
        return found()

    first = start("60", "1")
    lines(1)
    first.send_signal(signal.SIGKILL)
    first.wait()
    second = start("0", "60")
    assert lines(2) == ["1 False", "1 True"]
    wait_for(lambda: alarm_post.in_state(loop.conn, "sent"), "it is stored as sent")
    second.kill()
    second.wait()
    assert loop.state() == "notified"
    assert len(out.read_text().splitlines()) == 2
