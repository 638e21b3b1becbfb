# SPDX-License-Identifier: MIT
"""InfluxDB 2: organisation, buckets with retention, mappings for InfluxQL, a token a gateway.

Written after the documentation of its v2 API (orgs, buckets, dbrps, authorizations, health).
"""

from __future__ import annotations

import os
import re
from functools import partial
from pathlib import Path
from typing import Any

from kahriz_server.setup.ask import Door, Json, SetupError
from kahriz_server.setup.changes import Changes
from kahriz_server.setup.wanted import Wanted

DAY_S = 86_400
LEAST = (2, 7)
GRAFANA = "grafana"
ROOM = 512  # more than any token has
POLICY = "autogen"


def prepare(wanted: Wanted, door: Door, folder: Path, changes: Changes) -> None:
    """Bring it to what is wanted; run again it changes nothing."""
    _version(door)
    org = _org(wanted, door, changes)
    buckets: dict[str, str | None] = {}
    for name in (wanted.bucket, f"{wanted.bucket}_1h"):
        keep_s = wanted.keep_days * DAY_S if name == wanted.bucket else 0
        buckets[name] = _bucket(door, org, name, keep_s, changes)
        _mapping(door, org, name, buckets[name], changes)
    for gateway in wanted.gateways:
        _token(door, org, f"gateway {gateway.id}", "write", buckets, folder / gateway.id, changes)
    _token(door, org, GRAFANA, "read", buckets, folder / GRAFANA, changes)


def _version(door: Door) -> None:
    """InfluxDB 1 and 3 are good for writing and reading, but have nothing to set up by this API."""
    said = str(door.get("/health").get("version", ""))
    found = re.match(r"v?(\d+)\.(\d+)", said)
    if found is None:
        raise SetupError(f"{door.url} does not say which InfluxDB it is (version {said!r})")
    version = (int(found[1]), int(found[2]))
    if version[0] == 1:
        raise SetupError(
            f"{door.url} is InfluxDB {said}: there the setup is `CREATE DATABASE kahriz` and"
            " `CREATE DATABASE kahriz_1h` in `influx`, and a user; server/README.md says how"
        )
    if version[0] != LEAST[0] or version < LEAST:
        raise SetupError(
            f"{door.url} is InfluxDB {said}; this command knows 2.7 and newer of 2.x:"
            " server/README.md says what to do on others"
        )


def _org(wanted: Wanted, door: Door, changes: Changes) -> str | None:
    for each in _listed(door, "orgs", "orgs"):
        if each["name"] == wanted.org:
            return str(each["id"])
    made = changes.make(
        f"make organisation {wanted.org}", lambda: door.post("/api/v2/orgs", {"name": wanted.org})
    )
    return None if made is None else str(made["id"])


def _bucket(door: Door, org: str | None, name: str, keep_s: int, changes: Changes) -> str | None:
    rules = [{"type": "expire", "everySeconds": keep_s}] if keep_s else []
    long = f"{keep_s // DAY_S} days" if keep_s else "for ever"
    if org is not None:
        for each in _listed(door, "buckets", "buckets", orgID=org):
            if each["name"] != name:
                continue
            kept = sum(rule.get("everySeconds", 0) for rule in each.get("retentionRules", []))
            if kept != keep_s:
                changes.make(
                    f"keep bucket {name} {long}, not {kept // DAY_S or 'unlimited'} days",
                    partial(door.patch, f"/api/v2/buckets/{each['id']}", {"retentionRules": rules}),
                )
            return str(each["id"])
    made = changes.make(
        f"make bucket {name}, kept {long}",
        lambda: door.post("/api/v2/buckets", {"orgID": org, "name": name, "retentionRules": rules}),
    )
    return None if made is None else str(made["id"])


def _mapping(door: Door, org: str | None, name: str, bucket: str | None, changes: Changes) -> None:
    """InfluxQL finds a bucket by a database and a policy; Grafana and `panels` ask by it."""
    if org is not None and bucket is not None:
        for each in _listed(door, "dbrps", "content", orgID=org):
            if each["database"] == name and each.get("default"):
                if each["bucketID"] == bucket:
                    return
                raise SetupError(
                    f"database {name} is mapped to another bucket ({each['bucketID']}): delete"
                    f" that mapping (`influx v1 dbrp delete --id {each['id']}`), then again"
                )
    body = {
        "orgID": org,
        "bucketID": bucket,
        "database": name,
        "retention_policy": POLICY,
        "default": True,
    }
    changes.make(f"map database {name} to its bucket", lambda: door.post("/api/v2/dbrps", body))


def _token(
    door: Door,
    org: str | None,
    who: str,
    action: str,
    buckets: dict[str, str | None],
    path: Path,
    changes: Changes,
) -> None:
    """A token is shown once: it goes to a file before anything else happens."""
    description = f"kahriz {who}"
    known = [] if org is None else _listed(door, "authorizations", "authorizations", orgID=org)
    found = [each for each in known if each.get("description") == description]
    if found and path.exists():
        return
    if found:
        raise SetupError(
            f"InfluxDB has a token for {who}, and {path} is gone; it is shown only once. Delete it"
            f" (`influx auth delete --id {found[0]['id']}`), then again: that gateway needs the new"
            " one"
        )
    permissions = [
        {"action": action, "resource": {"type": "buckets", "id": ident, "orgID": org}}
        for ident in buckets.values()
    ]
    body = {"orgID": org, "description": description, "permissions": permissions}

    def make() -> None:
        _write_secret(path, "")  # a disk that is full is found before the token is made
        _write_secret(path, str(door.post("/api/v2/authorizations", body)["token"]))

    changes.make(f"make the {action} token of {who}, in {path}", make)


def _listed(door: Door, path: str, key: str, **query: str) -> list[Json]:
    """Everything under a path; these lists are short, and a page holds 100."""
    found: list[Json] = []
    while True:
        paged = {} if key in ("content", "authorizations") else {"limit": "100"}
        if paged:
            paged["offset"] = str(len(found))
        page: list[Any] = door.get(f"/api/v2/{path}", **query, **paged).get(key) or []
        found += page
        if len(page) < 100 or not paged:
            return found


def _write_secret(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(path.with_suffix(".new"), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as out:
            out.write((text or " " * ROOM) + "\n")
            out.flush()
            os.fsync(out.fileno())
        if text:
            path.with_suffix(".new").replace(path)
    except OSError as error:
        said = f"cannot write {path} ({error.strerror}): give another --tokens"
        raise SetupError(said) from error
