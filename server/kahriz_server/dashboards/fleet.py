# SPDX-License-Identifier: MIT
"""All kahrizes on one page: what flows, how it changed, what rings, who is silent, where it is."""

from kahriz_server import queries
from kahriz_server.dashboards.common import (
    HIDDEN_TIME,
    TIME_OFF_THE_MAP,
    Json,
    coloured,
    coloured_column,
    column,
    dashboard,
    gauges,
    joined,
    newest,
    panel,
    sites_variable,
    target,
)
from kahriz_server.texts import Lang, say
from kahriz_server.thresholds import CHANGE_PCT, OPEN_ALARMS, steps
from kahriz_server.units import decimals, unit

UID = "kahriz-fleet"
_PLACE = {"latitude": "latitude_deg", "longitude": "longitude_deg"}


def build(lang: Lang) -> Json:
    """The dashboard in one language."""
    panels = [table(lang), where(lang), open_now(lang), lost(lang)]
    return dashboard(UID, say("fleet", lang), lang, panels, [sites_variable(lang)], [])


def _per_site() -> list[Json]:
    return [
        target("A", queries.flow_of_sites(), table=True),
        target("B", queries.change_of_sites(), table=True),
        target("C", queries.open_alarms("site"), table=True),
    ]


def table(lang: Lang) -> Json:
    """A row a kahriz. An alarm and a silence stay however narrow the span; flow is of the span."""
    targets = [
        *_per_site(),
        target("D", queries.of_gateway_now(heard="heard_ms"), table=True),
    ]
    made = panel(
        "table",
        say("fleet", lang),
        targets,
        quantity="discharge_lps",
        lang=lang,
        help_text=say("fleet_help", lang),
        width=14,
        height=12,
    )
    link = {"title": say("kahriz", lang), "url": _of_site(lang)}
    made["fieldConfig"]["overrides"] = [
        HIDDEN_TIME,
        TIME_OFF_THE_MAP,
        column("site", say("kahriz", lang), links=[link]),
        column("flow", say("discharge_now", lang)),
        coloured_column("change", say("change", lang), CHANGE_PCT, unit=unit("change_pct", lang)),
        coloured_column(
            "open", say("open_alarms", lang), OPEN_ALARMS, unit=unit("alarms", lang), decimals=0
        ),
        column("heard", say("heard", lang), unit="dateTimeFromNow"),
    ]
    return joined(made, "site")


def where(lang: Lang) -> Json:
    """The map; a kahriz whose plan has no latitude_deg and longitude_deg is not on it."""
    targets = [*_per_site(), target("D", queries.of_gateway_now(**_PLACE), table=True)]
    made = panel(
        "geomap",
        say("map", lang),
        targets,
        quantity="discharge_lps",
        lang=lang,
        help_text=say("map_help", lang),
        width=10,
        height=12,
    )
    made["fieldConfig"]["overrides"] = [
        TIME_OFF_THE_MAP,
        column("site", say("kahriz", lang)),
        column("flow", say("discharge_now", lang)),
        column("change", say("change", lang), unit=unit("change_pct", lang)),
        column(
            "open",
            say("open_alarms", lang),
            unit=unit("alarms", lang),
            decimals=decimals("alarms"),
            thresholds=steps(OPEN_ALARMS),
        ),
    ]
    made["options"] = {
        "view": {"id": "fit", "allLayers": True, "lat": 40.3, "lon": 47.5, "zoom": 7},
        "basemap": {"type": "default", "name": "basemap"},
        "layers": [
            {
                "type": "markers",
                "name": say("kahriz", lang),
                "tooltip": True,
                "location": {"mode": "coords", **_PLACE_FIELDS},
                "config": {
                    "showLegend": False,
                    "style": {
                        "color": {"field": "open", "fixed": "dark-green"},
                        "size": {"field": "flow", "fixed": 8, "min": 6, "max": 18},
                        "text": {"mode": "field", "field": "site", "fixed": ""},
                        "symbol": {"mode": "fixed", "fixed": "img/icons/marker/circle.svg"},
                    },
                },
            }
        ],
    }
    return joined(made, "site")


_PLACE_FIELDS = {"latitude": "latitude", "longitude": "longitude"}


def open_now(lang: Lang) -> Json:
    targets = [target("A", queries.open_alarms("kind"), "$tag_kind")]
    made = panel("stat", say("open_alarms", lang), targets, quantity="alarms", lang=lang)
    return coloured(newest(made), OPEN_ALARMS)


def lost(lang: Lang) -> Json:
    targets = [target("A", queries.water_lost(), "$tag_site")]
    made = panel("bargauge", say("lost_m3", lang), targets, quantity="volume_m3", lang=lang)
    return gauges(made)


def _of_site(lang: Lang) -> str:
    return f"/d/kahriz-{lang}?var-site=${{__value.raw}}&${{__url_time_range}}"
