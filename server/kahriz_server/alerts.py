# SPDX-License-Identifier: MIT
"""Grafana's alert rules as one provisioning file: the second path, beside the village's own alarms.

A leak is found and told by the gateway; the rule on `alarm` only repeats it for the office and is
labelled so. The dead-man is Grafana's own: a gateway that has fallen silent cannot tell of itself.
"""

import json
from collections.abc import Sequence
from typing import Any

from kahriz_server import queries
from kahriz_server.dashboards import runbook
from kahriz_server.dashboards.common import SOURCE_UID
from kahriz_server.texts import LANGS, TEXTS
from kahriz_server.thresholds import DEAD_MAN_HOURS, HISTORY_DAYS

Json = dict[str, Any]
DAY_S = 86_400
FOLDER = "Kahriz"
FILE = "kahriz.json"


def rules() -> list[Json]:
    """Both rules, with what no data means for each, on purpose."""
    return [
        _rule(
            "kahriz-dead-man",
            "gateway",
            queries.dead_man(DEAD_MAN_HOURS),
            7 * DAY_S,
            ("lt", 0.01),
            no_data="Alerting",  # no gateway at all has spoken in a week: worse, not better
            labels={"severity": "critical", "path": "grafana"},
        ),
        _rule(
            "kahriz-leak",
            "leak",
            queries.leaks_open(),
            HISTORY_DAYS * DAY_S,
            ("gt", 0.5),
            no_data="OK",  # no leak was ever raised; that a gateway is silent the dead-man says
            labels={"severity": "critical", "path": "second"},
        ),
    ]


def render() -> str:
    """The text of the provisioning file."""
    group = {"orgId": 1, "name": "kahriz", "folder": FOLDER, "interval": "5m", "rules": rules()}
    return json.dumps({"apiVersion": 1, "groups": [group]}, ensure_ascii=False, indent=1) + "\n"


def _rule(
    uid: str,
    kind: str,
    query: str,
    span_s: int,
    limit: tuple[str, float],
    *,
    no_data: str,
    labels: Json,
) -> Json:
    title = TEXTS[f"alert_{kind}"]
    words = {f"summary_{lang}": f"{title.of(lang)}: {{{{ $labels.site }}}}" for lang in LANGS}
    do = {f"runbook_{lang}": runbook.link(lang, kind) for lang in LANGS}
    return {
        "uid": uid,
        "title": " / ".join(title.of(lang) for lang in LANGS),
        "condition": "C",
        "data": [
            {
                "refId": "A",
                "relativeTimeRange": {"from": span_s, "to": 0},
                "datasourceUid": SOURCE_UID,
                "model": {
                    "refId": "A",
                    "query": query,
                    "rawQuery": True,
                    "resultFormat": "time_series",
                },
            },
            _expression("B", {"type": "reduce", "expression": "A", "reducer": "last"}),
            _expression(
                "C",
                {
                    "type": "threshold",
                    "expression": "B",
                    "conditions": [{"evaluator": {"type": limit[0], "params": [limit[1]]}}],
                },
            ),
        ],
        "noDataState": no_data,
        "execErrState": "Alerting",  # a database that does not answer hides everything
        "for": "0s",
        "annotations": {**words, **do, "runbook_url": runbook.link("en", kind)},
        "labels": {"kahriz": kind, **labels},
    }


def _expression(ref: str, model: Json) -> Json:
    return {
        "refId": ref,
        "relativeTimeRange": {"from": 0, "to": 0},
        "datasourceUid": "__expr__",
        "model": {"refId": ref, **model},
    }


def reduced(values: Sequence[float | None], reducer: str) -> float | None:
    """What Grafana's reduce makes of a series; ours, after its documentation."""
    if reducer != "last":
        raise ValueError(f"reducer {reducer!r} is not known here")
    return values[-1] if values else None


def fires(value: float | None, evaluator: Json) -> bool:
    """What Grafana's threshold says of a number."""
    (limit,) = evaluator["params"]
    if value is None:
        return False
    return bool({"gt": value > limit, "lt": value < limit}[evaluator["type"]])
