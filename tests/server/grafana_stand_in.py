# SPDX-License-Identifier: MIT
"""A Grafana as its sources and its API's documentation have it, before a real InfluxDB: strict.

It knows the calls that the check makes and no others. Of a query its data source replaces
$timeFilter, $interval, $__interval_ms and $__interval (pkg/tsdb/influxdb/models/query.go); what
Grafana's page would have replaced before is refused here.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from kahriz_server.influxql import QueryDoor

Json = dict[str, Any]
Answer = tuple[int, Any]
QUERY = {"refId", "datasource", "query", "rawQuery", "resultFormat", "intervalMs", "maxDataPoints"}
SOURCE = {"name", "uid", "type", "access", "url", "jsonData", "user", "secureJsonData"}
TOKEN = "glsa_of-a-service-account"


class RefusedError(Exception):
    """Grafana says no: status and message."""


class Grafana:
    """What it keeps and what it was asked."""

    def __init__(self) -> None:
        self.sources: dict[str, Json] = {}
        self.folders: dict[str, Json] = {}
        self.boards: dict[str, Json] = {}
        self.asked: list[tuple[str, str]] = []
        self.migrates = False  # hands back other queries than it was given

    def answer(self, method: str, path: str, body: Any) -> Answer:
        match method, path.removeprefix("/api/").split("/"):
            case "GET", ["health"]:
                return 200, {"database": "ok", "version": "stand-in"}
            case "POST", ["datasources"]:
                _keys(body, SOURCE, {"name", "type", "url", "access"})
                return self._new(self.sources, body["uid"], body, 409)
            case "DELETE", ["datasources", "uid", uid]:
                return self._gone(self.sources, uid)
            case "POST", ["folders"]:
                _keys(body, {"uid", "title"}, {"title"})
                return self._new(self.folders, body["uid"], body, 412)
            case "DELETE", ["folders", uid]:
                for name in [n for n, b in self.boards.items() if b["folderUid"] == uid]:
                    del self.boards[name]
                return self._gone(self.folders, uid)
            case "POST", ["dashboards", "db"]:
                return self._board(body)
            case "GET", ["dashboards", "uid", uid]:
                if uid not in self.boards:
                    return 404, {"message": "Dashboard not found"}
                return 200, {"meta": {}, "dashboard": self._kept(self.boards[uid]["dashboard"])}
            case "POST", ["ds", "query"]:
                return self._query(body)
        return 404, {"message": f"Not found: {method} {path}"}

    def _new(self, kept: dict[str, Json], uid: str, body: Json, taken: int) -> Answer:
        if uid in kept:
            return taken, {"message": f"{uid} is there already"}
        kept[uid] = body
        return 200, {"uid": uid, "message": "created"}

    def _gone(self, kept: dict[str, Json], uid: str) -> Answer:
        if kept.pop(uid, None) is None:
            return 404, {"message": f"{uid} not found"}
        return 200, {"message": "deleted"}

    def _board(self, body: Json) -> Answer:
        _keys(body, {"dashboard", "folderUid", "overwrite", "message"}, {"dashboard"})
        board = body["dashboard"]
        if board.get("id") is not None or len(board["uid"]) > 40:
            return 400, {"message": "id must be null, uid at most 40 characters"}
        if body["folderUid"] not in self.folders:
            return 400, {"message": "folder not found"}
        if board["uid"] in self.boards and not body.get("overwrite"):
            return 412, {"message": "A dashboard with the same uid already exists"}
        self.boards[board["uid"]] = body
        return 200, {"status": "success", "uid": board["uid"], "version": 1}

    def _kept(self, board: Json) -> Json:
        if not self.migrates:
            return board
        return json.loads(json.dumps(board).replace('\\"q\\" < 4', '\\"q\\" < 5'))  # type: ignore[no-any-return]

    def _query(self, body: Json) -> Answer:
        _keys(body, {"queries", "from", "to"}, {"queries", "from", "to"})
        if not (body["from"].isdecimal() and body["to"].isdecimal()):
            return 400, {"message": "from and to are milliseconds in a text"}
        results: dict[str, Json] = {}
        for query in body["queries"]:
            try:
                results[query["refId"]] = {
                    "status": 200,
                    "frames": self._frames(query, int(body["from"]), int(body["to"]), results),
                }
            except RefusedError as error:
                results[query["refId"]] = {"status": 400, "error": str(error), "frames": []}
        status = 400 if any("error" in each for each in results.values()) else 200
        return status if len(results) == 1 else 200, {"results": results}

    def _frames(self, query: Json, t0: int, t1: int, before: dict[str, Json]) -> list[Json]:
        if query["datasource"] == {"type": "__expr__", "uid": "__expr__"}:
            return _expression(query, before)
        _keys(query, QUERY, QUERY)
        source = self.sources.get(query["datasource"]["uid"])
        if source is None or query["datasource"]["type"] != source["type"]:
            raise RefusedError("data source not found")
        text = query["query"]
        left = re.search(r"\$\{|\[\[", text)
        if left or query["rawQuery"] is not True:
            raise RefusedError(
                f"the page would have replaced {text[left.start() :] if left else text}"
            )
        step = f"{query['intervalMs'] // 1000}s"
        for name, value in (
            ("$timeFilter", f"time >= {t0}ms and time <= {t1}ms"),
            ("$interval", step),
            ("$__interval_ms", str(query["intervalMs"])),
            ("$__interval", step),
        ):
            text = text.replace(name, value)
        auth = (source["user"], source["secureJsonData"]["password"])
        series, error = QueryDoor(source["url"], auth, source["jsonData"]["dbName"]).ask(text)
        if error:
            raise RefusedError(error)
        if text.startswith("SHOW TAG VALUES"):
            values = [row[1] for each in series for row in each["values"]]
            return [_frame([("Value", "string", {}, values)])]
        table = query["resultFormat"] == "table"
        return [_table(series)] if table and series else _series_frames(series)


def _keys(body: Any, known: set[str], needed: set[str]) -> None:
    if not isinstance(body, dict) or not body.keys() <= known or not needed <= body.keys():
        raise RefusedError(f"bad request data: {sorted(body)}")


def _frame(columns: list[tuple[str, str, Json, list[Any]]]) -> Json:
    fields = [
        {"name": name, "type": kind, **({"labels": labels} if labels else {})}
        for name, kind, labels, _ in columns
    ]
    return {"schema": {"fields": fields}, "data": {"values": [values for *_, values in columns]}}


def _series_frames(series: list[Json]) -> list[Json]:
    """A frame a series and column, its labels the tags."""
    return [
        _frame(
            [
                ("Time", "time", {}, [row[0] for row in each["values"]]),
                ("Value", "number", each.get("tags", {}), [row[k] for row in each["values"]]),
            ]
        )
        for each in series
        for k in range(1, len(each["columns"]))
    ]


def _table(series: list[Json]) -> Json:
    tags = sorted({tag for each in series for tag in each.get("tags", {})})
    names = series[0]["columns"]
    rows = [
        [row[0], *(each.get("tags", {}).get(tag) for tag in tags), *row[1:]]
        for each in series
        for row in each["values"]
    ]
    columns = ["Time", *tags, *names[1:]]
    return _frame([(n, "number", {}, [row[k] for row in rows]) for k, n in enumerate(columns)])


def _expression(query: Json, before: dict[str, Json]) -> list[Json]:
    """`reduce` by the last value, and `threshold`: numbers without time."""
    frames = before[query["expression"]]["frames"]
    made = []
    for frame in frames:
        field, values = frame["schema"]["fields"][-1], frame["data"]["values"][-1]
        if query["type"] == "reduce":
            assert query["reducer"] == "last"
            number = values[-1] if values else None
        else:
            assert query["type"] == "threshold"
            (condition,) = query["conditions"]
            limit, kind = condition["evaluator"]["params"][0], condition["evaluator"]["type"]
            found = values[-1]
            number = (
                None if found is None else int({"gt": found > limit, "lt": found < limit}[kind])
            )
        made.append(_frame([(query["refId"], "number", field.get("labels", {}), [number])]))
    return made


@contextmanager
def serving(grafana: Grafana) -> Iterator[str]:
    """On a free port of the loopback; its address."""

    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            path = urlsplit(self.path).path
            grafana.asked.append((self.command, path))
            text = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if path != "/api/health" and self.headers.get("Authorization") != f"Bearer {TOKEN}":
                status, said = 401, {"message": "Invalid API key"}
            else:
                try:
                    status, said = grafana.answer(
                        self.command, path, json.loads(text) if text else None
                    )
                except (RefusedError, LookupError, TypeError, ValueError) as error:
                    status, said = 400, {"message": f"{type(error).__name__}: {error}"}
            body = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_DELETE = _serve  # noqa: N815 - named by http.server

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
