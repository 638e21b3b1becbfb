# SPDX-License-Identifier: MIT
"""A scenario: what happens to the kahriz and its instruments, with its truth, from a TOML file."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kahriz_sim.errors import ConfigError
from kahriz_sim.tables import build_all, load
from kahriz_sim.weather import HOUR_MS

SCENARIOS = Path(__file__).parent / "scenarios"
NEVER_H = 1e9


@dataclass(frozen=True)
class Event:
    """Hours count from the beginning of life, that is after the history; they may be negative."""

    at_h: float
    to_h: float = NEVER_H


@dataclass(frozen=True, kw_only=True)
class Leak(Event):
    """A hole in the lining: an amount of water, day and night."""

    reach: str
    lps: float
    grow_h: float = 0.0  # 0: a burst; else a joint that opens


@dataclass(frozen=True, kw_only=True)
class Tapping(Event):
    """A siphon laid into the channel at fixed hours of the village clock."""

    reach: str
    lps: float
    from_hour: float
    hours: float


@dataclass(frozen=True, kw_only=True)
class Blockage(Event):
    """Stone and soil leave `opening` of the gallery free; it creeps open by `creep_per_day`."""

    opening: float
    creep_per_day: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Collapse(Event):
    """Only `kept` of the gallery is still joined to the mouth."""

    kept: float


@dataclass(frozen=True, kw_only=True)
class Drought(Event):
    """The aquifer loses a share a month."""

    per_month: float


@dataclass(frozen=True, kw_only=True)
class Storm(Event):
    """Flood water through open shafts: the discharge gains up to `peak` of itself."""

    peak: float
    rise_h: float
    fall_h: float


@dataclass(frozen=True, kw_only=True)
class Fouled(Event):
    """A leaf on the crest lifts the stage from `first_mm` to `last_mm` until it is brushed off."""

    point: str
    first_mm: float
    last_mm: float


@dataclass(frozen=True, kw_only=True)
class Wifi(Event):
    """The access point is away for these nodes."""

    nodes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Brownout(Event):
    """The node has no power from at_h to to_h; RTC and RTC memory are lost."""

    nodes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Drift(Event):
    """A clock worse than usual, from the first moment on."""

    node: str
    rtc_ppm: int


@dataclass(frozen=True, kw_only=True)
class SensorFault(Event):
    """fault: "stuck" (repeats its value), "spikes" (false echoes), "dropouts" (no echo)."""

    node: str
    fault: str
    share: float = 0.5  # of the echoes, for spikes and dropouts


KINDS: dict[str, type[Event]] = {
    "leak": Leak,
    "tapping": Tapping,
    "blockage": Blockage,
    "collapse": Collapse,
    "drought": Drought,
    "storm": Storm,
    "fouled": Fouled,
    "wifi": Wifi,
    "brownout": Brownout,
    "drift": Drift,
    "sensor": SensorFault,
}


@dataclass(frozen=True)
class Scenario:
    id: str
    truth: str
    events: tuple[Event, ...] = ()

    def without(self, kinds: frozenset[str]) -> "Scenario":
        """The same without some kinds of event; a caller then brings its own."""
        left_out = tuple(KINDS[kind] for kind in kinds)
        kept = tuple(e for e in self.events if not isinstance(e, left_out))
        return Scenario(self.id, self.truth, kept)


def load_scenario(scenario: str | Path) -> Scenario:
    """A file, or the name of one of ours."""
    path = SCENARIOS / f"{scenario}.toml" if isinstance(scenario, str) else scenario
    if not path.is_file():
        names = ", ".join(sorted(p.stem for p in SCENARIOS.glob("*.toml")))
        raise ConfigError(f"no scenario {scenario}; there are {names}")
    return parse(load(path), path.stem)


def parse(data: dict[str, Any], name: str) -> Scenario:
    events: list[Event] = []
    for key, tables in data.items():
        if key == "truth":
            continue
        if key not in KINDS:
            raise ConfigError(f"{name}.{key}: unknown; expected truth, {', '.join(KINDS)}")
        events += build_all(KINDS[key], tables, key)
    for event in events:
        check(event)
    return Scenario(name, str(data.get("truth", "")), tuple(events))


def check(event: Event) -> None:
    """Refuse what no water could do."""
    if event.to_h <= event.at_h:
        raise ConfigError(f"{event}: ends before it begins")
    if isinstance(event, Leak | Tapping):
        if event.reach not in ("upper", "lower"):
            raise ConfigError(f"{event.reach}: no such reach; expected upper or lower")
        if event.lps < 0.0:
            raise ConfigError(f"{event.lps} L/s: a loss is positive")
    if isinstance(event, Blockage) and not 0.0 <= event.opening <= 1.0:
        raise ConfigError(f"opening {event.opening}: expected 0 to 1")
    if isinstance(event, Collapse) and not 0.0 <= event.kept <= 1.0:
        raise ConfigError(f"kept {event.kept}: expected 0 to 1")
    if isinstance(event, SensorFault) and event.fault not in ("stuck", "spikes", "dropouts"):
        raise ConfigError(f"{event.fault}: expected stuck, spikes or dropouts")


def hours_to_ms(hours: float) -> int:
    return int(hours * HOUR_MS)
