# SPDX-License-Identifier: MIT
"""An SVG page in millimetres: boxes, lines and words that are broken to their width."""

from __future__ import annotations

from xml.sax.saxutils import escape, quoteattr

WIDE = 0.64  # of the letter's height: a mean Cyrillic letter of DejaVu Sans, on the safe side
LEADING = 1.25


class Page:
    """Lines of SVG that grow."""

    def __init__(self, width_mm: float, height_mm: float) -> None:
        self.width_mm, self.height_mm = width_mm, height_mm
        self._parts: list[str] = []

    def box(self, x: float, y: float, w: float, h: float, fill: str = "none") -> None:
        self._parts.append(
            f'<rect x="{x:g}" y="{y:g}" width="{w:g}" height="{h:g}" fill={quoteattr(fill)} '
            'stroke="#000" stroke-width="0.4"/>'
        )

    def line(self, x: float, y: float, to_x: float, to_y: float, look: str = "") -> None:
        look = look or 'stroke="#000" stroke-width="0.4"'
        self._parts.append(f'<path d="M{x:g} {y:g}L{to_x:g} {to_y:g}" fill="none" {look}/>')

    def shape(self, points: list[tuple[float, float]], fill: str) -> None:
        listed = " ".join(f"{x:g},{y:g}" for x, y in points)
        self._parts.append(f'<polygon points="{listed}" fill={quoteattr(fill)}/>')

    def circle(self, x: float, y: float, across: float) -> None:
        """A hole with its cross for the punch."""
        self._parts.append(
            f'<circle cx="{x:g}" cy="{y:g}" r="{across / 2.0:g}" fill="none" stroke="#000" '
            'stroke-width="0.4"/>'
        )
        self.line(x - 3.0, y, x + 3.0, y)
        self.line(x, y - 3.0, x, y + 3.0)

    def text(
        self, x: float, y: float, said: str, size: float, fill: str = "#000", anchor: str = "start"
    ) -> None:
        self._parts.append(
            f'<text x="{x:g}" y="{y:g}" font-size="{size:g}" fill={quoteattr(fill)} '
            f'text-anchor="{anchor}" font-family="DejaVu Sans, Noto Sans, sans-serif">'
            f"{escape(said)}</text>"
        )

    def paragraph(self, x: float, y: float, said: str, size: float, width_mm: float) -> float:
        """Broken between words; returns the height where the next line would stand."""
        for line in broken(said, size, width_mm):
            self.text(x, y, line, size)
            y += size * LEADING
        return y

    def svg(self) -> str:
        w, h = self.width_mm, self.height_mm
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{w:g}mm" height="{h:g}mm" '
            f'viewBox="0 0 {w:g} {h:g}">\n<rect width="{w:g}" height="{h:g}" fill="#fff"/>\n'
        )
        return head + "\n".join(self._parts) + "\n</svg>\n"


def broken(said: str, size: float, width_mm: float) -> list[str]:
    """Lines that fit the width."""
    most = max(1, int(width_mm / (size * WIDE)))
    lines = [""]
    for word in said.split():
        if lines[-1] and len(lines[-1]) + 1 + len(word) > most:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines
