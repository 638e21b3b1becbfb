# SPDX-License-Identifier: MIT
"""The weir plate as lines, holes and words in millimetres, and its SVG and DXF.

Origin: the crest, in the middle of the plate; x to the right, y up, seen from upstream. Crest 1 to
2 mm thick, downstream edge bevelled, 60 degrees at a notch and 45 at a level crest (ISO 1438).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

from kahriz_hardware.propose import Weir

IN_WALL_MM = 50.0  # of plate that stands in the slot of each wall and of the floor
SPARE = 1.15  # of head over the largest flow, before the water goes over the plate
BOLT_MM = 12.0
BOLT_STEP_MM = 250.0

Point = tuple[float, float]


@dataclass(frozen=True)
class Plate:
    """Outline, bolt holes (centre), words (place, text); millimetres."""

    outline: tuple[Point, ...]
    holes: tuple[Point, ...]
    words: tuple[tuple[Point, str], ...]

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Least and greatest x and y of the outline."""
        xs, ys = [x for x, _ in self.outline], [y for _, y in self.outline]
        return min(xs), min(ys), max(xs), max(ys)


def plate(weir: Weir, pool_width_m: float) -> Plate:
    """The plate of a weir for a pool of that width."""
    half = pool_width_m * 500.0 + IN_WALL_MM
    foot = -weir.sill_m * 1000.0 - IN_WALL_MM
    top = weir.head_max_m * 1000.0 * SPARE
    opening = weir.candidate.top_width_m(top / 1000.0) * 500.0
    if weir.candidate.angle_deg is None:
        edge: tuple[Point, ...] = ((half, 0.0), (-half, 0.0))
        side_top = 0.0
    else:
        edge = ((half, top), (opening, top), (0.0, 0.0), (-opening, top), (-half, top))
        side_top = top
    outline = ((-half, foot), (half, foot), *edge)
    words = (
        ((0.0, foot + 60.0), f"{weir.candidate.name}, {weir.candidate.contraction.name}"),
        ((0.0, foot + 30.0), f"sill {weir.sill_m * 1000:.0f} mm, seen from upstream"),
    )
    return Plate(outline, _holes(half - IN_WALL_MM / 2.0, foot, side_top), words)


def _holes(x: float, foot: float, top: float) -> tuple[Point, ...]:
    low, high = foot + IN_WALL_MM, top - IN_WALL_MM / 2.0
    count = max(2, int((high - low) / BOLT_STEP_MM) + 2)
    ys = [low + (high - low) * i / (count - 1) for i in range(count)]
    return tuple((side, y) for y in ys for side in (-x, x))


def to_svg(drawn: Plate) -> str:
    """The plate in real size."""
    left, low, right, high = drawn.box
    width, height = right - left, high - low
    points = " ".join(f"{x - left:.1f},{high - y:.1f}" for x, y in drawn.outline)
    parts = [f'<polygon points="{points}" fill="none" stroke="#000" stroke-width="1"/>']
    for x, y in drawn.holes:
        parts.append(
            f'<circle cx="{x - left:.1f}" cy="{high - y:.1f}" r="{BOLT_MM / 2}" fill="none" '
            'stroke="#000"/>'
        )
    for (x, y), text in drawn.words:
        parts.append(
            f'<text x="{x - left:.1f}" y="{high - y:.1f}" font-size="18" text-anchor="middle" '
            f'font-family="sans-serif">{escape(text)}</text>'
        )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.1f}mm" height="{height:.1f}mm" '
        f'viewBox="0 0 {width:.1f} {height:.1f}">\n' + "\n".join(parts) + "\n</svg>\n"
    )


def to_dxf(drawn: Plate, path: Path) -> None:
    """The plate for a laser or a water jet: R2010, millimetres, layers CUT and WORDS."""
    from ezdxf import units  # an extra: only who draws needs it
    from ezdxf.document import Drawing
    from ezdxf.enums import TextEntityAlignment

    document = Drawing.new("R2010")
    document.units = units.MM
    document.layers.add("CUT", color=7)
    document.layers.add("WORDS", color=5)
    space = document.modelspace()
    space.add_lwpolyline(drawn.outline, close=True, dxfattribs={"layer": "CUT"})
    for hole in drawn.holes:
        space.add_circle(hole, BOLT_MM / 2.0, dxfattribs={"layer": "CUT"})
    for place, text in drawn.words:
        word = space.add_text(text, height=18, dxfattribs={"layer": "WORDS"})
        word.set_placement(place, align=TextEntityAlignment.MIDDLE_CENTER)
    document.saveas(path)
