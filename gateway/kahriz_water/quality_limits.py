# SPDX-License-Identifier: MIT
"""Limits of the quality tests: the sensor's by quantity, the site's own in their place.

[point.quality.distance_m]
suspect_range = [0.35, 0.85] # what the site can have; the sensor's own range fails
spike_suspect = 0.03
spike_fail = 0.30
rate_suspect_per_min = 0.02
flat_suspect_s = 43200
flat_tolerance = 0.0005
"""

from __future__ import annotations

from dataclasses import dataclass

from kahriz_water.strict import ConfigError, Table


@dataclass(frozen=True, slots=True)
class Limits:
    """Thresholds in the unit of the quantity; None leaves a test out."""

    suspect_range: tuple[float, float] | None = None
    spike_suspect: float | None = None
    spike_fail: float | None = None
    rate_suspect_per_min: float | None = None
    rate_fail_per_min: float | None = None
    flat_suspect_s: int | None = None
    flat_fail_s: int | None = None
    flat_tolerance: float = 0.0


# Wide enough for a gate that opens and for a leak; a site sets its own from its first weeks.
# Flat: the air moves a distance and a current every day; what stands still for one is stuck.
DEFAULTS = {
    "distance_m": Limits(
        spike_suspect=0.05,
        spike_fail=1.0,
        rate_suspect_per_min=0.10,
        flat_suspect_s=86_400,
        flat_tolerance=0.0005,
    ),
    "current_ma": Limits(
        spike_suspect=0.5,
        spike_fail=8.0,
        rate_suspect_per_min=1.0,
        flat_suspect_s=86_400,
        flat_tolerance=0.0005,
    ),
    "c": Limits(
        spike_suspect=8.0,
        spike_fail=40.0,
        rate_suspect_per_min=3.0,
        flat_suspect_s=86_400,
        flat_tolerance=0.005,
    ),
    "level_m": Limits(spike_suspect=0.3, spike_fail=5.0, rate_suspect_per_min=0.3),
    "us_cm": Limits(spike_suspect=500.0, rate_suspect_per_min=1_000.0),
    "pressure_bar": Limits(spike_suspect=3.0, rate_suspect_per_min=5.0),
}


def limits_of(quantity: str, own: tuple[tuple[str, Limits], ...] = ()) -> Limits | None:
    """The limits of a quantity: the site's own, else the sensor's, else none."""
    return dict(own).get(quantity) or DEFAULTS.get(quantity)


def read_limits(quantity: str, table: Table) -> Limits:
    """A site's own limits; what it does not name stays the sensor's."""
    sensor = DEFAULTS.get(quantity, Limits())

    def size(key: str, default: float | None) -> float | None:
        found = table.optional_number(key, 1e-6, 1e6, "the quantity's own")
        return default if found is None else found

    def seconds(key: str, default: int | None) -> int | None:
        if not table.has(key):
            table.raw(key)
            return default
        return table.whole(key, 60, 30 * 86_400, "seconds")

    found = Limits(
        suspect_range=_range(table) or sensor.suspect_range,
        spike_suspect=size("spike_suspect", sensor.spike_suspect),
        spike_fail=size("spike_fail", sensor.spike_fail),
        rate_suspect_per_min=size("rate_suspect_per_min", sensor.rate_suspect_per_min),
        rate_fail_per_min=size("rate_fail_per_min", sensor.rate_fail_per_min),
        flat_suspect_s=seconds("flat_suspect_s", sensor.flat_suspect_s),
        flat_fail_s=seconds("flat_fail_s", sensor.flat_fail_s),
        flat_tolerance=size("flat_tolerance", sensor.flat_tolerance) or 0.0,
    )
    table.done()
    _refuse_upside_down(found, table)
    return found


def _range(table: Table) -> tuple[float, float] | None:
    pair = table.raw("suspect_range")
    if pair is None:
        return None
    try:
        low, high = (float(x) for x in pair)
    except (TypeError, ValueError) as error:
        raise ConfigError(table.at("suspect_range"), "[lowest, highest]", pair) from error
    if low >= high:
        raise ConfigError(table.at("suspect_range"), "[lowest, highest]", pair)
    return low, high


def _refuse_upside_down(limits: Limits, table: Table) -> None:
    pairs = (
        ("spike_fail", limits.spike_suspect, limits.spike_fail),
        ("rate_fail_per_min", limits.rate_suspect_per_min, limits.rate_fail_per_min),
        ("flat_fail_s", limits.flat_suspect_s, limits.flat_fail_s),
    )
    for key, suspect, fail in pairs:
        if suspect is not None and fail is not None and fail < suspect:
            raise ConfigError(table.at(key), f"at least {suspect:g}, which is suspect", fail)
