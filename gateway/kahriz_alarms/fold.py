# SPDX-License-Identifier: MIT
"""Azerbaijani and Russian letters as plain ones, by a table: Unicode's own folding drops ə and ı.

Case is kept letter by letter and never made by `lower()`: I is the capital of ı, İ that of i.
"""

from __future__ import annotations

AZERBAIJANI = str.maketrans("əğıİöşçüƏĞÖŞÇÜ", "egiIoscuEGOSCU")
RUSSIAN = str.maketrans(
    {
        **dict(zip("абвгдезийклмнопрстуфы", "abvgdeziyklmnoprstufy", strict=True)),
        **dict(zip("АБВГДЕЗИЙКЛМНОПРСТУФЫ", "ABVGDEZIYKLMNOPRSTUFY", strict=True)),
        **{"ё": "yo", "ж": "zh", "х": "kh", "ц": "ts", "ч": "ch", "ш": "sh", "щ": "shch"},
        **{"Ё": "Yo", "Ж": "Zh", "Х": "Kh", "Ц": "Ts", "Ч": "Ch", "Ш": "Sh", "Щ": "Shch"},
        **{"ъ": "", "ь": "", "э": "e", "ю": "yu", "я": "ya"},
        **{"Ъ": "", "Ь": "", "Э": "E", "Ю": "Yu", "Я": "Ya"},
    }
)
SIGNS = str.maketrans({"³": "3", "²": "2", "±": "+-", "−": "-", "–": "-", "…": "...", "°": ""})
KEPT = frozenset(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 \n!\"#%&'()*+,-./:;<=>?@"
)


def ascii_text(text: str) -> str:
    """Only characters that count once in the GSM alphabet; what is unknown becomes a question mark.

    >>> ascii_text("Sızma: Vəlibəy, İ 2,0 ± 0,6 l/san, 12 m³")
    'Sizma: Velibey, I 2,0 +- 0,6 l/san, 12 m3'
    >>> ascii_text("Утечка: Щель")
    'Utechka: Shchel'
    """
    plain = text.translate(AZERBAIJANI).translate(RUSSIAN).translate(SIGNS)
    return "".join(c if c in KEPT else " " if c.isspace() else "?" for c in plain)


def bare(word: str) -> str:
    """A word for comparison: folded, then lower case by ASCII alone, letters and digits.

    >>> bare("Sınıq İŞ!"), bare("SINIQ iş")
    ('siniqis', 'siniqis')
    """
    plain = word.translate(AZERBAIJANI).translate(RUSSIAN)
    return "".join(chr(ord(c) | 32) if "A" <= c <= "Z" else c for c in plain if c.isalnum())


def units(text: str) -> int:
    """Characters as a UCS-2 SMS counts them: 70 fit into one part."""
    return len(text.encode("utf-16-be")) // 2
