# SPDX-License-Identifier: MIT
"""The world the boards live in: it owns the time, serves their sensors and decides when they wake.

While any node is awake the clock stands still, so a session costs no simulated time however slow
this machine is. Between wakes it runs as fast as it can (history) or at a pace (life).
One thread serves all; the callers only hand it work and wait.
"""

import threading
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue
from time import monotonic
from typing import Any

from kahriz_sim.boards import Boards
from kahriz_sim.errors import ConfigError
from kahriz_sim.noise import USUAL, Noise
from kahriz_sim.scenario import Scenario, load_scenario
from kahriz_sim.simulation import Simulation
from kahriz_sim.weather import DAY_MS
from kahriz_sim.world_log import LeakRecord, WorldLog
from kahriz_sim.world_pace import Pace

TOGETHER_MS = 2_000  # nodes due so soon after each other are awake side by side
TICK_S = 0.02  # how often the clock moves in life
LOOK_S = 0.5  # how often it looks up when it only waits for others
SAVE_EVERY_S = 1.0
FINISH_MAX_S = 60.0
HISTORY_MS = 7 * DAY_MS


@dataclass
class Job:
    target_ms: int
    paced: bool
    finishing: bool = False
    done: threading.Event = field(default_factory=threading.Event)
    until_s: float = 0.0


