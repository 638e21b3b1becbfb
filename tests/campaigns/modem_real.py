# SPDX-License-Identifier: MIT
"""The same hostile runs with the real gammu, on pseudo-terminals and in our own time."""

from __future__ import annotations

import random
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from kahriz_alarms.channels.call import CallChannel
from kahriz_alarms.channels.modem import Modem
from kahriz_alarms.channels.sms import SmsChannel
from kahriz_alarms.personal import Message
from kahriz_detect.finding import RAISED, Finding
from kahriz_gateway.alarms.keeper import Keeper
from kahriz_gateway.alarms.listen import Listener
from kahriz_gateway.alarms.people import PeopleSender
from kahriz_gateway.village import alarms as village_alarms
from kahriz_gateway.village import store as village_store
from kahriz_sim.modem import Modem as Stick
from kahriz_sim.modem_pty import terminal
from kahriz_sim.modem_trouble import KINDS, Trouble

from .alarm_run import PLAN, PROMISE_S, Mail, Verdict
from .alarm_time import Time

AT_ONCE = 10  # gammu sleeps nearly all the time


class WallClock:
    def now_ms(self) -> int:
        return round(time.time() * 1000)

    def trusted(self) -> bool:
        return True

    def not_before(self, ms: int) -> None:
        pass


class Post(Mail):
    """The mail server of the simulated runs, in our time and at once."""

    def __init__(self, seed: int) -> None:
        super().__init__(Time(), seed)
        self.down = False
        self.at_s: list[float] = []

    def send(self, message: Message, to: object) -> None:
        self.at_s.append(time.monotonic())


def live_all(runs: int, seed: int) -> list[Verdict]:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(live, range(seed, seed + runs)))


def live(seed: int) -> Verdict:
    """One run, until the first person has the text or the next one is tried."""
    draw = random.Random(seed)
    kinds = tuple(k for k in KINDS if draw.random() < 0.6) or KINDS
    stick = Stick(Trouble(share=draw.choice((0.0, 0.05, 0.15, 0.4)), kinds=kinds, seed=seed))
    found, stop, clock = Verdict(seed), threading.Event(), WallClock()
    with tempfile.TemporaryDirectory(prefix="kahriz-gammu-") as folder, terminal(stick) as line:
        path = Path(folder) / "village.db"
        conn = village_store.open_village(path)

        def power() -> None:
            found.powered += 1
            stick.power_cycle()

        modem = Modem(line.device, power_cycle=power if draw.random() < 0.5 else None)
        sms, mail = SmsChannel(modem), Post(seed)
        sender = PeopleSender(path, PLAN, clock, [sms, CallChannel(modem, 5.0), mail], {})
        loops: list[Callable[[threading.Event], None]] = [
            sender.run,
            Keeper(path, PLAN, clock, {}).run,
            Listener(path, PLAN, clock, sms, {}).run,
        ]
        threads = [threading.Thread(target=run, args=(stop,), daemon=True) for run in loops]
        for thread in threads:
            thread.start()
        time.sleep(draw.uniform(0.0, 12.0))
        begun, now = time.monotonic(), clock.now_ms()
        with village_store.transaction(conn):
            leak = Finding(RAISED, "leak", "upper", now, 2.0, 0.4, 7.0)
            village_alarms.apply(conn, [leak], PLAN, now, {})
        while time.monotonic() - begun < PROMISE_S + 5:
            after = time.monotonic() - begun
            if any(p.to == "+994501234567" and "cavab 1" in p.text for p in stick.sent):
                found.delivered_s = found.anybody_s = after
                break
            tried = conn.execute(
                "SELECT 1 FROM attempt a JOIN message m ON m.id = a.message"
                " WHERE m.person <> 'ali' LIMIT 1"
            ).fetchone()
            if tried:
                found.next_s = after
                break
            time.sleep(0.2)
        else:
            found.faults.append(f"neither delivered nor the next one tried in {PROMISE_S:.0f} s")
        found.struck = len(stick.trouble.struck)
        stop.set()
        for thread in threads:
            thread.join(150)
        modem.close(0.0)
        conn.close()
    return found
