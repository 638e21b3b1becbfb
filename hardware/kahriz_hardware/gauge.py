# SPDX-License-Identifier: MIT
"""A staff gauge to print in real size: centimetres on the left, litres a second on the right.

Each sheet is an A4 page; sheets overlap by nothing, the next begins where the last one ends. Print
at 100 %: the bar of 100 mm at the foot of each sheet tells whether the printer did.
"""

from __future__ import annotations

from kahriz_water.structures import Structure

SHEET_MM = 240  # of gauge on an A4 page
PAGE_MM = (210, 297)
LEFT_MM, RIGHT_MM, TOP_MM = 60, 140, 25


def sheets(structure: Structure, head_max_m: float) -> list[str]:
    """SVG pages from the crest (0) to the first full centimetre over the largest head."""
    top_mm = (int(head_max_m * 100.0) + 2) * 10
    return [
        _sheet(structure, low, min(low + SHEET_MM, top_mm)) for low in range(0, top_mm, SHEET_MM)
    ]


def _sheet(structure: Structure, low: int, high: int) -> str:
    parts = []
    for mm in range(low, high + 1):
        y = TOP_MM + SHEET_MM - (mm - low)
        length = 20 if mm % 10 == 0 else 12 if mm % 5 == 0 else 7
        parts.append(f'<path d="M{LEFT_MM} {y}h{length}"/>')
        if mm % 10 == 0:
            parts.append(f'<text x="{LEFT_MM - 4}" y="{y + 2.5}" class="cm">{mm // 10}</text>')
            parts.append(
                f'<text x="{RIGHT_MM}" y="{y + 1.8}" class="lps">{_lps(structure, mm)}</text>'
            )
    foot = TOP_MM + SHEET_MM + 15
    parts.append(f'<path d="M{LEFT_MM} {foot}h100m0-3v6m-100 0v-6"/>')
    parts.append(f'<text x="{LEFT_MM + 50}" y="{foot + 7}" class="foot">100 mm</text>')
    width, height = PAGE_MM
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}mm" height="{height}mm" '
        f'viewBox="0 0 {width} {height}">\n<style>path{{stroke:#000;stroke-width:.35;fill:none}}'
        "text{font-family:sans-serif}.cm{font-size:7px;text-anchor:end}.lps{font-size:5px}"
        ".foot{font-size:5px;text-anchor:middle}</style>\n"
        f'<text x="{LEFT_MM}" y="12" font-size="6">cm</text>'
        f'<text x="{RIGHT_MM}" y="12" font-size="6">L/s</text>\n' + "\n".join(parts) + "\n</svg>\n"
    )


def _lps(structure: Structure, mm: int) -> str:
    """Litres a second at a stage, or the bound where the structure says no more than that."""
    said = structure.discharge(mm / 1000.0, 0.002)
    if said.lps is not None:
        return f"{said.lps:.1f}"
    if said.below_lps is not None:
        return f"&lt; {said.below_lps:.1f}"
    return f"&gt; {said.above_lps:.1f}"
