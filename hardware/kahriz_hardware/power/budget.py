# SPDX-License-Identifier: MIT
"""Each kit's day: what it takes from its battery, what its panel brings in the darkest month."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

from kahriz_hardware.power.sun import tilted_kwh_m2_day
from kahriz_water.strict import ConfigError, Table

FOLDER = Path(__file__).parent
BUDGET, NODES = FOLDER / "budget.toml", FOLDER / "nodes.toml"
LEAST, USUAL, MOST = 0, 1, 2
J_PER_WH = 3600.0
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
Band = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Sun:
    """A place's radiation on level ground and what is lost on the way to the charger."""

    place: str
    latitude_deg: float
    level_mj_m2_month: tuple[float, ...]
    year: Band
    panel: Band
    albedo: float


@dataclass(frozen=True, slots=True)
class Kit:
    """Load and store of a kit; bands run from the best case to the worst."""

    name: str
    load_wh: Band  # a day, out of the battery
    battery_wh: float
    usable: Band
    panel_w: float
    charger: Band
    tilt_deg: float
    dark_days: float

    def days(self, edge: int) -> float:
        """Days without sun or mains."""
        return self.battery_wh * self.usable[edge] / self.load_wh[edge]

    def sun_wh(self, sun: Sun, month: int, edge: int) -> float:
        """What the panel puts into the battery on a mean day of the month."""
        kwh = tilted_kwh_m2_day(
            month, sun.level_mj_m2_month[month], sun.latitude_deg, self.tilt_deg, sun.albedo
        )
        return self.panel_w * kwh * sun.year[edge] * sun.panel[edge] * self.charger[edge]

    def margin(self, sun: Sun, edge: int) -> tuple[float, int]:
        """How many times the load the darkest month brings, and which month that is."""
        return min((self.sun_wh(sun, m, edge) / self.load_wh[edge], m) for m in range(12))

    def shortfalls(self, sun: Sun) -> list[str]:
        """What is not held even in the bad case."""
        found = []
        if self.days(MOST) < self.dark_days:
            found.append(f"{self.days(MOST):.1f} days dark, wanted {self.dark_days:g}")
        if self.panel_w and self.margin(sun, MOST)[0] < 1.0:
            times, month = self.margin(sun, MOST)
            found.append(f"a bad {MONTHS[month]} brings {times:.2f} of its load")
        return found


def read(budget: Path = BUDGET, nodes: Path = NODES) -> tuple[Sun, list[Kit]]:
    """The budget, with the nodes' joules from the energy model."""
    table = Table(_toml(budget), budget.name)
    joules = Table(_toml(nodes), nodes.name).table("joules_per_day")
    place = table.table("sun")
    sun = Sun(
        place.text("place"),
        place.number("latitude_deg", -60.0, 60.0, "degrees"),
        _numbers(place, "level_mj_m2_month", 12),
        _band(place, "year", 2.0),
        _band(place, "panel", 1.0),
        place.number("albedo", 0.0, 1.0, "share"),
    )
    place.done()
    kits = [_kit(one, joules) for one in table.tables("kit")]
    table.done()
    return sun, kits


def read_measured(budget: Path, nodes: Path) -> tuple[str, list[Kit]]:
    """The node kits by what a board measured, and in words what it did measure."""
    table = Table(_toml(nodes), nodes.name)
    figures = table.raw("measured")
    if not isinstance(figures, list) or not figures or not all(type(f) is str for f in figures):
        raise ConfigError(
            table.at("measured"), "figures: the file that power_loads.py --profile wrote", figures
        )
    words = f"Measured on one board ({table.text('about', '')}): {', '.join(figures)}; the rest is "
    model = {kit.name for kit in read(budget)[1]}
    named = set(table.table("joules_per_day").keys()) & model
    return words + "the model's.", [kit for kit in read(budget, nodes)[1] if kit.name in named]


def _kit(table: Table, joules: Table) -> Kit:
    name = table.ident("name")
    if table.boolean("node", False):
        load_wh = [joule / J_PER_WH for joule in _numbers(joules, name, 3)]
    else:
        load_wh = [watt * 24.0 for watt in _numbers(table, "load_w", 3)]
    regulator = _band(table, "regulator", 1.0)
    kit = Kit(
        name,
        _three([load / share for load, share in zip(load_wh, regulator, strict=True)]),
        table.number("battery_wh", 0.1, 1e5, "Wh"),
        _band(table, "usable", 1.0),
        table.number("panel_w", 0.0, 1e4, "W"),
        _band(table, "charger", 1.0),
        table.number("tilt_deg", 0.0, 90.0, "degrees"),
        table.number("dark_days", 0.0, 1000.0, "days"),
    )
    table.done()
    return kit


def _numbers(table: Table, key: str, count: int) -> tuple[float, ...]:
    found = table.raw(key)
    good = isinstance(found, list) and len(found) == count
    if not good or not all(type(one) in (int, float) and 0.0 < one < 1e6 for one in found):
        raise ConfigError(table.at(key), f"{count} numbers over 0", found)
    return tuple(float(one) for one in found)


def _band(table: Table, key: str, top: float) -> Band:
    """Shares that fall from the best case to the worst."""
    found = _three(_numbers(table, key, 3))
    if not top >= found[0] >= found[1] >= found[2]:
        raise ConfigError(table.at(key), f"three shares, falling, at most {top:g}", list(found))
    return found


def _three(found: list[float] | tuple[float, ...]) -> Band:
    least, usual, most = found
    return least, usual, most


def _toml(path: Path) -> object:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(str(path), f"a file that can be read ({error.strerror})") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(str(path), f"TOML ({error})") from None
