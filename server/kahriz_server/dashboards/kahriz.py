# SPDX-License-Identifier: MIT
"""One kahriz on one page: what flows, what is lost, what is stored, who is silent, what rings."""

from collections.abc import Sequence
from typing import NamedTuple

from kahriz_server import queries
from kahriz_server.dashboards import turns
from kahriz_server.dashboards.common import (
    Json,
    bars,
    coloured,
    dashboard,
    lines,
    marks,
    newest,
    override,
    panel,
    target,
    variable,
)
from kahriz_server.texts import TEXTS, Lang, say
from kahriz_server.thresholds import MISSING_ROWS
from kahriz_server.units import unit

UID = "kahriz"


class Reach(NamedTuple):
    """A stretch of channel between two weirs."""

    name: str
    upper: str
    lower: str


# What both demo sites have; another kahriz names its own with `--reach`.
REACHES = (Reach("upper", "outlet", "middle"), Reach("lower", "middle", "inlet"))


def build(lang: Lang, reaches: Sequence[Reach] = REACHES) -> Json:
    """The dashboard in one language."""
    return dashboard(
        UID,
        say("kahriz", lang),
        lang,
        panels=[
            discharge_now(lang),
            discharge(lang),
            loss(lang, reaches),
            stage(lang),
            level(lang),
            volume(lang),
            per_day(lang),
            turns.per_day(lang),
            turns.latest(lang),
            alarms(lang),
            last_word(lang),
            missing(lang),
            battery(lang),
            signal(lang),
            temperature(lang),
            conductivity(lang),
            quality(lang),
        ],
        variables=[
            variable("site", say("kahriz", lang), queries.sites(), several=False),
            variable("point", say("point", lang), queries.points(), several=True),
        ],
        annotations=[marks(say("leak", lang), queries.alarm_marks("leak"), "red")],
    )


def discharge_now(lang: Lang) -> Json:
    targets = [
        target("A", queries.latest("discharge_lps"), "$tag_point"),
        target("B", queries.latest("flow_lps"), "$tag_point"),
    ]
    return newest(
        panel("stat", say("discharge_now", lang), targets, quantity="discharge_lps", lang=lang)
        | {"gridPos": {"x": 0, "y": 0, "w": 24, "h": 4}}
    )


def discharge(lang: Lang) -> Json:
    targets = [
        target("A", queries.series("discharge_lps"), "$tag_point"),
        target("B", queries.band("-"), "$tag_point −U"),
        target("C", queries.band("+"), "$tag_point +U"),
        target("D", queries.series("discharge_lt_lps", "max"), "$tag_point <"),
        target("E", queries.series("discharge_gt_lps", "max"), "$tag_point >"),
        target("F", queries.series("flow_lps"), "$tag_point"),
    ]
    made = lines(
        panel(
            "timeseries",
            say("discharge", lang),
            targets,
            quantity="discharge_lps",
            lang=lang,
            help_text=say("discharge_help", lang),
            width=24,
            height=10,
        )
    )
    thin = {"legend": True, "tooltip": False, "viz": False}
    made["fieldConfig"]["overrides"] = [
        override("byRegexp", "/ [−+]U$/", custom__lineWidth=0.5, custom__hideFrom=thin),
        override(
            "byRegexp", "/ [<>]$/", custom__drawStyle="points", custom__pointSize=5, color=_RED
        ),
    ]
    return made


_RED = {"mode": "fixed", "fixedColor": "red"}


def loss(lang: Lang, reaches: Sequence[Reach]) -> Json:
    targets = [
        target(chr(ord("A") + i), queries.loss(reach.upper, reach.lower), _reach(reach.name, lang))
        for i, reach in enumerate(reaches)
    ]
    return lines(
        panel(
            "timeseries",
            say("loss", lang),
            targets,
            quantity="discharge_lps",
            lang=lang,
            help_text=say("loss_help", lang),
        )
    )


def stage(lang: Lang) -> Json:
    return _curve("stage", "stage_m", lang)


def level(lang: Lang) -> Json:
    return _curve("level", "level_m", lang)


def volume(lang: Lang) -> Json:
    return _curve("volume", "volume_m3", lang)


