# SPDX-License-Identifier: MIT
"""Warning labels to print, each in three languages, with the fields that somebody must fill in."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kahriz_hardware.sheets.page import Page

WORDS = Path(__file__).parent / "words.toml"
LANGUAGES = ("az", "ru", "en")
WIDTH_MM, HEIGHT_MM = 148.0, 105.0  # A6, lying
BAND_MM, EDGE_MM, SIZE_MM = 12.0, 6.0, 4.6


def words() -> dict[str, Any]:
    """Labels, field names and the sheet's words."""
    return tomllib.loads(WORDS.read_text(encoding="utf-8"))


def labels(filled: Mapping[str, Mapping[str, str]] | None = None) -> dict[str, str]:
    """SVG by label; `filled` gives fields of a label that are known, by label and field."""
    told = words()
    return {
        one["id"]: _label(one, told["fields"], (filled or {}).get(one["id"], {}))
        for one in told["label"]
    }


def _label(one: dict[str, Any], fields: dict[str, Any], filled: Mapping[str, str]) -> str:
    page = Page(WIDTH_MM, HEIGHT_MM)
    page.box(0.2, 0.2, WIDTH_MM - 0.4, HEIGHT_MM - 0.4)
    page.box(0, 0, WIDTH_MM, BAND_MM, one["colour"])
    page.text(EDGE_MM, BAND_MM - 3.5, "! Kahriz Monitor", 6.0, "#fff")
    y = BAND_MM + 8.0
    for language in LANGUAGES:
        y = page.paragraph(EDGE_MM, y, one[language], SIZE_MM, WIDTH_MM - 2 * EDGE_MM) + 2.5
    y = HEIGHT_MM - 12.0 * len(one["fields"]) + 2.0
    for field in one["fields"]:
        name = " / ".join(dict.fromkeys(fields[field][language] for language in LANGUAGES))
        page.text(EDGE_MM, y, name, 3.2)
        page.text(EDGE_MM, y + 5.2, filled.get(field, ""), 4.6)
        page.line(EDGE_MM, y + 6.6, WIDTH_MM - EDGE_MM, y + 6.6)
        y += 12.0
    return page.svg()
