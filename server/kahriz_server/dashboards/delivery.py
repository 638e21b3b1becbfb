# SPDX-License-Identifier: MIT
"""Is every reading here? Measured, stored, missing, closed as lost, and what none of them is."""

from kahriz_server import queries
from kahriz_server.dashboards.common import (
    FEW_POINTS,
    HIDDEN_TIME,
    Json,
    coloured,
    coloured_column,
    column,
    dashboard,
    lines,
    newest,
    panel,
    sites_variable,
    target,
)
from kahriz_server.texts import Lang, say
from kahriz_server.thresholds import LOST_ROWS, MISSING_ROWS, UNACCOUNTED_ROWS
from kahriz_server.units import decimals

UID = "kahriz-delivery"
ALIAS = "$tag_site $tag_node"


def build(lang: Lang) -> Json:
    """The dashboard in one language."""
    panels = [
        table(lang),
        unaccounted(lang),
        _curve("stored", queries.health("stored_rows"), ALIAS, lang),
        _curve("missing", queries.health("missing_rows"), ALIAS, lang),
        _curve("lost_rows", queries.health("lost_rows"), ALIAS, lang),
        _curve("waiting", queries.of_gateway("backlog_rows"), "$tag_site", lang),
        _curve("quarantined", queries.of_gateway("quarantined_messages"), "$tag_site", lang),
    ]
    return dashboard(UID, say("delivery", lang), lang, panels, [sites_variable(lang)], [])


def table(lang: Lang) -> Json:
    """A row a node: the four figures of its ledger."""
    fields = ("measured_rows", "stored_rows", "backlog_rows", "missing_rows", "lost_rows")
    targets = [target("A", queries.health_now(*fields), table=True)]
    made = panel(
        "table",
        say("delivery", lang),
        targets,
        quantity="rows",
        lang=lang,
        help_text=say("delivery_help", lang),
        width=16,
        height=10,
    )
    made["fieldConfig"]["defaults"]["decimals"] = decimals("rows")
    made["fieldConfig"]["overrides"] = [
        HIDDEN_TIME,
        column("site", say("kahriz", lang)),
        column("node", say("node", lang)),
        column("measured_rows", say("measured", lang)),
        column("stored_rows", say("stored", lang)),
        column("backlog_rows", say("backlog", lang)),
        coloured_column("missing_rows", say("missing", lang), MISSING_ROWS),
        coloured_column("lost_rows", say("lost_rows", lang), LOST_ROWS),
    ]
    return made


def unaccounted(lang: Lang) -> Json:
    """Stored rows are counted, not worked out: this is zero, or somebody has to look."""
    targets = [target("A", queries.unaccounted(), ALIAS)]
    made = panel(
        "stat",
        say("unaccounted", lang),
        targets,
        quantity="rows",
        lang=lang,
        help_text=say("unaccounted_help", lang),
        width=8,
        height=10,
    )
    return coloured(newest(made), UNACCOUNTED_ROWS)


def _curve(title: str, query: str, alias: str, lang: Lang) -> Json:
    targets = [target("A", query, alias)]
    made = lines(panel("timeseries", say(title, lang), targets, quantity="rows", lang=lang))
    return made | {"maxDataPoints": FEW_POINTS}
