# SPDX-License-Identifier: MIT
"""Alarms of all kahrizes: what is open, what it costs, how long a repair takes."""

from kahriz_alarms.messages import KINDS, translate
from kahriz_server import queries
from kahriz_server.dashboards import runbook
from kahriz_server.dashboards.common import (
    HIDDEN_TIME,
    Json,
    coloured,
    coloured_column,
    column,
    dashboard,
    gauges,
    newest,
    panel,
    sites_variable,
    target,
)
from kahriz_server.texts import Lang, say
from kahriz_server.thresholds import OPEN_ALARMS, REPAIR_S
from kahriz_server.units import decimals, unit

UID = "kahriz-alarms"


def build(lang: Lang) -> Json:
    """The dashboard in one language."""
    panels = [open_now(lang), every(lang), repair(lang), lost(lang)]
    return dashboard(UID, say("alarms", lang), lang, panels, [sites_variable(lang)], [])


def open_now(lang: Lang) -> Json:
    targets = [target("A", queries.open_alarms("kind"), "$tag_kind")]
    made = panel(
        "stat", say("open_alarms", lang), targets, quantity="alarms", lang=lang, width=24, height=5
    )
    return coloured(newest(made), OPEN_ALARMS)


def every(lang: Lang) -> Json:
    """A row an alarm; its kind leads to what is to be done."""
    targets = [target("A", queries.alarm_list(), table=True)]
    made = panel(
        "table",
        say("alarms", lang),
        targets,
        quantity="discharge_lps",
        lang=lang,
        help_text=say("alarms_help", lang),
        width=24,
        height=12,
    )
    states = {"1": {"text": say("yes", lang), "color": "red"}, "0": {"text": say("no", lang)}}
    names = {kind: {"text": translate(text, lang)} for kind, text in KINDS.items()}
    link = {"title": say("runbook", lang), "url": runbook.link(lang)}
    made["fieldConfig"]["overrides"] = [
        HIDDEN_TIME,
        column("site", say("kahriz", lang)),
        column(
            "kind",
            say("kind", lang),
            mappings=[{"type": "value", "options": names}],
            links=[link],
        ),
        column("place", say("place", lang)),
        column("alarm", say("number", lang)),
        column("active", say("open", lang), mappings=[{"type": "value", "options": states}]),
        column("raised_ms", say("raised", lang), unit="dateTimeAsLocal"),
        column("lps", say("lost_lps", lang)),
        column("m3", say("lost_m3", lang), unit=unit("volume_m3", lang)),
        column("open_s", say("open_for", lang), unit=unit("span_s", lang), decimals=1),
        coloured_column(
            "repair_s",
            say("repair_time", lang),
            REPAIR_S,
            unit=unit("span_s", lang),
            decimals=decimals("span_s"),
        ),
    ]
    return made


def repair(lang: Lang) -> Json:
    """Until somebody said that it is mended; what nobody has mended yet is not in the mean."""
    targets = [target("A", queries.mean_repair(), "$tag_kind")]
    made = panel(
        "bargauge",
        say("repair_time", lang),
        targets,
        quantity="span_s",
        lang=lang,
        help_text=say("repair_help", lang),
    )
    return coloured(gauges(made), REPAIR_S)


def lost(lang: Lang) -> Json:
    targets = [target("A", queries.water_lost(), "$tag_site")]
    made = panel("bargauge", say("lost_m3", lang), targets, quantity="volume_m3", lang=lang)
    return gauges(made)
