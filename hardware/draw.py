# SPDX-License-Identifier: MIT
"""Draws every harness (harness.yml -> harness.svg, harness.bom.tsv), and what is printed.

`python hardware/draw.py [FOLDER …]`; needs the dev group (wireviz) and Graphviz's `dot`. Without a
folder it also draws the pictures of the guides, labels/ and calibration/.
"""

import contextlib
import io
import sys
from pathlib import Path

from wireviz import wireviz

from kahriz_hardware.sheets.pictures import pictures

HARDWARE = Path(__file__).parent


def draw(source: Path, into: Path) -> list[Path]:
    """The drawing and the list of parts of one harness."""
    with contextlib.redirect_stdout(io.StringIO()):
        wireviz.parse(source, output_formats=("svg", "tsv"), output_dir=into, output_name="harness")
    return [into / "harness.svg", into / "harness.bom.tsv"]


if __name__ == "__main__":
    named = [Path(name) for name in sys.argv[1:]]
    for folder in named or sorted(found.parent for found in HARDWARE.glob("*/harness.yml")):
        for made in draw(folder / "harness.yml", folder):
            print(made)
    for name, svg in ({} if named else pictures()).items():
        (HARDWARE / name).parent.mkdir(exist_ok=True)
        (HARDWARE / name).write_text(svg, encoding="utf-8")
        print(HARDWARE / name)
