# SPDX-License-Identifier: MIT
"""`kahriz doctor`: every check of the index on this gateway, each with its mend.

Exit codes: 0 well, 1 something failed, 2 wrong usage.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import rich_click as click

from kahriz_gateway.broker.visit import one_at_a_time
from kahriz_gateway.checks import CHECKS, About, Result, examine
from kahriz_gateway.cli import _options as gateway_options
from kahriz_gateway.config import Options


@click.command()
@gateway_options
@click.option(
    "--only", "names", multiple=True, type=click.Choice(list(CHECKS)), help="These alone."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON list instead of lines.")
def doctor(names: tuple[str, ...], as_json: bool, **given: Any) -> None:
    """What ails this gateway: machine, store, broker, certificates, receipts, InfluxDB, nodes."""
    options = Options(**given)
    results = []
    with one_at_a_time(options.data):
        for result in examine(About(options), names or None):
            results.append(result)
            if not as_json:
                _tell(result)
    if as_json:
        click.echo(json.dumps([result.as_dict() for result in results]))
    sys.exit(0 if all(result.passed for result in results) else 1)


def _tell(result: Result) -> None:
    click.echo(f"{result.finding.state}  {result.name}: {result.finding.says}")
    if result.finding.mend:
        click.echo(f"      mend: {result.finding.mend}")
