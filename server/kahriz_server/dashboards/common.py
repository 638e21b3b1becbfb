# SPDX-License-Identifier: MIT
"""Panels, targets and the frame of a dashboard as plain dictionaries (Grafana's v1 JSON)."""

from collections.abc import Sequence
from typing import Any

from kahriz_server import queries
from kahriz_server.texts import Lang, say
from kahriz_server.thresholds import Steps, steps
from kahriz_server.units import decimals, unit

Json = dict[str, Any]

SOURCE_UID = "kahriz-influx"
SOURCE: Json = {"type": "influxdb", "uid": SOURCE_UID}
WIDTH = 24  # columns of Grafana's grid
FEW_POINTS = 400  # of a line, where each node of all kahrizes has one
STEP = "5m"  # a node's usual dt_s: a shorter interval would draw holes
HOLE_MS = 2 * 3600 * 1000  # a line breaks where two hours have no number


def target(ref: str, query: str, alias: str = "", table: bool = False) -> Json:
    """One query of a panel."""
    made: Json = {
        "refId": ref,
        "datasource": SOURCE,
        "query": query,
        "rawQuery": True,
        "resultFormat": "table" if table else "time_series",
    }
    if alias:
        made["alias"] = alias
    return made


def panel(
    kind: str,
    title: str,
    targets: Sequence[Json],
    *,
    quantity: str,
    lang: Lang,
    help_text: str = "",
    width: int = 12,
    height: int = 8,
) -> Json:
    """A panel of one quantity; unit and decimals come from the table of fields."""
    return {
        "type": kind,
        "title": title,
        "description": help_text,
        "datasource": SOURCE,
        "interval": STEP,
        "maxDataPoints": 1500,
        "targets": list(targets),
        "gridPos": {"x": 0, "y": 0, "w": width, "h": height},
        "fieldConfig": {
            "defaults": {"unit": unit(quantity, lang), "decimals": decimals(quantity)},
            "overrides": [],
        },
        "options": {},
    }


def lines(made: Json) -> Json:
    """Draw it as lines that break where numbers are missing: silence must be seen."""
    made["fieldConfig"]["defaults"]["custom"] = {
        "drawStyle": "line",
        "lineWidth": 2,
        "fillOpacity": 0,
        "showPoints": "auto",
        "spanNulls": False,
        "insertNulls": HOLE_MS,
    }
    made["options"] = {
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
        "tooltip": {"mode": "multi", "sort": "none"},
    }
    return made


def bars(made: Json, stacked: bool = False) -> Json:
    """Draw whole numbers as bars, beside each other or on each other."""
    custom: Json = {"drawStyle": "bars", "fillOpacity": 60, "lineWidth": 1}
    if stacked:
        custom["stacking"] = {"mode": "normal", "group": "A"}
    made["fieldConfig"]["defaults"] |= {"decimals": 0, "custom": custom}
    return made


def coloured(made: Json, limits: Steps, mode: str = "value") -> Json:
    """Colour the number by the limits of kahriz_server.thresholds."""
    if made["type"] == "stat":
        made["options"]["colorMode"] = mode
    made["fieldConfig"]["defaults"]["thresholds"] = steps(limits)
    return made


def column(name: str, label: str, **properties: Any) -> Json:
    """A column of a table: its heading, and what else is said of it."""
    return override("byName", name, displayName=label, **properties)


def coloured_column(name: str, label: str, limits: Steps, **properties: Any) -> Json:
    """A column whose numbers are coloured."""
    cell = {"type": "color-text"}
    return column(name, label, thresholds=steps(limits), custom__cellOptions=cell, **properties)


def joined(made: Json, by: str) -> Json:
    """One row a value of this column, from all queries of a table."""
    made["transformations"] = [{"id": "joinByField", "options": {"byField": by, "mode": "outer"}}]
    return made


def newest(made: Json) -> Json:
    """Show the newest value of each series as a big number."""
    made["options"] = {
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
        "textMode": "value_and_name",
        "colorMode": "none",
        "graphMode": "none",
    }
    return made


def gauges(made: Json) -> Json:
    """Show the newest value of each series as a bar."""
    made["options"] = {
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
        "displayMode": "basic",
        "orientation": "horizontal",
        "showUnfilled": True,
    }
    return made


def override(match: str, pattern: str, **properties: Any) -> Json:
    """Other settings for the series whose name matches; `__` stands for a dot."""
    return {
        "matcher": {"id": match, "options": pattern},
        "properties": [
            {"id": name.replace("__", "."), "value": value} for name, value in properties.items()
        ],
    }


def variable(name: str, label: str, query: str, *, several: bool) -> Json:
    """A drop-down filled by a query; `several` adds "all" and allows more than one."""
    made: Json = {
        "name": name,
        "label": label,
        "type": "query",
        "datasource": SOURCE,
        "query": query,
        "definition": query,
        "refresh": 2,
        "sort": 1,
        "multi": several,
        "includeAll": several,
        "options": [],
        "current": {"selected": True, "text": ["All"], "value": ["$__all"]} if several else {},
    }
    if several:
        made["allValue"] = ".*"
    return made


def marks(name: str, query: str, colour: str) -> Json:
    """Marks on every chart; the place is the text. Old and new Grafana read different keys."""
    columns = {"textColumn": "place", "tagsColumn": "kind", "titleColumn": "", "timeEndColumn": ""}
    return {
        "name": name,
        "datasource": SOURCE,
        "enable": True,
        "hide": False,
        "iconColor": colour,
        "query": query,
        **columns,
        "target": {
            "refId": "Anno",
            "datasource": SOURCE,
            "fromAnnotations": True,
            "rawQuery": True,
            "query": query,
            **columns,
        },
    }


def dashboard(
    uid: str,
    title: str,
    lang: Lang,
    panels: Sequence[Json],
    variables: Sequence[Json],
    annotations: Sequence[Json],
) -> Json:
    """The frame around the panels, which flow from left to right, top to bottom."""
    x = y = row_height = 0
    for number, each in enumerate(panels, start=1):
        place = each["gridPos"]
        if x + place["w"] > WIDTH:
            x, y, row_height = 0, y + row_height, 0
        place["x"], place["y"] = x, y
        x += place["w"]
        row_height = max(row_height, place["h"])
        each["id"] = number
    return {
        "uid": f"{uid}-{lang}",
        "title": title,
        "tags": ["kahriz", lang],
        "schemaVersion": 39,
        "version": 1,
        "editable": False,
        "graphTooltip": 1,
        "refresh": "1m",
        "time": {"from": "now-7d", "to": "now"},
        "timezone": "browser",
        "templating": {"list": list(variables)},
        "annotations": {"list": list(annotations)},
        "panels": list(panels),
        "links": [
            {"type": "dashboards", "title": say("kahriz", lang), "tags": ["kahriz", lang]},
        ],
    }


def sites_variable(lang: Lang) -> Json:
    """The kahrizes to look at; all of them unless some are chosen."""
    return variable("site", say("kahriz", lang), queries.sites(), several=True)


# Grafana 10 to 12 read `hidden` of a table, 13 and the map read `hideFrom`.
_NOWHERE = {"viz": True, "tooltip": True, "legend": True}
_TIMES = "/^Time( .+)?$/"
HIDDEN_TIME = override("byRegexp", _TIMES, custom__hidden=True, custom__hideFrom=_NOWHERE)
TIME_OFF_THE_MAP = override("byRegexp", _TIMES, custom__hideFrom=_NOWHERE)
