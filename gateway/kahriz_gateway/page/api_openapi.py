# SPDX-License-Identifier: MIT
"""The API described for programs (OpenAPI 3.1): every path, what it wants, what it answers."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from kahriz_alarms.alarm import CAUSES

TEXT: dict[str, Any] = {"type": "string", "minLength": 1, "maxLength": 500}
MS: dict[str, Any] = {"type": "integer", "description": "milliseconds since 1970, UTC"}
NUMBER: dict[str, Any] = {"type": "number"}
CAUSE: dict[str, Any] = {"type": "string", "enum": list(CAUSES)}
WHO: dict[str, Any] = {**TEXT, "description": "id of a person of the plan"}
ONCE: dict[str, Any] = {
    "type": "string",
    "maxLength": 32,
    "description": "a text of one's own: what is sent again under it is not written again;"
    " without one the same words within five minutes are not",
}
PHOTO: dict[str, Any] = {**TEXT, "description": "the name that /api/photos gave"}
PLOTS: dict[str, Any] = {
    "type": "array",
    "items": {"type": "array", "prefixItems": [{"type": "string"}, NUMBER], "minItems": 2},
    "description": "plot code and minutes, in order",
}
# path, method: what it does, the body's fields (those with ? may be left out)
PATHS: dict[tuple[str, str], tuple[str, dict[str, Any]]] = {
    ("/api/now", "get"): ("The front screen: newest numbers, open alarms; open to all", {}),
    ("/api/openapi.json", "get"): ("This description; open to all", {}),
    ("/api/alarms", "get"): ("Open alarms; all=1 for every one", {"?all": TEXT}),
    ("/api/alarms/{ident}", "get"): ("One alarm with its steps", {}),
    ("/api/alarms/{ident}/{op}", "post"): (
        "ack, coming, fixed (cause), shelve (hours, note), close (cause)",
        {"who": WHO, "?note": TEXT, "?cause": CAUSE, "?hours": NUMBER},
    ),
    ("/api/stats", "get"): ("What became of the warnings", {}),
    ("/api/advisory", "get"): ("The advisory that runs, or null", {}),
    ("/api/advisory/{op}", "post"): (
        "start (days, note) or end (note)",
        {"who": WHO, "note": TEXT, "?days": NUMBER},
    ),
    ("/api/turns", "get"): ("Rota, turn of now, m3 of the turns of a cycle", {"?from": TEXT}),
    ("/api/turns", "post"): (
        "A new rota, from start_ms on",
        {"who": WHO, "point": TEXT, "start_ms": MS, "flow_lps": NUMBER, "plots": PLOTS},
    ),
    ("/api/turns/corrections", "post"): (
        "The water went to this plot (or to none: an empty text)",
        {"who": WHO, "plot": {"type": "string"}, "start_ms": MS, "end_ms": MS, "?note": TEXT},
    ),
    ("/api/visits", "get"): ("The newest 500 visits", {}),
    ("/api/visits", "post"): (
        "Who came, what was found",
        {
            "who": WHO,
            "place": TEXT,
            "cause": CAUSE,
            "at_ms": MS,
            "?came": TEXT,
            "?found": TEXT,
            "?photo": PHOTO,
        },
    ),
    ("/api/readings", "get"): ("The newest 500 readings of staff gauges", {}),
    ("/api/readings", "post"): (
        "A staff gauge read by hand",
        {"who": WHO, "point": TEXT, "cm": NUMBER, "at_ms": MS, "?photo": PHOTO},
    ),
    ("/api/photos", "post"): ("A photo, JPEG or PNG as it is; what it tells of its place goes", {}),
    ("/api/closures", "get"): ("The newest 500 closures", {}),
    ("/api/closures", "post"): (
        "A place is closed from now on: its alarms are stored and not told",
        {"who": WHO, "place": TEXT, "hours": NUMBER, "note": TEXT},
    ),
}
OPEN = ("/api/now", "/api/openapi.json")
PHOTOS, KINDS = "/api/photos", ("image/jpeg", "image/png")
CREATES = ("/api/turns", "/api/turns/corrections", "/api/visits", "/api/readings", "/api/closures")
REFUSALS = {
    "400": "What is wrong with the request, in words, under `error`",
    "401": "A token is wanted",
    "404": "No such alarm",
    "409": "Not possible in this state",
    "429": "Too many requests",
    "503": "A store cannot be read or written",
}


def answer(request: Request) -> Response:
    """The description, the same for every kahriz."""
    return JSONResponse(description())


def description() -> dict[str, Any]:
    """The whole of it."""
    paths: dict[str, dict[str, Any]] = {}
    for (path, method), (summary, fields) in PATHS.items():
        paths.setdefault(path, {})[method] = _operation(path, method, summary, fields)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Kahriz Monitor, gateway", "version": "1"},
        "paths": paths,
        "components": {"securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}},
    }


def _operation(path: str, method: str, summary: str, fields: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {"summary": summary, "parameters": _placeholders(path)}
    if path not in OPEN:
        found["security"] = [{"token": []}]
    if path == PHOTOS:
        found["requestBody"] = {"required": True, "content": {kind: {} for kind in KINDS}}
    elif method == "post":
        if path in CREATES:
            fields = {**fields, "?once": ONCE}
        schema = {
            "type": "object",
            "properties": {key.lstrip("?"): field for key, field in fields.items()},
            "required": [key for key in fields if not key.startswith("?")],
        }
        found["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": schema}},
        }
    else:
        found["parameters"] += [
            {"name": key.lstrip("?"), "in": "query", "required": False, "schema": field}
            for key, field in fields.items()
        ]
    good = "201" if method == "post" and path in (*CREATES, PHOTOS) else "200"
    said = {code: {"description": text} for code, text in REFUSALS.items()}
    found["responses"] = {good: {"description": "JSON"}} | ({} if path in OPEN else said)
    return found


def _placeholders(path: str) -> list[dict[str, Any]]:
    names = [part[1:-1] for part in path.split("/") if part.startswith("{")]
    return [{"name": n, "in": "path", "required": True, "schema": TEXT} for n in names]
