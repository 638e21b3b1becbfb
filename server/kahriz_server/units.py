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


def unit(quantity: str, lang: Lang) -> str:
    """Grafana's unit id, or a written suffix where Grafana has none for it (L/s)."""
    name = FIELDS[quantity][0]
    if name in UNIT_TEXTS:
        return f"suffix: {UNIT_TEXTS[name].of(lang)}"
    return _GRAFANA[name]


def decimals(quantity: str) -> int:
    """Decimals to show: what the table keeps, but never more than a reader can use."""
    return min(FIELDS[quantity][1], 3)
