# SPDX-License-Identifier: MIT
"""Unit and decimals of a quantity as Grafana writes them, from kahriz_wire.fields."""

from kahriz_server.texts import UNIT_TEXTS, Lang
from kahriz_wire.fields import FIELDS

_GRAFANA = {
    "degC": "celsius",
    "V": "volt",
    "mA": "mamp",
    "dBm": "dBm",
    "1": "none",
    "bar": "pressurebar",
}
# What is no quantity of a row: Grafana's unit and decimals.
_OTHER = {
    "rows": ("short", 0),
    "alarms": ("short", 0),
    "starts": ("short", 0),
    "heap": ("bytes", 0),
    "span_s": ("s", 1),
    "change_pct": ("percent", 0),
    "flag": ("none", 0),
    "minutes": ("short", 0),
    "share": ("percentunit", 0),
}


def unit(quantity: str, lang: Lang) -> str:
    """Grafana's unit id, or a written suffix where Grafana has none for it (L/s)."""
    if quantity in _OTHER:
        return _OTHER[quantity][0]
    name = FIELDS[quantity][0]
    if name in UNIT_TEXTS:
        return f"suffix: {UNIT_TEXTS[name].of(lang)}"
    return _GRAFANA[name]


def decimals(quantity: str) -> int:
    """Decimals to show: what the table keeps, but never more than a reader can use."""
    if quantity in _OTHER:
        return _OTHER[quantity][1]
    return min(FIELDS[quantity][1], 3)
