# SPDX-License-Identifier: MIT
"""All that is printed or shown in the guides, by its path under hardware/."""

from __future__ import annotations

from kahriz_hardware.sheets import mounting
from kahriz_hardware.sheets.calibration import sheet
from kahriz_hardware.sheets.drill import template
from kahriz_hardware.sheets.labels import LANGUAGES, labels

GLANDS = 4  # M2 of the node kits


def pictures() -> dict[str, str]:
    """SVG by path; hardware/draw.py writes them."""
    made = {"outlet/mount.svg": mounting.over_weir(), "pool/mount.svg": mounting.in_pipe()}
    made |= {"relay/mount.svg": mounting.link_profile(), "outlet/drill.svg": template(GLANDS)}
    made |= {f"labels/{name}.svg": svg for name, svg in labels().items()}
    return made | {f"calibration/{one}.svg": sheet(one) for one in LANGUAGES}
