# SPDX-License-Identifier: MIT
"""A site's plan for a command, or one line that says what is wrong with it."""

from __future__ import annotations

from pathlib import Path

import rich_click as click

from kahriz_water.plan import parse_plan
from kahriz_water.site import Plan
from kahriz_water.strict import ConfigError


def read_plan(path: Path) -> Plan:
    """The plan of a site.toml."""
    try:
        return parse_plan(path.read_text(encoding="utf-8"), path.name)
    except ConfigError as error:
        raise click.UsageError(str(error)) from None
    except (OSError, UnicodeDecodeError) as error:
        raise click.ClickException(f"{path}: {error}") from None
