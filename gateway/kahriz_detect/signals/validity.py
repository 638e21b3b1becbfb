# SPDX-License-Identifier: MIT
"""The sensors of a site: which of them lie, are dumb, or were in somebody's hand.

1. By itself: out of range, stuck, spikes, noise (`channel`).
2. Drop-out: dumb for `DUMB` frames in which others spoke. A node that says nothing at all is told
   as silence, not as a fault of its sensors.
3. Disturbed: leaps, or repeats itself, while another sensor of the same logger gives error values;
   somebody has them in his hand, or the logger lacks power. What a visit has moved and the next
   one moves back is mended and no news.
4. Ice: a stage that climbs while the water beside it is at freezing.
5. Zero at a gate that is shut is no stuck sensor, as long as the water beside it agrees (`idle`);
   what happens at a place that people have closed is theirs.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from kahriz_detect.detector import Detector
from kahriz_detect.finding import CLEARED, RAISED, Finding, Sample
from kahriz_detect.frame import Frame
from kahriz_detect.signals.channel import FREEZING_C, Channel
from kahriz_detect.signals.idle import Idle, idle_of
from kahriz_detect.site import FLOW, LEVEL, TEMPERATURE, Signal, Site

DUMB = 5  # frames
LEAP = 30.0  # usual steps, while a neighbour gives error values
THAW = 10.0  # usual steps, when it had repeated itself meanwhile
STEADY = 0.85  # chance that a meter at rest repeats its zero
ICE_FRAMES, ICE_M = 12, 0.04  # a stage that is dammed by ice climbs so much in so many frames
FAULTS = ("range", "stuck", "spikes", "noise", "dropout", "disturbed", "ice", "offset")


class Validity(Detector):
    """Faults of sensors, each judged by itself and by those that share its logger.

    Parameters
    ----------
    signals : what is watched.
    loggers : keys of signals that share a logger, with a power supply and a technician.
    heard : keys of signals that nobody else misses when they are dumb.
    idle : what the neighbours of a flow say of its zeros.

    Examples
    --------
    >>> temp = Signal("temp", "temp", "temperature_c", missing=(-9999.0,))
    >>> validity = Validity([temp], [("temp",)], ["temp"])
    >>> for i in range(30):
    ...     assert validity.update(Sample(i * 900_000, "temp", "temperature_c", 9 + i / 50)) == []
    >>> found = validity.update(Sample(27_000_000, "temp", "temperature_c", -9999.0))
    >>> [(f.kind, f.place) for f in found], validity.good
    ([('sensor_fault:range', 'temp')], False)

    References
    ----------
    IOOS QARTOD (2020), Manual for real-time quality control of water level data.
    Jones et al. (2022), PyHydroQC, Environ. Model. Softw. 149: labels of technicians.
    """

    kinds = tuple(f"sensor_fault:{fault}" for fault in FAULTS)
    judges = sees_shut = True

    def __init__(
        self,
        signals: Iterable[Signal],
        loggers: Iterable[tuple[str, ...]] = (),
        heard: Iterable[str] = (),
        idle: Idle | None = None,
    ) -> None:
        self.signals = {s.key: s for s in signals}
        if not self.signals:
            raise ValueError("there must be at least one signal")
        self.loggers = [keys for keys in loggers if len(keys) > 1]
        self.heard = set(heard)
        self.idle = idle if idle is not None else Idle((), (), (), 600.0)
        self.channels = {k: Channel(s.quantity, s.missing) for k, s in self.signals.items()}
        self._of = {
            (s.point, q): k
            for k, s in self.signals.items()
            for q in ((FLOW, "discharge_lps") if s.quantity == FLOW else (s.quantity,))
        }
        self._hears = {heard: self.channels[k] for heard, k in self._of.items()}
        self.rounds = 0  # frames in which at least half of them spoke
        self.climb: dict[str, list[float]] = {}
        self.lacked: dict[str, int] = {}  # newest frame with an error value, for each logger

    @property
    def name(self) -> str:
        return "validity"

    @property
    def points(self) -> tuple[str, ...]:
        return tuple(self.signals)

    def update(self, sample: Sample) -> list[Finding]:
        """Take one reading in; a bound, and what is failed already, says nothing here."""
        ts, point, quantity, value, _, q, bound, _ = sample
        channel = self._hears.get((point, quantity))
        self.good = True
        if channel is None:
            return []
        if bound is not None:
            channel.spike.pause()
            return []
        symptom = channel.symptom(value) if q < 3 else None
        if symptom is None:
            return []
        self.good = False
        key = self._of[point, quantity]
        if symptom == "stuck" and value == 0.0 and self._rests(key, channel):
            self.good = True
            return []
        if key in self.closed(ts) or not channel.open(symptom, ts):
            return []
        return [self._finding(RAISED, symptom, key, ts)]

    def _rests(self, key: str, channel: Channel) -> bool:
        """Nothing runs there, and this meter stands still then. One that is known to be dead does
        not live by resting, nor does one that flickers about zero as long as it lives."""
        steady = channel.stuck.p[True] >= STEADY
        return steady and channel.fault != "stuck" and self.idle.agreed(key)

    def step(self, frame: Frame) -> list[Finding]:
        """All that reported at one time is in: what the sensors say about each other."""
        found: list[Finding] = []
        self.idle.step(frame)
        shut = self.closed(frame.ts)
        if 2 * len(frame.raw) >= len(self.channels):  # else it is the site that is dumb
            self.rounds += 1
        for key, channel in self.channels.items():
            if key in frame.raw:
                channel.round = self.rounds
            else:
                channel.skipped = True
                if self._dumb(key) and key not in shut and channel.open("dropout", frame.ts):
                    found.append(self._finding(RAISED, "dropout", key, frame.ts))
            if channel.fault is not None or channel.waved is not None:
                for fault in channel.over(frame.ts):
                    over = self._finding(CLEARED, fault, key, frame.ts)
                    if fault == "offset" and channel.away:  # where it is now is usual
                        over.evidence["explained_by"] = "lasts"
                    found.append(over)
        for keys in self.loggers:
            if any(self.channels[k].lacks for k in keys):
                self.lacked[keys[0]] = frame.number
            found += self._disturbed(keys, frame)
            found += self._ice(keys, frame)
        for key, channel in self.channels.items():
            if channel.fault in ("spikes", "noise") and self.signals[key].quantity != FLOW:
                frame.doubt(key)  # a second opinion that chatters is none; flows have medians
        return found

    def _dumb(self, key: str) -> bool:
        last = self.channels[key].round
        return key in self.heard and last > 0 and self.rounds - last > DUMB

    def _disturbed(self, keys: tuple[str, ...], frame: Frame) -> list[Finding]:
        found: list[Finding] = []
        if frame.number - self.lacked.get(keys[0], -9) > 1:
            return []
        for key in keys:
            channel = self.channels[key]
            if channel.lacks or key not in frame.raw or key in self.closed(frame.ts):
                continue
            leap = abs(channel.spike.d) / channel.spike.s if channel.spike.s else 0.0
            held = channel.stuck.before > 0
            if leap <= (THAW if held else LEAP) or channel.fault is not None:
                continue
            back = channel.taken_back(channel.spike.d, frame.raw[key])
            if not back and channel.open("disturbed", frame.ts):
                frame.doubt(key)
                found.append(self._finding(RAISED, "disturbed", key, frame.ts))
        return found

    def _ice(self, keys: tuple[str, ...], frame: Frame) -> list[Finding]:
        """Ice dams the water: the stage rises and the discharge does not."""
        cold = any(
            (t := frame.get(k)) is not None and t < FREEZING_C
            for k in keys
            if self.signals[k].quantity == TEMPERATURE
        )
        found: list[Finding] = []
        for key in keys:
            if self.signals[key].quantity != LEVEL:
                continue
            past = self.climb.setdefault(key, [])
            value = frame.get(key)
            if value is None:
                continue
            past.append(value)
            del past[: -ICE_FRAMES - 1]
            climb = value - min(past)
            channel = self.channels[key]
            if cold and channel.fault == "ice":
                channel.seen_ms = frame.ts
            if cold and channel.waved == "ice":
                channel.waved_ms = frame.ts
            shut = key in self.closed(frame.ts)
            if cold and climb > ICE_M and not shut and channel.open("ice", frame.ts):
                found.append(self._finding(RAISED, "ice", key, frame.ts))
        return found

    def _finding(self, what: str, fault: str, key: str, ts: int) -> Finding:
        evidence: dict[str, float | str] = {}
        if what == RAISED:
            channel = self.channels[key]
            last = channel.spike.last
            evidence = {
                "reading": "none" if last is None else last,
                "usual_step": round(channel.spike.s, 6),
                "equal_readings": float(channel.stuck.run + 1),
            }
        return Finding(
            what, f"sensor_fault:{fault}", self.signals[key].point, ts, evidence=evidence
        )

    def dismiss(self, kind: str, place: str) -> None:
        for key, channel in self.channels.items():
            if (kind, place) == (f"sensor_fault:{channel.fault}", self.signals[key].point):
                channel.wave_off()

    def lasts(self, kind: str, place: str) -> bool:
        return any(
            (kind, place) == (f"sensor_fault:{channel.waved}", self.signals[key].point)
            for key, channel in self.channels.items()
        )

    def dump(self) -> Any:
        channels = {key: channel.dump() for key, channel in self.channels.items()}
        return [self.lacked, self.rounds, self.climb, channels, self.idle.dump()]

    def load(self, state: Any) -> None:
        self.lacked, self.rounds, self.climb, channels, *more = state
        if more:  # else of a version that asked no neighbours
            self.idle.load(more[0])
        for key, kept in channels.items():
            if key in self.channels:
                self.channels[key].load(kept)


def validities(site: Site) -> list[Detector]:
    """One for a site. Who shares a node shares its logger; a site of one place has one logger."""
    if not site.signals:
        return []
    nodes: dict[str, list[str]] = {}
    for signal in site.signals:
        nodes.setdefault(signal.node, []).append(signal.key)
    alone = all(len(keys) == 1 for keys in nodes.values())  # recorded: nobody told of nodes
    one_place = alone and not (site.reaches or site.zones or site.pools)
    keys = tuple(s.key for s in site.signals)
    loggers = [keys] if one_place else [tuple(k) for k in nodes.values()]
    heard = keys if alone else [k for own in nodes.values() if len(own) > 1 for k in own]
    return [Validity(site.signals, loggers, heard, idle_of(site))]
