# SPDX-License-Identifier: MIT
"""How much credit an operator's answer speaks of: `Balans: 4.20 AZN`."""

from __future__ import annotations

import re

MOST = 1e9  # nobody has more on a telephone: a number without end is no credit
LONGEST = 400  # letters; USSD has 182, and a search through digits without end takes minutes
NUMBER = r"-?[0-9]+(?:[.,][0-9]+)?"
MONEY = re.compile(rf"({NUMBER})\s*(?:azn|man\b|manat|₼)", re.IGNORECASE)
PIECES = re.compile(rf"(?<![0-9.,])({NUMBER})(?![0-9.,])")


def amount(text: str, pattern: str | None = None) -> float | None:
    """The amount; None when nobody can say which number of the answer it is.

    >>> amount("Balansınız 0,35 AZN, 31.12.2026 tarixinədək"), amount("Balans: 4.20")
    (0.35, 4.2)
    >>> amount("Xidmət müvəqqəti əlçatmazdır"), amount("12 SMS, 4.20") is None
    (None, True)
    >>> amount("Qaliq 12 / 7.5", r"/ ([0-9.]+)")
    7.5
    """
    text = text[:LONGEST]
    if pattern is not None:
        found = re.search(pattern, text)
        said = found[1] if found else None
    else:
        money, pieces = MONEY.search(text), PIECES.findall(text)
        said = money[1] if money else pieces[0] if len(pieces) == 1 else None
    try:
        left = None if said is None else float(said.replace(",", "."))
    except ValueError:
        return None
    return left if left is not None and abs(left) < MOST else None