def temperature(lang: Lang) -> Json:
    return _curve("temperature", "c", lang)


def conductivity(lang: Lang) -> Json:
    return _curve("conductivity", "us_cm", lang)


def quality(lang: Lang) -> Json:
    """The QARTOD flag over time; what fails is seen here and nowhere else."""
    targets = [
        target("A", queries.flags("discharge_lps"), "$tag_point"),
        target("B", queries.flags("level_m"), "$tag_point"),
        target("C", queries.flags("flow_lps"), "$tag_point"),
    ]
    made = panel(
        "state-timeline",
        say("quality", lang),
        targets,
        quantity="flag",
        lang=lang,
        help_text=say("quality_help", lang),
    )
    words = {
        flag: {"text": say(key, lang), "color": colour}
        for flag, key, colour in (
            ("1", "flag_pass", "green"),
            ("2", "flag_unknown", "blue"),
            ("3", "flag_suspect", "orange"),
            ("4", "flag_fail", "red"),
            ("9", "flag_missing", "purple"),
        )
    }
    made["fieldConfig"]["defaults"]["mappings"] = [{"type": "value", "options": words}]
    return made


def per_day(lang: Lang) -> Json:
    targets = [
        target("A", queries.per_day_m3("discharge_lps"), "$tag_point"),
        target("B", queries.per_day_m3("flow_lps"), "$tag_point"),
    ]
    made = panel(
        "timeseries",
        say("per_day", lang),
        targets,
        quantity="volume_m3",
        lang=lang,
        help_text=say("per_day_help", lang),
    )
    return bars(made)


def battery(lang: Lang) -> Json:
    return _node_curve("battery", "battery_v", "v", lang)


def signal(lang: Lang) -> Json:
    return _node_curve("signal", "rssi_dbm", "rssi_dbm", lang)


def missing(lang: Lang) -> Json:
    """More than none is amber from the first one on: a missing reading is never normal."""
    targets = [target("A", queries.health("missing_rows"), "$tag_node")]
    made = newest(
        panel(
            "stat",
            say("missing", lang),
            targets,
            quantity="rows",
            lang=lang,
            help_text=say("missing_help", lang),
        )
    )
    return coloured(made, MISSING_ROWS)


def last_word(lang: Lang) -> Json:
    targets = [target("A", queries.health_now("battery_v"), table=True)]
    made = panel("table", say("last_word", lang), targets, quantity="v", lang=lang)
    made["fieldConfig"]["overrides"] = [
        override("byName", "Time", displayName=say("heard", lang), unit="dateTimeFromNow"),
        override("byName", "node", displayName=say("node", lang)),
        override("byName", "battery_v", displayName=say("battery", lang)),
    ]
    return made


def alarms(lang: Lang) -> Json:
    targets = [target("A", queries.alarms(), table=True)]
    made = panel("table", say("alarms", lang), targets, quantity="discharge_lps", lang=lang)
    words = {"1": {"text": say("yes", lang), "color": "red"}, "0": {"text": say("no", lang)}}
    made["fieldConfig"]["overrides"] = [
        override("byName", "Time", displayName=say("time", lang), unit="dateTimeAsLocal"),
        override("byName", "kind", displayName=say("kind", lang)),
        override("byName", "place", displayName=say("place", lang)),
        override(
            "byName",
            "active",
            displayName=say("open", lang),
            mappings=[{"type": "value", "options": words}],
        ),
        override("byName", "lps", displayName=say("lost_lps", lang)),
        override("byName", "m3", displayName=say("lost_m3", lang), unit=unit("volume_m3", lang)),
    ]
    return made


def _curve(title: str, quantity: str, lang: Lang) -> Json:
    targets = [target("A", queries.series(quantity), "$tag_point")]
    return lines(panel("timeseries", say(title, lang), targets, quantity=quantity, lang=lang))


def _node_curve(title: str, field: str, quantity: str, lang: Lang) -> Json:
    targets = [target("A", queries.health(field), "$tag_node")]
    return lines(panel("timeseries", say(title, lang), targets, quantity=quantity, lang=lang))


def _reach(name: str, lang: Lang) -> str:
    return say(name, lang) if name in TEXTS else name
