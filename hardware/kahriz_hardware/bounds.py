# SPDX-License-Identifier: MIT
"""A number between two others; click's own lets "nan" through."""

from __future__ import annotations

import math
from typing import Any

import rich_click as click


class Between(click.FloatRange):
    """A finite number in a closed range."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        found = super().convert(value, param, ctx)
        if not math.isfinite(found):
            self.fail(f"{value} is not a number that can be measured.", param, ctx)
        return found
