# SPDX-License-Identifier: MIT
"""Dashboards and alert rules on a real InfluxDB and through a real Grafana.

    INFLUX_URL=http://… INFLUX_TOKEN=… [INFLUX_BUCKET=kahriz_check] \
    [GRAFANA_URL=http://… GRAFANA_TOKEN=…] python -m tests.campaigns.office

Simulated readings of three days are written to the bucket (of 1.x: a database, which is made;
INFLUX_TOKEN is user:password). In Grafana a folder, a data source and the dashboards of all
three languages are made under names of their own and taken away again. Nothing of a working
office is touched; give a bucket of its own all the same. Exit code 1: something stays empty, is
refused, or an alert rule does not fire as it should; 2: there is no INFLUX_URL.
"""

from __future__ import annotations

import copy
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kahriz_gateway.outputs.influx import from_plan
from kahriz_server import alerts, dashboards, grafana_door
from kahriz_server.influxql import Auth, QueryDoor
from kahriz_server.panelcheck import Asks, Straight, empty_queries, firing, run_board
from kahriz_server.setup.ask import Door, SetupError
from kahriz_server.texts import LANGS, Lang
from kahriz_water.plan import parse_plan

from ..server.test_panels import HOUR_MS, LEAK, SITES, T0, T1, fill, plan_of

Json = dict[str, Any]
BUCKET = "kahriz_check"
UID = "kahriz-influx-check"
FOLDER = "kahriz-check"
SOURCE: Json = {"type": "influxdb", "uid": UID}
Fires = Callable[[Json, int], list[dict[str, str]] | str]


@dataclass
class Office:
    """What is given, and what was found wrong."""

    influx_url: str
    token: str
    bucket: str
    grafana_url: str | None
    grafana_token: str
    wrong: list[str] = field(default_factory=list)

    @property
    def auth(self) -> Auth:
        user, _, password = self.token.rpartition(":")
        return (user, password) if user else self.token


def of_environment(given: Mapping[str, str]) -> Office | None:
    """The office of INFLUX_URL and GRAFANA_URL; None without the first."""
    if not given.get("INFLUX_URL"):
        return None
    return Office(
        given["INFLUX_URL"].rstrip("/"),
        given.get("INFLUX_TOKEN", ""),
        given.get("INFLUX_BUCKET", BUCKET),
        given.get("GRAFANA_URL", "").rstrip("/") or None,
        given.get("GRAFANA_TOKEN", ""),
    )


def check(
    office: Office, say: Callable[[str], None] = print, langs: Sequence[Lang] = LANGS
) -> list[str]:
    """All of it, on what was written; what was wrong."""
    straight = Straight(QueryDoor(office.influx_url, office.auth, office.bucket))
    boards = {
        name: json.loads(text)
        for name, text in dashboards.render().items()
        if name.partition("/")[0] in langs
    }
    say(f"InfluxDB {office.influx_url}, bucket {office.bucket}:")
    _boards(office, straight, boards, say)
    _rules(office, lambda rule, now: _straight(office, rule, now), say)
    if office.grafana_url is None:
        say("GRAFANA_URL is not set: no Grafana was asked, nothing is said of one")
        return office.wrong
    grafana = grafana_door.door(office.grafana_url, office.grafana_token)
    version = grafana.get("/api/health").get("version", "?")
    say(f"Grafana {version} at {office.grafana_url}:")
    with source_of(office, grafana), folder_of(grafana):
        through = grafana_door.ThroughGrafana(grafana, SOURCE)
        _boards(office, through, {n: post(office, grafana, b) for n, b in boards.items()}, say)
        _rules(office, through.firing, say)
    return office.wrong


def write(office: Office) -> None:
    """Three simulated days of two kahrizes, by the gateway's own output."""
    if ":" in office.token:  # 1.x: a database is made by asking for it
        ask = {"q": f'CREATE DATABASE "{office.bucket}"'}
        _, error = QueryDoor(office.influx_url, office.auth, "").ask(ask["q"])
        if error:
            raise SetupError(error)
    with tempfile.TemporaryDirectory(prefix="kahriz-office-") as made:
        secret = Path(made) / "secret"
        secret.write_text(office.token)
        secret.chmod(0o600)
        for site in SITES:
            text = plan_of(site, office.influx_url)
            text += f"bucket = '{office.bucket}'\ntoken_file = '{secret}'\n"
            output = from_plan(parse_plan(text), Path(made))
            fill(output, T1 if site == SITES[0] else T1 - 20 * HOUR_MS)
            output.close()


