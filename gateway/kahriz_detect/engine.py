# SPDX-License-Identifier: MIT
"""Runs the detectors of a site in event time: the same code live and in replay.

Samples go in in time order; a judge that finds one bad keeps it from the others. When the time
of a step is over its frame goes through all detectors in the order of the index (validity,
balance, source, pools, use), and what they found goes through the joint decision.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from kahriz_detect.closure import Closures
from kahriz_detect.detector import Detector
from kahriz_detect.finding import Finding, Sample
from kahriz_detect.frame import Frame
from kahriz_detect.index import detectors
from kahriz_detect.joint import Joint
from kahriz_detect.numbers.middle import median
from kahriz_detect.site import FLOW, Site

SUSPECT = 3  # QARTOD: not believed
LONGEST_GAP_MS = 60 * 86_400_000  # after that nobody steps through the empty frames
FLOWS = ("discharge_lps", FLOW)


class Engine:
    """All detectors of a site, their order in time, and what they decide together.

    Examples
    --------
    >>> from kahriz_detect.site import Signal
    >>> engine = Engine(Site("here", (Signal("a", "a", "flow_lps"),)))
    >>> engine.update(Sample(60_000, "a", "flow_lps", 12.0)), engine.advance(600_000)
    ([], [])
    """

    def __init__(self, site: Site, watching: Iterable[Detector] | None = None) -> None:
        self.site = site
        found = detectors(site) if watching is None else watching
        self.detectors = [d for d in found if not d.by_clock]
        self.joint = Joint(site)
        self.closures = Closures(site)  # what people said they close
        self.late = 0
        self._step_ms = site.step_s * 1000
        self._open: int | None = None  # number of the step that is being filled
        self._seen = _Gathered()
        self._believed: _Gathered | None = None  # as long as it is the same
        self._bounded: dict[str, tuple[float, str]] = {}
        self._heard: dict[tuple[str, str], tuple[str, list[Detector], list[Detector]]] = {}
        for signal in site.signals:
            here = [d for d in self.detectors if signal.key in d.points]
            judges, others = [d for d in here if d.judges], [d for d in here if not d.judges]
            for quantity in FLOWS if signal.quantity == FLOW else (signal.quantity,):
                self._heard[signal.point, quantity] = (signal.key, judges, others)
        self._ticks = [d.tick for d in self.detectors if _overrides(d, "tick")]
        early = max((n for n, d in enumerate(self.detectors, 1) if _hears(d)), default=0)
        self._judging = [(d, d.step) for d in self.detectors[:early] if _overrides(d, "step")]
        self._steps = [(d, d.step) for d in self.detectors[early:] if _overrides(d, "step")]
        for detector in self.detectors:
            if detector.sees_shut:
                detector.closures = self.closures
        # frames that `_steps` have not seen: as they are, and without what people have closed
        self._frames: list[tuple[Frame, Frame, list[Finding]]] = []
        self._found: list[tuple[int, int, list[Finding]]] = []  # known when, of when, undecided

    def update(self, sample: Sample) -> list[Finding]:
        """Take one sample in; one of a step that is over is too late."""
        return self.take((sample,))

    def take(self, samples: Iterable[Sample]) -> list[Finding]:
        """Take samples in, in order of time; those of points that are not here are passed by."""
        self._hear(samples, 0)
        return [finding for _, finding in self._settle()]

    def advance(self, watermark_ms: int) -> list[Finding]:
        """Nothing older than the watermark will come: close the steps that it has passed."""
        self._close_before(watermark_ms // self._step_ms + 1, 0)
        return [finding for _, finding in self._settle()]

    def follow(self, samples: Iterable[Sample]) -> list[tuple[int, Finding]]:
        """Take samples in that were all there at their own time; what is news, and since when.

        As `take` and `advance` for each moment, but quicker: see `_settle`.
        """
        self._hear(samples, None)
        return self._settle()

    def _settle(self) -> list[tuple[int, Finding]]:
        """Show each detector all new frames in a row: to go back and forth between a dozen of them
        costs half as much again. Decided is step by step, as if they had come one by one."""
        frames, self._frames = self._frames, []
        for detector, step in self._steps:
            whole = detector.sees_shut
            for frame, rest, found in frames:
                news = step(frame if whole else rest)
                if news:
                    found += news
        undecided, self._found = self._found, []
        told: list[tuple[int, Finding]] = []
        for at, ts, found in undecided:
            if found or self.joint.waits:
                told += [(at, news) for news in self.joint.decide(found, ts)]
        return told

    def _hear(self, samples: Iterable[Sample], moment: int | None) -> None:
        """Samples that were there at a moment, or (None) each at its own time."""
        listeners, step_ms, first = self._heard, self._step_ms, self._seen.first
        since, until = 0, 0  # of the step that is open: none is known yet
        last = None  # time of the sample before, where each comes at its own
        at = moment or 0
        for sample in samples:
            ts, point, quantity, value, _, q, bound, _ = sample
            heard = listeners.get((point, quantity))
            if not since < ts <= until:  # another step than that of the one before
                if heard is None and self._open is None:
                    continue
                number = -(-ts // step_ms)
                if self._open is not None and number < self._open:
                    self.late += heard is not None
                    continue
                if moment is None:
                    if last is not None:  # at the very end of its step: that was over then
                        self._close_before(last // step_ms + 1, last)
                    at = ts
                self._close_before(number, at)
                first, since, until = self._seen.first, (number - 1) * step_ms, number * step_ms
            if moment is None:
                at = last = ts
            if heard is None:
                continue
            key, judges, others = heard
            good = q < SUSPECT or bound is not None  # a bound is true though out of range
            for judge in judges:
                found = judge.update(sample)
                if found:
                    self._found.append((at, ts, found))
                good = good and judge.good
            if not good or bound is not None or self._believed is not None:
                self._gather(key, value, good, bound)
            elif key in first:
                self._seen.again(key, value)
            else:  # nearly always: one reading a step, and a good one
                first[key] = value
            if good and others and key not in self.closures.at(ts):
                for detector in others:
                    found = detector.update(sample)
                    if found:
                        self._found.append((at, ts, found))
        if last is not None:
            self._close_before(last // step_ms + 1, last)

    def _gather(self, key: str, value: float, good: bool, bound: str | None) -> None:
        """In a step of which not everything is believed as it stands."""
        if self._believed is None:
            self._believed = self._seen.copy()
        self._seen.add(key, value)
        if good and bound is None:
            self._believed.add(key, value)
        elif good and bound is not None:
            self._bounded[key] = (value, bound)

    def _close_before(self, number: int, moment: int) -> None:
        if self._open is None:
            self._open = number
        while self._open < number:
            self._close(self._open, moment)
            self._open += 1
            if (number - self._open) * self._step_ms > LONGEST_GAP_MS:
                self._open = number

    def _close(self, number: int, moment: int) -> None:
        values = raw = self._seen.take()
        if self._believed is not None:
            values, self._believed = self._believed.take(), None
        bounds = {}
        if self._bounded:
            for key, (value, bound) in self._bounded.items():
                if key not in values:
                    values[key], bounds[key] = value, bound
            self._bounded = {}
        frame = Frame(number, number * self._step_ms, values, bounds, raw)
        found: list[Finding] = []
        for tick in self._ticks:
            found += tick(frame.ts)
        rest, shut = frame, self.closures.at(frame.ts)
        for detector, step in self._judging:
            if shut and rest is frame and not detector.judges:
                rest = frame.without(shut)  # the judges have spoken
            found += step(frame if detector.sees_shut else rest)
        if shut and rest is frame:
            rest = frame.without(shut)
        self._frames.append((frame, rest, found))
        self._found.append((moment, frame.ts, found))

    def agree(
        self, still_open: Iterable[tuple[str, str]], known: Iterable[tuple[str, str]]
    ) -> None:
        """What stands in the store, and what is known there though it is over or waits.

        What is not even known was closed by a person: its detector does not wait for its end.
        """
        self.joint.close(known, self.detectors, (self._open or 0) * self._step_ms)
        self.joint.agree(still_open)

    def dump(self) -> Any:
        """All that is known, as JSON."""
        return {
            "open": self._open,
            "step_ms": self._step_ms,
            "believed": (self._believed or self._seen).dump(),
            "bounded": self._bounded,
            "seen": self._seen.dump(),
            "joint": self.joint.dump(),
            "detectors": {d.name: d.dump() for d in self.detectors},
        }

    def load(self, state: Any) -> None:
        """What a detector of another version kept is not read: it learns anew."""
        if state["step_ms"] != self._step_ms:
            return
        self._open = state["open"]
        self._believed, self._seen = _Gathered(state["believed"]), _Gathered(state["seen"])
        self._bounded = {k: (float(v), str(b)) for k, (v, b) in state["bounded"].items()}
        self.joint.load(state["joint"])
        for detector in self.detectors:
            if detector.name in state["detectors"]:
                detector.load(state["detectors"][detector.name])


class _Gathered:
    """The values of a step: one for most signals, so a list is made only for the others."""

    __slots__ = ("_more", "first")

    def __init__(self, state: dict[str, list[float]] | None = None) -> None:
        self.first: dict[str, float] = {key: v[0] for key, v in (state or {}).items()}
        self._more: dict[str, list[float]] = {
            key: list(v) for key, v in (state or {}).items() if len(v) > 1
        }

    def add(self, key: str, value: float) -> None:
        if key in self.first:
            self.again(key, value)
        else:
            self.first[key] = value

    def again(self, key: str, value: float) -> None:
        """One more of a signal that is in `first`."""
        more = self._more.get(key)
        if more is None:
            self._more[key] = [self.first[key], value]
        else:
            more.append(value)

    def copy(self) -> _Gathered:
        twin = _Gathered()
        twin.first, twin._more = dict(self.first), {k: list(v) for k, v in self._more.items()}
        return twin

    def take(self) -> dict[str, float]:
        """The medians; it is empty then."""
        values, self.first = self.first, {}
        if self._more:
            for key, many in self._more.items():
                values[key] = median(many)
            self._more = {}
        return values

    def dump(self) -> dict[str, list[float]]:
        return {key: self._more.get(key, [value]) for key, value in self.first.items()}


def _hears(detector: Detector) -> bool:
    """It goes with the samples, or takes them from the others: its steps cannot wait."""
    return detector.judges or _overrides(detector, "update") or _overrides(detector, "tick")


def _overrides(detector: Detector, method: str) -> bool:
    return getattr(type(detector), method) is not getattr(Detector, method, None)