class World:
    """One site under one scenario. Leaks come by add_leak only, so that each is dated in the log.

    origin_ms: the moment from which the hours of the scenario count (seven days after start_ms).
    patience_s: how long history waits for a node that is not, or no longer, on the line.
    """

    def __init__(
        self,
        site_dir: Path,
        scenario: Path | str | Scenario,
        seed: int,
        start_ms: int,
        data_dir: Path,
        speed: float,
        *,
        origin_ms: int | None = None,
        patience_s: float = 60.0,  # six nodes start at once, maybe on a busy machine
        noise: Noise = USUAL,
    ) -> None:
        chosen = scenario if isinstance(scenario, Scenario) else load_scenario(scenario)
        self.log = WorldLog(data_dir)
        self._identity: dict[str, Any] = {
            "site": site_dir.name,
            "scenario": chosen.id,
            "seed": seed,
        }
        state = self.log.load(self._identity) if self.log.resumed else None
        if state:
            start_ms, origin_ms = state["start_ms"], state["origin_ms"]
        elif origin_ms is None:
            origin_ms = start_ms + HISTORY_MS
        self._identity |= {"start_ms": start_ms, "origin_ms": origin_ms}
        without = chosen.without(frozenset({"leak"}))
        self.simulation = Simulation(site_dir, without, seed, start_ms, origin_ms, noise)
        for leak in self.log.leaks:
            self.simulation.add_leak(leak.reach, leak.lps, leak.at_ms)
        if state:
            self.simulation.restore(state)
            self.simulation.advance(max(self.log.clock_ms, self.simulation.t_ms))
        self._boards = Boards(self.simulation, self.log)
        self.log.clock_ms = self.now_ms
        self.patience_s = patience_s
        self._pace = Pace(speed)
        self._jobs: SimpleQueue[Job] = SimpleQueue()
        self._job: Job | None = None
        self._saved_s = 0.0
        self._failure: BaseException | None = None
        self._closing = False
        self._thread: threading.Thread | None = None
        self._save(force=True)

    # -- for the callers ---------------------------------------------------------------------

    @property
    def now_ms(self) -> int:
        return self._boards.now_ms

    @property
    def nodes(self) -> tuple[str, ...]:
        return self.simulation.plan.node_ids

    @property
    def attached(self) -> frozenset[str]:
        return self._boards.attached

    @property
    def resumed(self) -> bool:
        """Whether this world goes on from an earlier run."""
        return self.log.resumed

    def listen(self) -> int:
        """Open the door for boards; returns the port."""
        port = self._boards.server.listen()
        self._boards.expect_all()
        self._start()
        return port

    def add_leak(self, reach: str, lps: float, at_ms: int) -> None:
        """A burst in a reach; the same one again (a resumed run) is the same one."""
        record = LeakRecord(reach, lps, at_ms)
        if record in self.log.leaks:
            return
        self.simulation.add_leak(reach, lps, at_ms)
        self.log.leaks.add(record)
        self.log.write({"event": "leak", "reach": reach, "lps": lps, "t": at_ms})

    def run_until(self, sim_ms: int, paced: bool) -> None:
        """Let the time run to sim_ms; returns when it is there and every node sleeps."""
        self._do(Job(sim_ms, paced))

    def finish(self) -> None:
        """Press the button of every node, let it upload, then end it; and save the world."""
        self._do(Job(self.now_ms, False, finishing=True))
        self.close()

    def close(self) -> None:
        """Save and let go of everything; boards still on the line lose their power."""
        self._closing = True
        if self._thread:
            self._boards.server.ring()
            self._thread.join()
            self._thread = None
        elif self.log.is_open:
            self._boards.server.close()
            self._save(force=True)
            self.log.close()

    # -- the world's own thread --------------------------------------------------------------

    def _do(self, job: Job) -> None:
        if self._failure:
            raise RuntimeError("the world stopped") from self._failure
        if self._closing:
            raise ConfigError("this world has ended")
        self._start()
        self._jobs.put(job)
        self._boards.server.ring()
        job.done.wait()
        if self._failure:
            raise RuntimeError("the world stopped") from self._failure

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="world", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        try:
            while not self._closing:
                self._boards.server.poll(self._work())
        except BaseException as failure:  # noqa: BLE001 - outermost loop: handed to the waiting caller
            self._failure = failure
        finally:
            self._closing = True
            self._boards.server.close()
            self._save(force=True)
            self.log.close()
            self._end_jobs()

    def _end_jobs(self) -> None:
        if self._job:
            self._job.done.set()
        while True:
            try:
                self._jobs.get_nowait().done.set()
            except Empty:
                return

    def _work(self) -> float | None:
        """Do what can be done now; returns how long to listen before there is more to do."""
        if self._job is None:
            try:
                self._job = self._jobs.get_nowait()
            except Empty:
                return None
            if self._job.paced:
                self._pace.begin(self.now_ms)
            self._job.until_s = monotonic() + FINISH_MAX_S
        rest_s = self._finish(self._job) if self._job.finishing else self._advance(self._job)
        if rest_s is not None:
            return rest_s
        self._save(force=False)
        if self._job.paced:
            self._pace.end()
        self._job.done.set()
        self._job = None
        return 0.0

    def _advance(self, job: Job) -> float | None:
        """Move the clock as far as it may go; None when the job is done."""
        boards = self._boards
        if not job.paced:  # history waits for nodes that are starting; in life the dead are dead
            wait_s = boards.still_to_wait_s(self.patience_s)
            if wait_s > 0.0:
                return min(wait_s, LOOK_S)
        while True:
            holders = boards.holding()
            end_ms = min(job.target_ms, self._pace.allowed_ms()) if job.paced else job.target_ms
            if holders:
                end_ms = min(end_ms, min(line.wake_ms for line in holders) + TOGETHER_MS)
            due_ms = boards.next_due_ms()
            if due_ms is not None and due_ms <= max(end_ms, self.now_ms):
                self._go_to(due_ms)
                boards.wake_the_due()
            elif holders:
                return TICK_S if job.paced else LOOK_S
            else:
                self._go_to(end_ms)
                return None if self.now_ms >= job.target_ms else TICK_S

    def _finish(self, job: Job) -> float | None:
        """Each node uploads once more, then ends."""
        for line in self._boards.lines:
            self._boards.press_or_end(line)
        if not self._boards.lines or monotonic() > job.until_s:
            return None
        return LOOK_S

    def _go_to(self, t_ms: int) -> None:
        if t_ms > self.now_ms:
            self.simulation.advance(t_ms)
            self._boards.now_ms = t_ms
            self.log.clock_ms = t_ms

    def _save(self, *, force: bool) -> None:
        if force or monotonic() - self._saved_s > SAVE_EVERY_S:
            self._saved_s = monotonic()
            self.log.save(self._identity | self.simulation.save())
