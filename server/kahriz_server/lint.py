# SPDX-License-Identifier: MIT
"""Rules every dashboard keeps, each with the reason in its message."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from kahriz_server.dashboards.common import SOURCE_UID, WIDTH
from kahriz_server.expand import expand, left_over
from kahriz_server.queries import FAIL
from kahriz_server.texts import LANGS, TEXTS, UNIT_TEXTS

Json = dict[str, Any]

_FROM_TURN = re.compile(r'FROM\s+"?turn"?(?=\W)', re.IGNORECASE)
_FROM_WATER = re.compile(r'FROM\s+"?water"?(?=\W)', re.IGNORECASE)
_ROW_FLAG = re.compile(rf'"q"\s*<\s*{FAIL}\b')
_OWN_FLAG = re.compile(rf'"(\w+)_q"\s*<\s*{FAIL}\b')
_POLICY = re.compile(r'FROM\s+("[^"]*"|\w+)\s*\.', re.IGNORECASE)
_FLAGS_ALONE = re.compile(r'^SELECT \w+\("\w+_q"\) FROM "water" ')
_ONLY_READS = re.compile(r"^(SELECT|SHOW)\b")
_INTO = re.compile(r"\bINTO\b|;", re.IGNORECASE)


def lint_query(query: str) -> Iterator[str]:
    """Complaints about one InfluxQL query."""
    if not _ONLY_READS.match(query) or _INTO.search(query):
        yield "only one SELECT or SHOW may stand here"
    if _POLICY.search(query):
        yield "names a retention policy or database: InfluxDB 2 does not honour it"
    if query.startswith("SELECT"):
        reads = 0 if _FLAGS_ALONE.match(query) else len(_FROM_WATER.findall(query))
        if len(_ROW_FLAG.findall(query)) < reads:
            yield f'reads `water` without "q" < {FAIL}: failed numbers would be shown'
        if len(_OWN_FLAG.findall(query)) < reads:
            yield f'reads `water` without "<quantity>_q" < {FAIL}: withdrawn numbers would be shown'
        if len(_ROW_FLAG.findall(query)) < len(_FROM_TURN.findall(query)):
            yield f'reads `turn` without "q" < {FAIL}: withdrawn turns would be counted'
        if "$timeFilter" not in query and "${__to}" not in query:
            yield "has no $timeFilter and no ${__to}: it would read all years"


def lint_board(board: Json) -> Iterator[str]:
    """Complaints about one dashboard, each with the place."""
    names = {each["name"]: "x" for each in board["templating"]["list"]}
    taken: set[tuple[int, int]] = set()
    if not board.get("uid"):
        yield f"{board['title']}: no fixed uid, links to it would break"
    for panel in board["panels"]:
        where = f"{board['uid']}: {panel['title'] or '(no title)'}"
        if not panel["title"]:
            yield f"{where}: no title"
        if panel["type"] != "text" and "unit" not in panel["fieldConfig"]["defaults"]:
            yield f"{where}: no unit"
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        if cells & taken or place["x"] + place["w"] > WIDTH:
            yield f"{where}: lies over another panel or outside the grid"
        taken |= cells
    for where, source, query in _sources(board):
        if source.get("uid") != SOURCE_UID:
            yield f"{where}: another data source than {SOURCE_UID}"
        for complaint in lint_query(query):
            yield f"{where}: {complaint}"
        left = left_over(expand(query, 0, 1, 1000, names))
        if left:
            yield f"{where}: nothing replaces {' '.join(left)}"


def lint_set(boards: Mapping[str, Json]) -> Iterator[str]:
    """Complaints about all dashboards together."""
    uids = [board["uid"] for board in boards.values()]
    for uid in sorted({uid for uid in uids if uids.count(uid) > 1}):
        yield f"{uid}: the uid of more than one dashboard"
    for board in boards.values():
        yield from lint_board(board)


def lint_texts() -> Iterator[str]:
    """Complaints about the words: empty in a language, or only copied from the English."""
    for key, text in {**TEXTS, **UNIT_TEXTS}.items():
        for lang in LANGS:
            if not text.of(lang).strip():
                yield f"text {key}: nothing in {lang}"
    for key, text in TEXTS.items():
        if len({text.of(lang) for lang in LANGS}) < len(LANGS):
            yield f"text {key}: the same in two languages, not translated"


def _sources(board: Json) -> Iterator[tuple[str, Json, str]]:
    for each in board["templating"]["list"]:
        yield f"{board['uid']}: variable {each['name']}", each["datasource"], each["query"]
    for each in board["annotations"]["list"]:
        yield f"{board['uid']}: marks {each['name']}", each["datasource"], each["target"]["query"]
    for panel in board["panels"]:
        for target in panel["targets"]:
            where = f"{board['uid']}: {panel['title']} {target['refId']}"
            yield where, target["datasource"], target["query"]
