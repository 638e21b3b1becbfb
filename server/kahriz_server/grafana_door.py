# SPDX-License-Identifier: MIT
"""Queries through a Grafana, as its panels and alert rules send them: POST /api/ds/query.

Grafana's page replaces the variables and does so here no less; time filter and interval are left
to its data source. Its frames become the series that InfluxDB would give.
"""

from __future__ import annotations

from typing import Any

from kahriz_server.panelcheck import Question
from kahriz_server.setup.ask import Door, SetupError

Json = dict[str, Any]
WANTED = "a service account's token with the role Editor; look at --grafana-token-file"


def door(url: str, token: str) -> Door:
    """A Grafana under a service account's token."""
    return Door(url, token, scheme="Bearer", wanted=WANTED)


class ThroughGrafana:
    """One data source of a Grafana."""

    def __init__(self, grafana: Door, source: Json) -> None:
        self._grafana, self._source = grafana, source

    def answer(self, asked: Question) -> tuple[list[Json], str]:
        """Series, and what was wrong; SetupError where no Grafana answers at all."""
        query = {
            "refId": "A",
            "datasource": self._source,
            "query": asked.expanded(macros=False),
            "rawQuery": True,
            "resultFormat": "table" if asked.table else "time_series",
            "intervalMs": asked.step_ms,
            "maxDataPoints": asked.points,
        }
        result = self._post([query], asked.t0_ms, asked.t1_ms).get("A", {})
        if result.get("error"):
            return [], str(result["error"])
        return [series_of(frame) for frame in result.get("frames", [])], ""

    def firing(self, rule: Json, now_ms: int) -> list[dict[str, str]] | str:
        """Labels for which a rule fires now, by Grafana's own expressions; or its noDataState."""
        t0_ms = now_ms - rule["data"][0]["relativeTimeRange"]["from"] * 1000
        queries = [_of_rule(each, self._source) for each in rule["data"]]
        results = self._post(queries, t0_ms, now_ms)
        for ref, result in results.items():
            if result.get("error"):
                raise ValueError(f"{ref}: {result['error']}")
        if not results.get("A", {}).get("frames"):
            state: str = rule["noDataState"]
            return state
        made = [series_of(frame) for frame in results[rule["condition"]].get("frames", [])]
        return [each["tags"] for each in made if each["values"] and each["values"][-1][-1]]

    def _post(self, queries: list[Json], t0_ms: int, t1_ms: int) -> dict[str, Json]:
        body = {"queries": queries, "from": str(t0_ms), "to": str(t1_ms)}
        answer = self._grafana.post("/api/ds/query", body)
        results = answer.get("results")
        if not isinstance(results, dict):
            raise SetupError(f"{self._grafana.url}/api/ds/query gives no results: is it a Grafana?")
        return results


def _of_rule(each: Json, source: Json) -> Json:
    if each["datasourceUid"] == "__expr__":
        return {**each["model"], "datasource": {"type": "__expr__", "uid": "__expr__"}}
    return {**each["model"], "datasource": source, "intervalMs": 60_000, "maxDataPoints": 43_200}


def series_of(frame: Json) -> Json:
    """A frame's fields as columns. What SHOW TAG VALUES gives has no key any more: it gets one."""
    fields = frame["schema"]["fields"]
    values = frame.get("data", {}).get("values", [])
    names = [str(field["name"]) for field in fields]
    rows = [list(row) for row in zip(*values, strict=True)]
    if len(fields) == 1 and fields[0].get("type") == "string":
        return {"columns": ["key", "value"], "values": [["", *row] for row in rows], "tags": {}}
    labels: Json = next((field["labels"] for field in fields if field.get("labels")), {})
    columns = ["time" if name == "Time" else name for name in names]
    return {"columns": columns, "values": rows, "tags": labels}
