# SPDX-License-Identifier: MIT
"""One interpreted number, as it is stored, shown and sent on."""

from __future__ import annotations

from typing import NamedTuple


class Value(NamedTuple):
    """`u` is the expanded uncertainty (k = 2) in the unit of the value; `q` is the QARTOD flag.

    `u_random` is the part of `u` that is new with each reading; the rest (zero, plate, coefficient)
    is the same for all of them and does not become smaller in a sum. `manual`: read by a person.
    """

    point: str
    quantity: str
    ts: int
    value: float
    u: float | None
    q: int
    u_random: float | None = None
    manual: bool = False
