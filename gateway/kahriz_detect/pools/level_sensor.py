# SPDX-License-Identifier: MIT
"""The level sensor of a pool: it was moved, or it reads what no water can be.

Stored water that leaps by more than any gate can move between two readings, and stays, is a sensor
that hangs elsewhere now. By how much is kept: the pool can be balanced on.
"""

from __future__ import annotations

from typing import Any

from kahriz_detect.finding import CHANGED, CLEARED, RAISED, Finding
from kahriz_detect.frame import Frame
from kahriz_detect.pools.stored import Stored, leapt
from kahriz_water.pool import area_m2

HALF = 6  # frames on either side of a leap
WAVE = 1.5  # a gate that opens between two frames is seen one frame too early or too late
LEAP_M, LEAP_SCATTERS, LEAP_SHARE = 0.03, 12.0, 0.7
LEARNED = 144  # frames
AIR_M, FLOOR_M = 0.40, -0.05  # above the spill, below the floor: no water stands there
HELD = 3  # frames in which a level must be impossible


class LevelSensor:
    """Judges a sensor by the water that it says is stored.

    Examples
    --------
    >>> from kahriz_detect.site import Pool
    >>> pool = Pool("pool", "level", ("in",), (), ((0.0, 0.0), (3.0, 300.0)), 2.5)
    >>> sensor = LevelSensor(Stored(pool, 600), "pool")
    >>> found = [sensor.impossible(Frame(n, n * 600_000, {"level": 3.2})) for n in range(3)]
    >>> [f.kind for f in found[2]], sensor.wrong
    (['sensor_fault:level'], True)
    """

    def __init__(self, stored: Stored, place: str) -> None:
        self.stored, self.place = stored, place
        self.wrong = False  # the level is impossible now
        self.bad = 0  # frames in which it was, or was not, against `wrong`
        self.moved_m3: float | None = None
        self.d: list[float] = []
        self.nets: list[float] = []
        self.scatter, self.seen = 0.0, 0

    def forget(self) -> None:
        """A gap: what comes now is not compared with what was."""
        self.d, self.nets = [], []

    def impossible(self, frame: Frame) -> list[Finding]:
        """Below the floor or far above the spill for half an hour."""
        pool = self.stored.pool
        level = frame.get(pool.level)
        if level is None:
            return []
        top = pool.level_volume[-1][0] if pool.spill_m is None else pool.spill_m
        out = not FLOOR_M <= level - self.stored.shift_m <= top + AIR_M
        self.bad = self.bad + 1 if out != self.wrong else 0
        if self.bad < HELD:
            return []
        self.bad, self.wrong = 0, out
        if not out:
            return [self._finding(CLEARED, "level", frame.ts, {})]
        if self.stored.shift_m and FLOOR_M <= level <= top + AIR_M:  # it hangs as before again
            self.wrong, self.stored.shift_m, self.moved_m3 = False, 0.0, None
            self.stored.number = None
            self.forget()
            return [self._finding(CLEARED, "offset", frame.ts, {})]
        self.stored.number = None
        self.forget()
        evidence: dict[str, float | str] = {"level_m": level, "floor_m": 0.0, "top_m": top}
        return [self._finding(RAISED, "level", frame.ts, evidence)]

    def leap(self, frame: Frame, d: float) -> list[Finding]:
        """One more D: a leap that no gate can make."""
        before = self.d
        if before:
            step, self.seen = abs(d - before[-1]), self.seen + 1
            cut = 4.0 * self.scatter if self.seen > 50 else step
            self.scatter += (min(step, cut) - self.scatter) / min(self.seen, 500)
        before.append(d)
        self.nets.append(self.stored.net)
        if len(before) > 2 * HALF:
            del before[0], self.nets[0]
        if self.seen < LEARNED:
            return []
        leap = leapt(self.d, HALF, LEAP_SHARE, LEAP_SCATTERS * self.scatter)
        if leap is None:
            return []
        pool = self.stored.pool
        level = (frame.get(pool.level) or 0.0) - self.stored.shift_m
        area = area_m2(level, pool.level_volume)
        wave = WAVE * (max(self.nets) - min(self.nets)) * self.stored.step_s / 1000.0
        if abs(leap) < max(LEAP_M * area, wave):
            return []
        leap = before[-HALF] - before[-HALF - 1]  # alone: a pool that spills falls beside it
        last, self.moved_m3 = self.moved_m3, leap
        self.stored.number = None
        self.forget()
        if last is not None and -1.5 < leap / last < -0.5:
            self.stored.shift_m, self.moved_m3 = 0.0, None
            return [self._finding(CLEARED, "offset", frame.ts, {})]
        self.stored.shift_m += leap / area
        evidence: dict[str, float | str] = {
            "leap_m": round(leap / area, 3),
            "leap_m3": round(leap, 2),
            "usual_m3": round(self.scatter, 3),
            "since_ms": float(frame.ts - round(HALF * self.stored.step_s * 1000)),
        }
        what = RAISED if last is None else CHANGED
        return [self._finding(what, "offset", frame.ts, evidence)]

    def dismiss(self, kind: str, place: str) -> None:
        """Where it hangs now is where it hangs: the next leap is news."""
        if (kind, place) == ("sensor_fault:offset", self.place):
            self.moved_m3 = None

    def lasts(self, kind: str, place: str) -> bool:
        return self.wrong and (kind, place) == ("sensor_fault:level", self.place)

    def _finding(self, what: str, fault: str, ts: int, evidence: dict[str, float | str]) -> Finding:
        return Finding(what, f"sensor_fault:{fault}", self.place, ts, evidence=evidence)

    def dump(self) -> Any:
        own = [self.wrong, self.bad, self.moved_m3, self.scatter, self.seen]
        return [own, self.d, self.nets]

    def load(self, state: Any) -> None:
        (self.wrong, self.bad, self.moved_m3, self.scatter, self.seen), d, nets = state
        self.d, self.nets = list(d), list(nets)
