# SPDX-License-Identifier: MIT
"""One sensor by itself: range, stuck, spikes, noise, a leap, and the fault that is open on it.

A fault is open until its symptoms have been away for `HOLD_MS` of its kind; while it is open the
sensor's other symptoms are the same fault. One that a person closed goes on unsaid as long as its
own symptoms do; others are news.
"""

from __future__ import annotations

from typing import Any

from kahriz_detect.signals.limits import limits_of
from kahriz_detect.signals.spike import Spike
from kahriz_detect.signals.stuck import Stuck
from kahriz_detect.site import CONDUCTIVITY, FLOW, TEMPERATURE

HOUR_MS = 3_600_000
HOLD_MS = {  # an intermittent fault is one fault
    "range": 3 * HOUR_MS,
    "disturbed": 3 * HOUR_MS,
    "stuck": 3 * HOUR_MS,
    "dropout": HOUR_MS,
    "ice": 48 * HOUR_MS,
    "spikes": 48 * HOUR_MS,
    "noise": 48 * HOUR_MS,
    "offset": 24 * HOUR_MS,
}
ALIKE = {"noise": "spikes"}  # now the one, now the other
SETTLED = 24  # readings; error values before a sensor is at work are no news
LEAST_C, LEAST = 0.5, 0.05  # by which a probe that is right may be trimmed; share of a reading
FAR, STAYS, STAYED = 20.0, 0.25, 4  # usual steps; share of a leap that may be lost; readings
STEP = 0.01  # by which a reading moves the usual step
LEARNS = 100  # steps, of which each moves it by its own share
FILLED = 3  # readings after which a channel has filled: the steps before are no noise
DULL = 0.45  # of the usual step: water that runs over a weir is never so still
LIVELY, LIVELY_READINGS = 0.6, 12.0  # mean of the last steps, each at most one usual step
TRIM = 0.1  # of the reading: who trims a probe at a visit moves it by less
FREEZING_C = 0.3  # ice keeps water there for weeks: no thermometer is stuck at it


