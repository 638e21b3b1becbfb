# SPDX-License-Identifier: MIT
"""The options that many commands of a gateway take: the plan, the stores, a simulated clock."""

from __future__ import annotations

from pathlib import Path

import rich_click as click

FILE = click.Path(path_type=Path, dir_okay=False)
FOLDER = click.Path(path_type=Path, file_okay=False)
CONFIG = click.option(
    "--config",
    type=FILE,
    default=Path("site.toml"),
    show_default=True,
    help="The plan of the kahriz.",
)
DATA = click.option(
    "--data", type=FOLDER, default=Path("data"), show_default=True, help="Folder of the stores."
)
CLOCK = click.option("--clock-file", type=FILE, help="A simulated clock instead of the machine's.")
