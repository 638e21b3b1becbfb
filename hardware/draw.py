# SPDX-License-Identifier: MIT
"""Draws every harness: harness.yml -> harness.svg and harness.bom.tsv beside it.

`python hardware/draw.py [FOLDER …]`; needs the dev group (wireviz) and Graphviz's `dot`.
"""

import contextlib
import io
import sys
from pathlib import Path

from wireviz import wireviz

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
