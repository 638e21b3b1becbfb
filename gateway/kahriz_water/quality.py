# SPDX-License-Identifier: MIT
"""QARTOD flags: 1 pass, 2 not evaluated, 3 suspect, 4 fail, 9 missing.

The gross range test is the table of `kahriz_wire.fields`; a logger's -9999 fails it and stays
visible as a failed value instead of becoming a level.
"""

from __future__ import annotations

from kahriz_wire import fields

PASS, NOT_EVALUATED, SUSPECT, FAIL, MISSING = 1, 2, 3, 4, 9


def gross_range_q(quantity: str, value: float) -> int:
    """
    >>> gross_range_q("level_m", 1.2), gross_range_q("level_m", -9999.0)
    (1, 4)
    """
    known = fields.FIELDS.get(quantity)
    if known is None:
        return NOT_EVALUATED
    _, _, low, high = known
    return PASS if low <= value <= high else FAIL


def worst(*flags: int) -> int:
    """The flag of what was made from several: the worst of theirs.

    >>> worst(1, 3, 1)
    3
    """
    return max(flags)
