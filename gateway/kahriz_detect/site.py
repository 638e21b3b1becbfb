# SPDX-License-Identifier: MIT
"""What a detector may know of a site beforehand: signals and how the water runs between them.

Neither names of sets nor of sensors say anything: a detector is built from this alone, whether it
came from a site.toml (`site_plan`) or from the site.json of a recorded site (`site_json`).
"""

from __future__ import annotations

from dataclasses import dataclass

FLOW, LEVEL = "flow_lps", "level_m"
PRESSURE, TEMPERATURE, CONDUCTIVITY = "pressure_bar", "temperature_c", "conductivity_us_cm"


@dataclass(frozen=True, slots=True)
class Signal:
    """One quantity of one point. `key` is its name in frames, `point` in findings.

    `missing` are numbers that a logger writes in place of a value; `resolution` the sensor's
    own step where it is known.
    """

    key: str
    point: str
    quantity: str
    kind: str = ""  # what it stands in: weir, flow, pool, tank, chamber, level, river...
    interval_s: float = 600.0
    node: str = ""
    batch: int = 12
    spill_m: float | None = None
    resolution: float | None = None
    missing: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Reach:
    """Conveyance between two flow signals.

    `travel_s` is the guess to start from: 0 in a full pipe, None when nobody knows.
    """

    place: str
    up: str
    down: str
    length_m: float | None = None
    travel_s: float | None = None


@dataclass(frozen=True, slots=True)
class Pool:
    """Stored water: a level signal, what runs in and out, and the volume under a level."""

    place: str
    level: str
    inflows: tuple[str, ...] = ()
    outflows: tuple[str, ...] = ()
    level_volume: tuple[tuple[float, float], ...] = ()
    spill_m: float | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """A mouth of a gallery: its flow, the level of the chamber there, the reach below."""

    place: str
    outlet: str
    chamber: str | None = None
    chamber_spill_m: float | None = None
    next: str | None = None
    taken: tuple[str, ...] = ()  # metered, between the gallery and the outlet
    above: tuple[str, ...] = ()  # places there that people may close: a reach, an offtake


@dataclass(frozen=True, slots=True)
class Zone:
    """What people use (and lose): inflows - outflows - storage change of `stores`.

    `taps` is true for a tap network, where a minimum at night means something; false for
    irrigation, which is planned use.
    """

    id: str
    place: str
    inflows: tuple[str, ...]
    outflows: tuple[str, ...] = ()
    stores: tuple[Pool, ...] = ()
    taps: bool = True


@dataclass(frozen=True, slots=True)
class Offtake:
    """A known place where water leaves a reach on purpose; `signal` when it is measured."""

    place: str
    reach: str
    signal: str | None = None


@dataclass(frozen=True, slots=True)
class Site:
    """All of it."""

    id: str
    signals: tuple[Signal, ...]
    reaches: tuple[Reach, ...] = ()
    pools: tuple[Pool, ...] = ()
    sources: tuple[Source, ...] = ()
    zones: tuple[Zone, ...] = ()
    offtakes: tuple[Offtake, ...] = ()
    holidays: tuple[str, ...] = ()  # "03-20..03-24": people use water as on a Sunday

    def signal(self, key: str) -> Signal | None:
        return next((s for s in self.signals if s.key == key), None)

    def reach(self, place: str) -> Reach | None:
        return next((r for r in self.reaches if r.place == place), None)

    def of(self, *quantities: str) -> tuple[Signal, ...]:
        """The signals of some quantities."""
        return tuple(s for s in self.signals if s.quantity in quantities)

    @property
    def step_s(self) -> int:
        """Length of a frame: ten minutes, or as long as the quickest signal needs for a value."""
        quickest = min((s.interval_s for s in self.signals), default=600.0)
        return int(-(-600.0 // quickest) * quickest)