def _straight(office: Office, rule: Json, now_ms: int) -> list[dict[str, str]] | str:
    return firing(rule, office.influx_url, office.auth, now_ms, office.bucket)


def _boards(
    office: Office, door: Asks, boards: dict[str, Json], say: Callable[[str], None]
) -> None:
    slowest, count = 0.0, 0
    for name, board in boards.items():
        results = run_board(board, door, T0, T1)
        office.wrong += [f"{name}: {each}" for each in empty_queries(results)]
        slowest = max([slowest, *(each.seconds for each in results)])
        count += len(results)
    say(f"  {count} queries of {len(boards)} dashboards, the slowest {slowest:.2f} s")


def _rules(office: Office, fires: Fires, say: Callable[[str], None]) -> None:
    """Each rule at a moment at which it must fire, and at one at which it must not."""
    over = LEAK + 36_000_000 + 60_000
    wanted: list[tuple[str, int, set[str]]] = [
        ("kahriz-dead-man", T1, {SITES[1]}),
        ("kahriz-dead-man", T1 - 20 * HOUR_MS, set()),
        ("kahriz-leak", LEAK + HOUR_MS + 60_000, set(SITES)),
        ("kahriz-leak", over, set()),
    ]
    rules = {rule["uid"]: rule for rule in alerts.rules()}
    for uid, now_ms, sites in wanted:
        fired = fires(rules[uid], now_ms)
        told = {fired} if isinstance(fired, str) else {each["site"] for each in fired}
        if told != sites:
            office.wrong.append(f"rule {uid}: fires for {sorted(told)}, not {sorted(sites)}")
    say(f"  {len(wanted)} times an alert rule")


@contextmanager
def source_of(office: Office, grafana: Door) -> Iterator[None]:
    """A data source under a name of its own."""
    json_data: Json = {"version": "InfluxQL", "dbName": office.bucket, "httpMode": "POST"}
    body: Json = {"name": UID, "uid": UID, "type": "influxdb", "access": "proxy"}
    body |= {"url": office.influx_url, "jsonData": json_data}
    if isinstance(office.auth, tuple):
        user, password = office.auth
        body |= {"user": user, "secureJsonData": {"password": password}}
    else:
        json_data["httpHeaderName1"] = "Authorization"
        body["secureJsonData"] = {"httpHeaderValue1": f"Token {office.token}"}
    grafana.post("/api/datasources", body)
    try:
        yield
    finally:
        grafana.delete(f"/api/datasources/uid/{UID}")


@contextmanager
def folder_of(grafana: Door) -> Iterator[None]:
    grafana.post("/api/folders", {"uid": FOLDER, "title": "Kahriz: check"})
    try:
        yield
    finally:
        grafana.delete(f"/api/folders/{FOLDER}?forceDeleteRules=true")


def post(office: Office, grafana: Door, board: Json) -> Json:
    """Hand a dashboard over and read it back: what Grafana keeps is what is run."""
    mine = _pointed(copy.deepcopy(board))
    mine["uid"] = f"{board['uid']}-check"
    body = {"dashboard": {**mine, "id": None}, "folderUid": FOLDER, "overwrite": False}
    grafana.post("/api/dashboards/db", body)
    kept: Json = grafana.get(f"/api/dashboards/uid/{mine['uid']}")["dashboard"]
    asked = [[t["query"] for t in p.get("targets", [])] for p in mine["panels"]]
    if [[t["query"] for t in p.get("targets", [])] for p in kept["panels"]] != asked:
        office.wrong.append(f"{mine['uid']}: Grafana keeps other queries than it was given")
    return kept


def _pointed(part: Any) -> Any:
    """The same with the data source of this check."""
    if isinstance(part, dict):
        if part.get("type") == "influxdb" and "uid" in part:
            return SOURCE
        return {key: _pointed(value) for key, value in part.items()}
    return [_pointed(each) for each in part] if isinstance(part, list) else part


def main() -> int:
    office = of_environment(os.environ)
    if office is None:
        print("INFLUX_URL is not set: nothing was run on a real InfluxDB or Grafana; see --help")
        return 2
    try:
        write(office)
        wrong = check(office)
    except SetupError as error:
        wrong = [str(error)]
    for each in wrong:
        print(f"wrong: {each}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    if "--help" in sys.argv:
        print(__doc__)
        sys.exit(0)
    sys.exit(main())
