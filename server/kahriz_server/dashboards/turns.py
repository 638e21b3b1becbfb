# SPDX-License-Identifier: MIT
"""Water by turns on the page of a kahriz: plots by their codes, never by the names of families."""

from kahriz_server import queries
from kahriz_server.dashboards.common import Json, bars, column, panel, target
from kahriz_server.texts import Lang, say
from kahriz_server.units import decimals, unit


def per_day(lang: Lang) -> Json:
    """Each plot's m³ by day, stacked."""
    targets = [target("A", queries.turns_per_day(), "$tag_plot")]
    made = panel(
        "timeseries",
        say("turns", lang),
        targets,
        quantity="volume_m3",
        lang=lang,
        help_text=say("turns_help", lang),
    )
    return bars(made, stacked=True)


def latest(lang: Lang) -> Json:
    """The newest turns, a row each."""
    targets = [target("A", queries.turn_list(), table=True)]
    made = panel(
        "table",
        say("turn_list", lang),
        targets,
        quantity="volume_m3",
        lang=lang,
        help_text=say("turns_help", lang),
    )
    m3 = {"unit": unit("volume_m3", lang), "decimals": 0}
    made["fieldConfig"]["overrides"] = [
        column("Time", say("turn_began", lang), unit="dateTimeAsLocal"),
        column("plot", say("plot", lang)),
        column("m3", say("per_turn", lang), **m3),
        column("u_m3", "±", **m3),
        column("minutes", say("minutes", lang), unit=unit("minutes", lang), decimals=0),
        column(
            "coverage",
            say("coverage", lang),
            unit=unit("share", lang),
            decimals=decimals("share"),
        ),
    ]
    return made
