# SPDX-License-Identifier: MIT
"""The calibration sheet to print and fill in beside the water: zero, gaugings, pressure."""

from __future__ import annotations

from kahriz_hardware.sheets.labels import words
from kahriz_hardware.sheets.page import Page

WIDTH_MM, HEIGHT_MM = 210.0, 297.0
LEFT_MM, INSIDE_MM = 15.0, 180.0
ROW_MM = 9.0


def sheet(language: str) -> str:
    """A4, one language."""
    said = {key: text[language] for key, text in words()["sheet"].items()}
    page = Page(WIDTH_MM, HEIGHT_MM)
    page.text(LEFT_MM, 18.0, f"Kahriz Monitor: {said['title']}", 7.0)
    y = 28.0
    for key in ("site", "people", "cleared", "date"):
        page.text(LEFT_MM, y, said[key], 3.6)
        page.line(LEFT_MM + 70.0, y + 1.0, LEFT_MM + INSIDE_MM, y + 1.0)
        y += ROW_MM
    y = _table(page, y + 4.0, said["zero"], [said[k] for k in ("level", "device", "difference")], 4)
    columns = [said[k] for k in ("level", "volume", "seconds", "flow", "device_flow")]
    y = _table(page, y, said["bucket"], columns, 6)
    y = page.paragraph(LEFT_MM, y, said["rule"], 3.8, INSIDE_MM) + 6.0
    y = _table(page, y, said["two_point"], [said["depth"], said["current"]], 2)
    page.text(LEFT_MM, y + 6.0, said["signed"], 3.6)
    page.line(LEFT_MM + 40.0, y + 7.0, LEFT_MM + 105.0, y + 7.0)
    page.line(LEFT_MM + 115.0, y + 7.0, LEFT_MM + INSIDE_MM, y + 7.0)
    return page.svg()


def _table(page: Page, y: float, title: str, columns: list[str], rows: int) -> float:
    page.text(LEFT_MM, y, title, 4.2)
    y += 3.0
    width = INSIDE_MM / len(columns)
    for row in range(rows + 1):
        for i, name in enumerate(columns):
            page.box(LEFT_MM + i * width, y, width, ROW_MM)
            if row == 0:
                page.text(LEFT_MM + i * width + 2.0, y + 6.0, name, 3.6)
        y += ROW_MM
    return y + 9.0
