# SPDX-License-Identifier: MIT
"""What the page calls a quantity, its unit, its decimals, and whether its chart starts at zero."""

from __future__ import annotations

from dataclasses import dataclass

from kahriz_gateway.page.words import Speech, mark


@dataclass(frozen=True, slots=True)
class Quantity:
    """How one measured or derived quantity is shown; its key is its name in the store."""

    key: str
    label: str
    unit: str
    decimals: int
    from_zero: bool = True
    below: str | None = None
    above: str | None = None


DISCHARGE = Quantity(
    "discharge_lps",
    mark("Discharge"),
    mark("L/s"),
    1,
    below="discharge_lt_lps",
    above="discharge_gt_lps",
)
QUANTITIES = {
    q.key: q
    for q in (
        DISCHARGE,
        Quantity("flow_lps", mark("Flow"), mark("L/s"), 1),
        Quantity("volume_m3", mark("Volume"), mark("m³"), 0),
        Quantity("level_m", mark("Water level"), mark("m"), 2),
        Quantity("stage_m", mark("Water over the weir"), mark("m"), 3),
        Quantity("c", mark("Temperature"), mark("°C"), 1, from_zero=False),
        Quantity("us_cm", mark("Conductivity"), mark("µS/cm"), 0, from_zero=False),
        Quantity("pressure_bar", mark("Pressure"), mark("bar"), 2),
    )
}
BOUNDS = {key for q in QUANTITIES.values() for key in (q.below, q.above) if key}
MAIN = {
    "weir": ("discharge_lps",),
    "pool": ("volume_m3", "level_m"),
    "tank": ("volume_m3", "level_m"),
    "chamber": ("level_m",),
    "flow": ("flow_lps", "discharge_lps"),
    "level": ("level_m", "stage_m"),
    "temperature": ("c",),
    "conductivity": ("us_cm",),
    "pressure": ("pressure_bar",),
}


def quantity(key: str) -> Quantity:
    """A known quantity, or an unknown one under its own key: never hidden."""
    return QUANTITIES.get(key) or Quantity(key, key, "", 2, from_zero=False)


def order(kind: str, keys: list[str]) -> list[str]:
    """The quantities of a point, the one its kind is about first, without the bounds."""
    first = [key for key in MAIN.get(kind, ()) if key in keys]
    bounded = [q.key for q in QUANTITIES.values() if {q.below, q.above} & set(keys)]
    rest = [key for key in [*bounded, *keys] if key not in BOUNDS]
    return list(dict.fromkeys([*first, *rest]))


def label(speech: Speech, what: Quantity) -> str:
    return speech.text(what.label) if what.key in QUANTITIES else what.label


def unit(speech: Speech, what: Quantity) -> str:
    return speech.text(what.unit) if what.unit else ""
