# SPDX-License-Identifier: MIT
"""Balance of a pool: it leaks, its sensor was moved, its level cannot be, a meter there drifts.

    e = inflows - outflows - dV/dt - learned shares          (`stored`), blocks of three hours

Water that is missing at all hours is a leak. Water that appears from nowhere is a meter that errs:
one that rests at zero and no longer does; the one that is left when the others rest. While a pool
may spill nothing is balanced.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kahriz_detect.detector import Detector
from kahriz_detect.finding import CHANGED, CLEARED, RAISED, Finding
from kahriz_detect.frame import Frame
from kahriz_detect.numbers.beside import Beside
from kahriz_detect.numbers.cusum import Cusum
from kahriz_detect.pools.level_sensor import LevelSensor
from kahriz_detect.pools.rests import Rests
from kahriz_detect.pools.stored import Shares, Stored
from kahriz_detect.site import Pool, Site

BLOCK_S = 3 * 3600.0
LONGEST = 40  # blocks: nothing is dated back further
LEARN_DAYS, MEMORY_DAYS = 4.0, 20.0
CUT, CALM_SHARE = 4.0, 0.5
CLEAR_H, LASTS_DAYS = 24.0, 20.0
GAIN = 0.5  # of what is missing: so much more an inflow must read
LEAST = 1.5  # scatters that a loss must have: less is not told
LEAST_SHARE, LEAST_LPS = 0.01, 0.02  # of the usual inflow: no balance of a pool is surer

Names = Mapping[str, str]


class PoolBalance(Detector):
    """One pool with its level-volume table.

    Parameters
    ----------
    pool : with a table; what runs in and out is measured, or only its level is judged.
    step_s : length of a frame.
    points : names of the keys in findings, where they differ.
    above : of an inflow the next flow above it: a leaf in the weir between lifts one alone.

    Examples
    --------
    >>> table = ((0.0, 0.0), (3.0, 300.0))
    >>> pool = PoolBalance(Pool("pool", "level", ("in",), ("out",), table), 600)
    >>> found, volume = [], 150.0
    >>> for i in range(7 * 144):
    ...     leak = 1.0 if i >= 6 * 144 else 0.0
    ...     volume += (5.0 - 5.0 - leak) * 0.6
    ...     values = {"level": volume / 100.0 + i % 3 * 0.001, "in": 5.0, "out": 5.0}
    ...     found += pool.step(Frame(i, i * 600_000, values))
    >>> [(f.what, f.kind, f.place, round(f.lps, 1)) for f in found][0]
    ('raised', 'pool_leak', 'pool', 1.0)

    References
    ----------
    Page (1954), Continuous inspection schemes, Biometrika 41.
    """

    kinds = (
        "pool_leak",
        "fouled_weir",
        "balance_doubt",
        "sensor_fault:offset",
        "sensor_fault:drift",
        "sensor_fault:level",
    )

    def __init__(
        self, pool: Pool, step_s: float, points: Names | None = None, above: Names | None = None
    ) -> None:
        self.stored = Stored(pool, step_s)
        self.pool = pool
        self.balanced = bool(pool.inflows and pool.outflows)  # else only the level is judged
        self.names = {k: (points or {}).get(k, k) for k in (pool.level, *self.stored.flows)}
        self.steps = max(1, round(BLOCK_S / step_s))
        self.block_ms = round(self.steps * step_s * 1000)
        self.a_day = 86_400_000 / self.block_ms
        self.memory = MEMORY_DAYS * self.a_day
        self.shares = Shares(1 + len(pool.outflows), self.memory)
        self.sums = {"lost": Cusum(1.0, 7.0, 2), "gained": Cusum(1.0, 8.0, 3)}
        self.sensor = LevelSensor(self.stored, self.names[pool.level])
        self.spilt = False  # in this block or the one before
        self.block: int | None = None
        self.here: list[float] = []  # D of the block that is being filled
        self.flows: dict[str, list[float]] = {k: [] for k in self.stored.flows}
        self.before: tuple[float, list[float]] | None = None  # mean D and flows of the last block
        self.scatter, self.seen = 0.0, 0
        self.inflow = 0.0
        self.rests = Rests(pool.outflows)
        self.open: dict[str, list[Any]] = {}  # slot: kind, place, since ms, size, calm blocks, m3
        self.recent: list[float] = []  # e beyond the learned, newest last
        self.beside = Beside(pool.inflows, above or {})

    @property
    def name(self) -> str:
        return f"pool:{self.pool.level}"

    def step(self, frame: Frame) -> list[Finding]:
        """Take a frame in."""
        found = self.sensor.impossible(frame)
        block = frame.number // self.steps
        if self.block is not None and block != self.block:
            found += self._close(block)
        self.block = block
        found += self._rested(frame)
        if self.sensor.wrong or not self.balanced:
            return found
        d = self.stored.step(frame)
        if self.stored.number is None:
            self.sensor.forget()
            self.here, self.before = [], None
            return found
        self.spilt = self.spilt or self.stored.spills
        for key in self.stored.flows:
            self.flows[key].append(self.stored.last[key][1])
        self.beside.step(frame, self.stored.last)
        if d is None:
            return found
        leap = self.sensor.leap(frame, d)
        if leap:
            self.here, self.before = [], None
        else:
            self.here.append(d)
        return found + leap

    def _rested(self, frame: Frame) -> list[Finding]:
        """A meter that rests at its zero again, each midnight."""
        kept = self.open.get("flow")
        if kept is None:
            self.rests.step(frame)
            return []
        keys = [k for k in self.pool.outflows if self.names[k] == kept[1]]
        back = [k for k in keys if self.rests.above(k) < 0.2 * abs(kept[3])]
        if not self.rests.step(frame, learn=False) or not back:
            return []
        del self.open["flow"]
        return [Finding(CLEARED, kept[0], kept[1], frame.ts)]

    def _close(self, block: int) -> list[Finding]:
        here, self.here = self.here, []
        flows = [sum(v) / len(v) if v else 0.0 for v in self.flows.values()]
        self.flows = {k: [] for k in self.stored.flows}
        spilt, self.spilt = self.spilt, self.stored.spills
        self.beside.close()
        assert self.block is not None
        if len(here) < self.steps // 2 or block != self.block + 1:
            self.before = None
            return []
        mean, before = sum(here) / len(here), self.before
        self.before = (mean, flows)
        if before is None:
            return []
        e = (before[0] - mean) * 1e6 / self.block_ms
        many = len(self.pool.inflows)
        both = [0.5 * (a + b) for a, b in zip(flows, before[1], strict=True)]
        x = [1.0, *both[many:]]
        self.inflow += (sum(both[:many]) - self.inflow) / min(self.seen + 1, 60)
        rest = e - self.shares.expected(x)
        if spilt and rest > 0:  # what is missing has spilt
            return []
        least = max(LEAST_SHARE * max(self.inflow, sum(both[many:])), LEAST_LPS)
        scatter = max(1.25 * self.scatter, least)
        self.recent = [*self.recent[-23:], rest]
        learned = self.seen >= LEARN_DAYS * self.a_day
        if "flow" in self.open:
            return self._follow(block, rest, scatter)
        rang = None
        if learned:
            z = max(-CUT, min(CUT, rest / scatter))
            for side, sign in (("lost", 1.0), ("gained", -1.0)):
                if self.sums[side].update(sign * z, block):
                    rang = side
        if not spilt and not any(c.suspicious for c in self.sums.values()):
            self.seen += 1
            most = 3.0 * scatter if learned else 1e9
            self.shares.learn(x, e, most)
            self.beside.learn(self.seen)
            size = min(abs(rest), most) if self.seen > 8 else least
            self.scatter += (size - self.scatter) / min(self.seen, 160)
        return [] if rang is None else self._rang(block, rang, scatter)

    def _rang(self, block: int, side: str, scatter: float) -> list[Finding]:
        since = max(self.sums[side].since or block, block - LONGEST)
        last = self.recent[-max(2, min(12, block - since)) :]
        size = sum(last) / len(last)
        for c in self.sums.values():
            c.reset()
        if abs(size) < LEAST * scatter:
            return []
        kind, place = self._who(size, len(last))
        self.open["flow"] = [kind, place, block * self.block_ms, size, 0, 0.0]
        evidence: dict[str, float | str] = {
            "since_ms": float(since * self.block_ms),
            "unexplained_lps": round(size, 3),
            "scatter_lps": round(scatter, 3),
            "learned_lps": round(self.shares.b[0], 3),
        }
        return [self._of_flow(RAISED, block, scatter, evidence)]

    def _who(self, size: float, many: int) -> tuple[str, str]:
        """Missing water is a leak, unless an inflow alone reads more than the flow above it; water
        from nowhere is a meter, and which one if only one can."""
        for key in self.pool.inflows:
            gain = self.beside.gain(key, many)
            if GAIN * abs(size) < gain * (1.0 if size > 0 else -1.0):
                return ("fouled_weir" if size > 0 else "sensor_fault:drift"), self.names[key]
        if size > 0:
            return "pool_leak", self.pool.place
        resting, running = [], []
        for key in self.pool.outflows:
            if self.rests.zero(key) is None:
                running.append(key)
            elif self.rests.above(key) > 0.4 * -size:
                resting.append(key)
        if len(resting) == 1:
            return "sensor_fault:drift", self.names[resting[0]]
        if not resting and len(running) == 1:
            return "sensor_fault:drift", self.names[running[0]]
        return "balance_doubt", self.pool.place

    def _follow(self, block: int, rest: float, scatter: float) -> list[Finding]:
        kept = self.open["flow"]
        hours = self.block_ms / 3_600_000.0
        calm = abs(rest) < max(CALM_SHARE * abs(kept[3]), scatter) or rest * kept[3] < 0
        kept[4] = kept[4] + 1 if calm else 0
        if not calm:
            kept[3] += (rest - kept[3]) / 8.0
            kept[5] += max(0.0, rest) * self.block_ms / 1e6
        lasts = block * self.block_ms - kept[2] > LASTS_DAYS * 86_400_000
        if kept[4] * hours >= CLEAR_H or (lasts and kept[0] != "pool_leak"):
            why: dict[str, float | str] = {"explained_by": "lasts"} if lasts else {}
            found = [self._of_flow(CLEARED, block, scatter, why)]
            del self.open["flow"]
            if lasts:
                self.shares, self.seen = Shares(len(self.shares.b), self.memory), 0
            return found
        grows = not calm and kept[0] == "pool_leak"
        return [self._of_flow(CHANGED, block, scatter, {})] if grows else []

    def _of_flow(
        self, what: str, block: int, scatter: float, evidence: dict[str, float | str]
    ) -> Finding:
        kind, place, _, size, _, m3 = self.open["flow"]
        ts = block * self.block_ms
        if kind != "pool_leak":
            return Finding(what, kind, place, ts, evidence=evidence)
        return Finding(what, kind, place, ts, size, 2.0 * scatter, m3, evidence)

    def lasts(self, kind: str, place: str) -> bool:
        return self.sensor.lasts(kind, place)

    def dismiss(self, kind: str, place: str) -> None:
        self.sensor.dismiss(kind, place)
        kept = self.open.get("flow")
        if kept is not None and (kept[0], kept[1]) == (kind, place):
            del self.open["flow"]
            self.shares.b[0] += kept[3]
            self.seen = min(self.seen, round(LEARN_DAYS * self.a_day))

    def dump(self) -> Any:
        return {
            "stored": self.stored.dump(),
            "shares": self.shares.dump(),
            "sums": {k: c.dump() for k, c in self.sums.items()},
            "sensor": self.sensor.dump(),
            "block": [self.spilt, self.block, self.here, self.flows, self.before, self.inflow],
            "learned": [self.scatter, self.seen, self.recent],
            "rests": self.rests.dump(),
            "beside": self.beside.dump(),
            "open": self.open,
        }

    def load(self, state: Any) -> None:
        self.stored.load(state["stored"])
        self.shares.load(state["shares"])
        for k, c in self.sums.items():
            c.load(state["sums"][k])
        self.sensor.load(state["sensor"])
        self.spilt, self.block, self.here, self.flows, before, self.inflow = state["block"]
        self.before = None if before is None else (float(before[0]), list(before[1]))
        self.scatter, self.seen, self.recent = state["learned"]
        self.rests.load(state["rests"])
        self.beside.load(state["beside"])
        self.open = {k: list(v) for k, v in state["open"].items()}


def pools(site: Site) -> list[Detector]:
    """One for each pool with a table and flows; without flows its level alone is judged."""
    points = {s.key: s.point for s in site.signals}
    above = {r.down: r.up for r in site.reaches}
    tabled = [pool for pool in site.pools if len(pool.level_volume) > 1]
    return [PoolBalance(pool, site.step_s, points, above) for pool in tabled]
