# SPDX-License-Identifier: MIT
"""Runs every query of a dashboard (panels, variables, marks) on a real database and counts.

results = expand_and_run(dashboard, "http://127.0.0.1:8086", ("kahriz", "…"), t0, t1, {})
assert not empty_panels(results)
"""

import json
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from kahriz_server.alerts import fires, reduced
from kahriz_server.expand import Choice, expand, interval_ms, left_over
from kahriz_server.influxql import Auth, QueryDoor

Json = dict[str, Any]
POINTS = 1500  # of a panel that says nothing else


@dataclass(frozen=True)
class PanelResult:
    """What one query gave. `error` is empty when the database accepted it.

    `empty_columns` are columns without one value among others that have some.
    """

    kind: Literal["panel", "variable", "annotation"]
    title: str
    ref: str
    query: str
    series: int
    non_null: int
    names: tuple[str, ...]
    seconds: float
    error: str = ""
    empty_columns: tuple[str, ...] = ()


def expand_and_run(
    dashboard: Json | str,
    query_url: str,
    auth: Auth,
    t0_ms: int,
    t1_ms: int,
    variables: Mapping[str, Choice] | None = None,
    database: str = "kahriz",
) -> list[PanelResult]:
    """Expand and run everything in a dashboard; variables not given are chosen as Grafana does."""
    board: Json = json.loads(dashboard) if isinstance(dashboard, str) else dashboard
    door = Straight(QueryDoor(query_url, auth, database))
    return run_board(board, door, t0_ms, t1_ms, variables)


@dataclass(frozen=True)
class Question:
    """A query as it stands in a dashboard, and what a panel hands on beside it."""

    raw: str
    t0_ms: int
    t1_ms: int
    step_ms: int
    points: int
    table: bool
    variables: Mapping[str, Choice]

    def expanded(self, macros: bool = True) -> str:
        return expand(self.raw, self.t0_ms, self.t1_ms, self.step_ms, self.variables, macros)


class Asks(Protocol):
    """Who answers: a database, or a Grafana before it. Series, and what was wrong."""

    def answer(self, asked: Question) -> tuple[list[Json], str]: ...


class Straight:
    """The database itself; macros and variables are replaced here, as Grafana would."""

    def __init__(self, door: QueryDoor) -> None:
        self._door = door

    def answer(self, asked: Question) -> tuple[list[Json], str]:
        return self._door.ask(asked.expanded())


def run_board(
    board: Json, door: Asks, t0_ms: int, t1_ms: int, variables: Mapping[str, Choice] | None = None
) -> list[PanelResult]:
    """Everything of a dashboard through a door."""
    chosen: dict[str, Choice] = dict(variables or {})
    results = []
    for each in board["templating"]["list"]:
        asked = Question(each["query"], t0_ms, t1_ms, 60_000, POINTS, True, chosen)
        result = _run(door, "variable", each["name"], "", asked)
        results.append(result)
        if each["name"] not in chosen:
            chosen[each["name"]] = _first_choice(each, result.names)
    for kind, title, ref, raw, step_ms, points, table in _queries(board, t0_ms, t1_ms):
        asked = Question(raw, t0_ms, t1_ms, step_ms, points, table, chosen)
        results.append(_run(door, kind, title, ref, asked))
    return results


def firing(
    rule: Json, query_url: str, auth: Auth, now_ms: int, database: str = "kahriz"
) -> list[dict[str, str]] | str:
    """Labels of the series for which an alert rule fires now; its noDataState when there is none.

    Query, reduce, threshold as Grafana's documentation defines them; this evaluator is ours.
    """
    asked, reduce, threshold = (each["model"] for each in rule["data"])
    t0_ms = now_ms - rule["data"][0]["relativeTimeRange"]["from"] * 1000
    query = expand(asked["query"], t0_ms, now_ms, 60_000, {})
    if left_over(query):
        raise ValueError(f"not replaced: {' '.join(left_over(query))}")
    series, error = QueryDoor(query_url, auth, database).ask(query)
    if error:
        raise ValueError(error)
    if not series:
        state: str = rule["noDataState"]
        return state
    evaluator = threshold["conditions"][0]["evaluator"]
    return [
        each.get("tags", {})
        for each in series
        if fires(reduced([row[1] for row in each["values"]], reduce["reducer"]), evaluator)
    ]


def empty_panels(results: Iterable[PanelResult]) -> list[str]:
    """Panels, variables and marks that show nothing at all."""
    shown: dict[str, int] = {}
    for each in results:
        title = f"{each.kind} {each.title}"
        shown[title] = shown.get(title, 0) + each.non_null
    return [title for title, count in shown.items() if not count]


def empty_queries(results: Iterable[PanelResult]) -> list[str]:
    """Queries, or columns of them, without one value: a misspelt field is among these."""
    return [
        f"{each.kind} {each.title} {each.ref}: {each.error or each.empty_columns or each.query}"
        for each in results
        if not each.non_null or each.empty_columns
    ]


def _first_choice(variable: Json, names: Sequence[str]) -> Choice:
    if variable.get("includeAll"):
        return [variable["allValue"]]
    return names[0] if names else ""


def _queries(
    board: Json, t0_ms: int, t1_ms: int
) -> Iterator[tuple[Literal["panel", "annotation"], str, str, str, int, int, bool]]:
    for panel in board["panels"]:
        if panel["type"] == "text":
            continue
        points = panel.get("maxDataPoints", POINTS)
        step_ms = interval_ms(t0_ms, t1_ms, points, panel.get("interval", "1s"))
        for target in panel["targets"]:
            table = target["resultFormat"] == "table"
            yield "panel", panel["title"], target["refId"], target["query"], step_ms, points, table
    for mark in board["annotations"]["list"]:
        step_ms = interval_ms(t0_ms, t1_ms)
        yield "annotation", mark["name"], "", mark["target"]["query"], step_ms, POINTS, True


def _run(
    door: Asks,
    kind: Literal["panel", "variable", "annotation"],
    title: str,
    ref: str,
    asked: Question,
) -> PanelResult:
    """Ask, and count what came."""
    query = asked.expanded()
    left = left_over(query)
    if left:
        error = f"not replaced: {' '.join(left)}"
        return PanelResult(kind, title, ref, query, 0, 0, (), 0.0, error)
    start_s = time.monotonic()
    series, error = door.answer(asked)
    filled: dict[str, int] = {}
    names = []
    for each in series:
        columns = each["columns"]
        for row in each.get("values", []):
            for column, cell in zip(columns, row, strict=True):
                filled[column] = filled.get(column, 0) + (cell is not None)
            if columns == ["key", "value"]:
                names.append(row[1])
    filled.pop("time", None)
    return PanelResult(
        kind,
        title,
        ref,
        query,
        series=len(series),
        non_null=sum(filled.values()),
        names=tuple(names),
        seconds=time.monotonic() - start_s,
        error=error,
        empty_columns=tuple(column for column, count in filled.items() if not count),
    )
