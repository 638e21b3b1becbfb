# SPDX-License-Identifier: MIT
"""All that is printed or shown in the guides, by its path under hardware/."""

from __future__ import annotations

from kahriz_hardware.sheets import mounting
from kahriz_hardware.sheets.calibration import sheet
from kahriz_hardware.sheets.labels import LANGUAGES, labels


def pictures() -> dict[str, str]:
    """SVG by path; hardware/draw.py writes them."""
    made = {"outlet/mount.svg": mounting.over_weir(), "pool/mount.svg": mounting.in_pipe()}
    made |= {f"labels/{name}.svg": svg for name, svg in labels().items()}
    return made | {f"calibration/{one}.svg": sheet(one) for one in LANGUAGES}
