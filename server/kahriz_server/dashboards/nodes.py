# SPDX-License-Identifier: MIT
"""Health of the nodes: battery, signal, starts, memory, what they still hold, who is silent."""

from kahriz_server import queries
from kahriz_server.dashboards.common import (
    FEW_POINTS,
    HIDDEN_TIME,
    Json,
    coloured,
    coloured_column,
    column,
    dashboard,
    gauges,
    lines,
    panel,
    sites_variable,
    target,
)
from kahriz_server.texts import Lang, say
from kahriz_server.thresholds import BATTERY_V, LOST_ROWS, MISSING_ROWS, RSSI_DBM
from kahriz_server.units import decimals, unit

UID = "kahriz-nodes"
ALIAS = "$tag_site $tag_node"


def build(lang: Lang) -> Json:
    """The dashboard in one language."""
    panels = [
        table(lang),
        heard(lang),
        _curve("battery", "battery_v", "v", lang),
        _curve("signal", "rssi_dbm", "rssi_dbm", lang),
        starts(lang),
        _curve("backlog", "backlog_rows", "rows", lang),
        _curve("missing", "missing_rows", "rows", lang),
        _curve("heap", "heap", "heap", lang),
    ]
    return dashboard(UID, say("nodes", lang), lang, panels, [sites_variable(lang)], [])


def table(lang: Lang) -> Json:
    """A row a node, its newest figures."""
    fields = ("battery_v", "rssi_dbm", "backlog_rows", "missing_rows", "boot")
    targets = [target("A", queries.health_now(*fields), table=True)]
    made = panel("table", say("nodes", lang), targets, quantity="rows", lang=lang, width=14)
    made["fieldConfig"]["overrides"] = [
        HIDDEN_TIME,
        column("site", say("kahriz", lang)),
        column("node", say("node", lang)),
        coloured_column(
            "battery_v", say("battery", lang), BATTERY_V, unit=unit("v", lang), decimals=2
        ),
        coloured_column("rssi_dbm", say("signal", lang), RSSI_DBM, unit=unit("rssi_dbm", lang)),
        column("backlog_rows", say("backlog", lang), decimals=decimals("rows")),
        coloured_column("missing_rows", say("missing", lang), MISSING_ROWS),
        column("boot", say("starts", lang), decimals=decimals("starts")),
    ]
    return made


def heard(lang: Lang) -> Json:
    """When each node last spoke, also one that has been silent since before the span."""
    targets = [target("A", queries.health_now("battery_v"), table=True)]
    made = panel("table", say("last_word", lang), targets, quantity="v", lang=lang, width=10)
    made["fieldConfig"]["overrides"] = [
        column("Time", say("heard", lang), unit="dateTimeFromNow"),
        column("site", say("kahriz", lang)),
        column("node", say("node", lang)),
        column("battery_v", say("battery", lang)),
    ]
    return made


def starts(lang: Lang) -> Json:
    """A node that starts again and again has a weak battery, or its watchdog saved it."""
    targets = [target("A", queries.starts(), ALIAS)]
    made = panel("bargauge", say("starts_in_span", lang), targets, quantity="starts", lang=lang)
    return coloured(gauges(made), LOST_ROWS)


def _curve(title: str, field: str, quantity: str, lang: Lang) -> Json:
    targets = [target("A", queries.health(field), ALIAS)]
    made = lines(panel("timeseries", say(title, lang), targets, quantity=quantity, lang=lang))
    return made | {"maxDataPoints": FEW_POINTS}
