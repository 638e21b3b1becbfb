# SPDX-License-Identifier: MIT
"""InfluxDB 2 and Grafana as their documentation describes the calls of the setup: strict.

They refuse what the documentation does not know: a wrong token, a missing key, an unknown path.
"""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

Json = dict[str, Any]
Answer = tuple[int, Any]


class Office:
    """What both servers keep, what they are asked, and how they may be wrong."""

    def __init__(self) -> None:
        self.kept: dict[str, list[Json]] = {}
        self.asked: list[tuple[str, str]] = []
        self.influx_version = "v2.7.11"
        self.grafana_version = "11.6.1"
        self.ahead_s = 0.0
        self.token = "operator-token"
        self.password = "admin-password"

    def writes(self) -> list[tuple[str, str]]:
        return [each for each in self.asked if each[0] != "GET"]

    def put(self, kind: str, body: Json, *, needed: set[str], allowed: set[str]) -> Answer:
        if not needed <= body.keys() or not body.keys() <= allowed | needed:
            return 400, {"code": "invalid", "message": f"{kind}: keys {sorted(body)}"}
        if any(value is None for value in body.values()):
            return 400, {"code": "invalid", "message": f"{kind}: null"}
        rows = self.kept.setdefault(kind, [])
        rows.append({**body, "id": f"{len(rows) + 1:016x}"})
        return 201, rows[-1]

    def influx(self, method: str, path: str, query: dict[str, str], body: Json) -> Answer:
        kinds = {"orgs": "orgs", "buckets": "buckets", "dbrps": "content"}
        kinds["authorizations"] = "authorizations"
        kind = path.removeprefix("/api/v2/").split("/")[0]
        if path == "/health":
            return 200, {"name": "influxdb", "status": "pass", "version": self.influx_version}
        if kind not in kinds:
            return 404, {"code": "not found", "message": path}
        if method == "GET":
            if not query.keys() <= {"orgID", "limit", "offset"}:
                return 400, {"code": "invalid", "message": str(query)}
            own = [
                r
                for r in self.kept.get(kind, [])
                if query.get("orgID", r.get("orgID")) == r.get("orgID")
            ]
            start = int(query.get("offset", 0))
            return 200, {kinds[kind]: own[start : start + int(query.get("limit", 100))]}
        if method == "PATCH" and kind == "buckets":
            (row,) = (r for r in self.kept["buckets"] if path.endswith(r["id"]))
            row.update(body)
            return 200, row
        needed = {
            "orgs": {"name"},
            "buckets": {"orgID", "name", "retentionRules"},
            "dbrps": {"orgID", "bucketID", "database", "retention_policy"},
            "authorizations": {"orgID", "permissions"},
        }[kind]
        status, row = self.put(kind, body, needed=needed, allowed={"default", "description"})
        if kind == "authorizations" and status == 201:
            return 201, {**row, "token": f"token-{row['id']}"}
        return status, row

    def grafana(self, method: str, path: str, query: dict[str, str], body: Json) -> Answer:
        parts = path.removeprefix("/api/").split("/")
        match method, parts:
            case "GET", ["health"]:
                return 200, {"database": "ok", "version": self.grafana_version}
            case "GET", ["folders", uid]:
                return self._one("folders", "uid", uid)
            case "POST", ["folders"]:
                return self.put("folders", body, needed={"title"}, allowed={"uid"})
            case "GET", ["folders", uid, "permissions"]:
                viewer = {"role": "Viewer", "permission": 1, "teamId": 0, "userId": 0}
                own = [r for r in self.kept.get("permissions", []) if r["uid"] == uid]
                return 200, [viewer, *(own[-1]["items"] if own else [])]
            case "POST", ["folders", uid, "permissions"]:
                items = {"uid": uid, **body}
                return self.put("permissions", items, needed={"items", "uid"}, allowed=set())
            case "GET", ["teams", "search"]:
                own = [r for r in self.kept.get("teams", []) if r["name"] == query["name"]]
                return 200, {"totalCount": len(own), "teams": [{**r, "id": 7} for r in own]}
            case "POST", ["teams"]:
                status, _ = self.put("teams", body, needed={"name"}, allowed=set())
                return status, {"message": "Team created", "teamId": 7}
            case "GET", ["users", "lookup"]:
                status, row = self._one("users", "login", query["loginOrEmail"])
                return status, ({**row, "id": 4} if status == 200 else row)
            case "POST", ["admin", "users"]:
                needed = {"name", "login", "password", "OrgId"}
                status, _ = self.put("users", body, needed=needed, allowed=set())
                return status, {"id": 4, "message": "User created"}
            case "GET", ["teams", "7", "members"]:
                return 200, self.kept.get("members", [])
            case "POST", ["teams", "7", "members"]:
                return self.put("members", body, needed={"userId"}, allowed=set())
        return 404, {"message": f"no {method} {path}"}

    def _one(self, kind: str, key: str, value: str) -> Answer:
        found = [row for row in self.kept.get(kind, []) if row[key] == value]
        return (200, found[0]) if found else (404, {"message": f"{kind} not found"})


class Handler(BaseHTTPRequestHandler):
    """Auth first, then the call."""

    office: Office
    sort: str

    def _serve(self) -> None:
        parts = urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length)) if length else {}
        self.office.asked.append((self.command, parts.path))
        if parts.path in ("/health", "/api/health") or self._may():
            answer = getattr(self.office, self.sort)
            status, said = answer(self.command, parts.path, dict(parse_qsl(parts.query)), body)
        else:
            status, said = 401, {"code": "unauthorized", "message": "unauthorized access"}
        text = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def _may(self) -> bool:
        pair = base64.b64encode(f"admin:{self.office.password}".encode()).decode()
        wanted = {"influx": f"Token {self.office.token}", "grafana": f"Basic {pair}"}
        return self.headers.get("Authorization") == wanted[self.sort]

    do_GET = do_POST = do_PATCH = _serve  # noqa: N815 - named by http.server

    def date_time_string(self, timestamp: float | None = None) -> str:
        import time

        return formatdate(time.time() + self.office.ahead_s, usegmt=True)

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


@contextmanager
def serving(office: Office, sort: str) -> Iterator[str]:
    """One of the two on a free port of the loopback; its address."""
    handler = type("Own", (Handler,), {"office": office, "sort": sort})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