class Channel:
    """Checks of one sensor of one quantity.

    Parameters
    ----------
    quantity : gives what can be read at all.
    missing : numbers that a logger writes in place of a value.

    Examples
    --------
    >>> channel = Channel("level_m", (-9999.0,))
    >>> channel.symptom(0.51), channel.symptom(-9999.0)
    (None, 'start')
    """

    __slots__ = (
        "away",
        "dull",
        "fault",
        "flow",
        "high",
        "lacks",
        "leapt",
        "learned",
        "lively",
        "lone",
        "low",
        "missing",
        "quantity",
        "round",
        "running",
        "seen_ms",
        "shift",
        "skipped",
        "spike",
        "stuck",
        "usual",
        "waved",
        "waved_ms",
    )

    def __init__(self, quantity: str, missing: tuple[float, ...] = ()) -> None:
        self.quantity = quantity
        self.missing = missing
        self.leapt: list[float] | None = None  # reading before, leap, readings since
        self.skipped = False  # a reading was missing just now
        self.away = 0.0  # by which it leapt and has not come back
        self.lone = quantity in (TEMPERATURE, CONDUCTIVITY)
        self.low, self.high = limits_of(quantity)
        self.stuck = Stuck()
        self.spike = Spike()
        self.dull = Stuck(threshold=25.0) if quantity == FLOW else None
        self.lively = 1.0
        self.usual = 0.0  # median step while there is flow
        self.flow = 0.0  # and the median flow
        self.running = 0  # readings since the gate opened; of the first the step is no noise
        self.learned = 0  # steps in `usual`
        self.shift = 0.0  # by which somebody's visit left it off
        self.round = 0  # the site's round in which it was heard last
        self.lacks = False  # the newest reading was an error value
        self.fault: str | None = None
        self.seen_ms = 0  # the newest symptom
        self.waved: str | None = None  # a fault that a person closed and that goes on
        self.waved_ms = 0  # its newest symptom

    def symptom(self, value: float) -> str | None:
        """Take one reading in; what is wrong with it."""
        spike, dull = self.spike, self.dull
        if not self.low <= value <= self.high or value in self.missing:
            self.lacks = self.skipped = True
            return "range" if spike.seen > SETTLED else "start"
        self.lacks = False
        found = spike.step(value)
        if self.lone and spike.seen > spike.learn:
            found = self._leapt(value) or found
        if self.stuck.step(value, value == 0.0) and not (
            self.quantity == TEMPERATURE and value < FREEZING_C
        ):
            return "stuck"
        if dull is not None and self._is_dull(dull):
            return "stuck"
        return found

    def _leapt(self, value: float) -> str | None:
        """What no water does: away in one reading, out of calm, and an hour later still there.

        What leaps back by as much is mended and no news.
        """
        spike, leap = self.spike, self.spike.d
        if self.skipped:  # days may lie between two readings
            self.skipped, self.leapt = False, None
            return None
        if self.leapt is None:
            size = abs(leap)
            least = LEAST_C if self.quantity == TEMPERATURE else LEAST * abs(value)
            if size > max(least, FAR * spike.s) and abs(spike.calm) < STAYS * size:
                self.leapt = [value - leap, leap, 0]
            return None
        before, leap, readings = self.leapt
        self.leapt[2] = readings + 1
        if abs((value - before) / leap - 1.0) > STAYS:
            self.leapt = None
        elif readings + 1 >= STAYED:
            self.leapt = None
            back = self.away and -1.5 < leap / self.away < -0.5
            self.away = 0.0 if back else leap
            return None if back else "offset"
        return None

    def _is_dull(self, dull: Stuck) -> bool:
        """It stands still, and only the correction for the air goes on: its noise is gone."""
        spike = self.spike
        if not spike.runs:  # a gate that is shut says nothing
            dull.run = self.running = 0
            return spike.frozen
        if self.running < FILLED:
            self.running += 1
            if self.running < FILLED:
                return spike.frozen
        size, usual, level = abs(spike.d), self.usual, spike.last or 0.0
        if not spike.frozen:  # the median of its steps, found quickly at first
            by = 1.0 + STEP
            if self.learned < LEARNS:
                self.learned += 1
                by = 1.0 + 1.0 / self.learned
            self.usual = usual = usual * (by if size > usual else 1.0 / by) or size
            self.flow = self.flow * (by if level > self.flow else 1.0 / by) or level
        if level < self.flow:  # less water makes less noise
            usual *= level / self.flow
        step = size / usual if usual else 1.0
        if spike.frozen:
            self.lively += (min(1.0, step) - self.lively) / LIVELY_READINGS
            spike.frozen = self.lively < LIVELY
        elif step >= DULL and not dull.run:
            dull.last, dull.seen = 1.0, dull.seen + 1  # as a step would, and most are such
        elif dull.step(0.0 if step < DULL else 1.0, bottom=False):
            spike.frozen, self.lively = True, 0.0
        return spike.frozen

    def taken_back(self, leap: float, value: float) -> bool:
        """A leap at a visit: whether it undoes what the last visit did to the sensor."""
        if abs(leap) > TRIM * abs(value):  # it came back from the air
            self.shift = 0.0
            return False
        back = self.shift * leap < 0
        self.shift = 0.0 if back else leap
        return back

    def open(self, kind: str, ts: int) -> bool:
        """A symptom: whether it is a new fault."""
        if kind == "start":
            return False
        if self.waved is not None and ALIKE.get(kind, kind) == ALIKE.get(self.waved, self.waved):
            self.waved_ms = ts
            return False
        self.seen_ms = ts
        if self.fault is not None:
            return False
        self.fault = kind
        return True

    def over(self, ts: int) -> list[str]:
        """The faults that have been away long enough, once."""
        found = []
        if self.fault is not None and ts - self.seen_ms > HOLD_MS[self.fault]:
            found.append(self.fault)
            self.fault = None
        if self.waved is not None and ts - self.waved_ms > HOLD_MS[self.waved]:
            found.append(self.waved)
            self.waved = None
        return found

    def wave_off(self) -> None:
        """A person closed the fault."""
        self.waved, self.waved_ms, self.fault = self.fault, self.seen_ms, None

    def dump(self) -> Any:
        own = [self.round, self.lacks, self.fault, self.seen_ms, self.waved, self.waved_ms]
        dull = None if self.dull is None else self.dull.dump()
        return [
            self.stuck.dump(),
            self.spike.dump(),
            own,
            dull,
            [self.lively, self.usual, self.shift, self.running, self.learned, self.flow],
            [self.away, self.leapt, self.skipped],
        ]

    def load(self, state: Any) -> None:
        stuck, spike, own, dull, more, *leap = state
        self.round, self.lacks, self.fault, self.seen_ms = own[:4]
        self.waved, self.waved_ms = own[4:] or (None, 0)
        self.lively, self.usual, self.shift, self.running, self.learned = more[:5]
        self.flow = more[5] if len(more) > 5 else 0.0
        self.away, self.leapt, self.skipped = leap[0] if leap else (0.0, None, True)
        if self.dull is not None and dull is not None:
            self.dull.load(dull)
        self.stuck.load(stuck)
        self.spike.load(spike)
