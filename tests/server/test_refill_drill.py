# SPDX-License-Identifier: MIT
"""The drill: the office's database is lost, a new one is filled from the gateway's own store.

Real InfluxDB, the gateway's stores, follower and command; every panel shows what it showed before.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from kahriz_gateway import notify_sign
from kahriz_gateway.cli import gateway
from kahriz_gateway.committee import book, turn_book
from kahriz_gateway.intake import store
from kahriz_gateway.outputs.follower import Follower
from kahriz_gateway.outputs.influx import InfluxOutput, from_plan
from kahriz_gateway.village import store as village_store
from kahriz_gateway.village.store import Value
from kahriz_server import dashboards
from kahriz_server.cli import server
from kahriz_server.dashboards import kahriz
from kahriz_server.panelcheck import expand_and_run
from kahriz_sim.services import Influx, start_influx
from kahriz_water.plan import parse_plan
from kahriz_water.turns import Plot, Rota

from .test_panels import DAYS, STEP_MS, T0, T1, WEIRS, out_of_range, plan_of, values

pytestmark = pytest.mark.needs("influxd", "nginx")

SITE = "banovshalar-gozlu"
HOUR_MS = 3_600_000
# How much an output still has to be told is known for now alone: no store keeps what it was.
OF_NOW = "delivery panel Waiting in the gateway A"
MOST_S = 200.0  # a drill that hangs; an idle machine takes three seconds


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a gateway has on its card: readings, hellos, values, alarms of three days."""
    made = tmp_path_factory.mktemp("gateway")
    with contextlib.closing(village_store.open_village(made / "village.db")) as conn:
        moments = range(T0, T1, 3 * STEP_MS)
        found: list[Value] = [value for ts in moments for value in values(ts)]
        found += [value for ts in moments[30:40] for value in out_of_range(ts)]
        with village_store.transaction(conn):
            village_store.put_values(conn, found)
        conn.execute(
            "INSERT INTO alarm(id, kind, place, state, raised, stored, closed, lps, m3, fixed,"
            " evidence) VALUES(1,'leak','upper','closed',?,?,?,2.0,64.8,?,'{}')",
            (T0 + HOUR_MS, T0 + HOUR_MS, T0 + 9 * HOUR_MS, T0 + 8 * HOUR_MS),
        )
        conn.executemany(
            "INSERT INTO alarm_event(alarm, at, what) VALUES(1,?,?)",
            [(T0 + HOUR_MS, "raised"), (T0 + 9 * HOUR_MS, "closed")],
        )
        put_people(conn)
    put_turns(made)
    readings = store.open_store(made / "readings.db", SITE)
    readings.execute("BEGIN")
    for node in WEIRS:
        for k in range(DAYS * 24):
            readings.execute(
                "INSERT INTO hello(node, received, body) VALUES(?,?,?)",
                (node, T0 + k * HOUR_MS, json.dumps(hello(k))),
            )
        readings.execute(
            "INSERT INTO session VALUES(?,'9f3a01c2','s',1,865,?,'{}')", (node, T1 - HOUR_MS)
        )
        readings.executemany(
            "INSERT INTO reading(node, journal, n, q, body) VALUES(?,'9f3a01c2',?,1,'{}')",
            [(node, n) for n in range(1, 865)],
        )
    readings.commit()
    readings.close()
    return made


def put_turns(folder: Path) -> None:
    """Four turns a day, entered by somebody with a name."""
    rota = Rota(T0, (Plot("A1", 240), Plot("B2", 480)), 10.0)
    with contextlib.closing(book.open_book(folder)) as conn:
        body = turn_book.body_of(rota, "outlet")
        book.write(conn, T0, SECRETS[0], "committee", "rota", body)
        book.write(conn, T0, SECRETS[0], "committee", "visit", {"note": SECRETS[3]})


SECRETS = ("Quliyev", "+994501234567", "photo-of-a-house", "belongs to")


def put_people(conn: sqlite3.Connection) -> None:
    """All that a village's store knows of people."""
    name, phone, photo, note = SECRETS
    conn.execute("UPDATE alarm SET owner=?, evidence=?", (name, json.dumps({"note": note})))
    conn.execute("UPDATE alarm_event SET who=?, note=?, data=?", (name, note, json.dumps(phone)))
    conn.execute("INSERT INTO staff VALUES('outlet',1,0.1,?,?,?,0.1,0.8)", (name, photo, note))
    conn.execute("INSERT INTO gauging VALUES('outlet',1,'bucket','[]',?,0.1,1.0,?)", (name, note))
    conn.execute(
        "INSERT INTO incoming VALUES('sms','1',1,1,?,?,?,'')", (phone, name, f"{note} {photo}")
    )
    conn.execute(
        "INSERT INTO maintenance(place, from_ms, to_ms, who, why) VALUES('outlet',1,2,?,?)",
        (name, note),
    )


def hello(k: int) -> dict[str, Any]:
    return {
        "battery_v": 3.3 + k / 1000,
        "rssi_dbm": -60 - k % 9,
        "heap": 90_000,
        "boot": 1 + k // 30,
    }


@contextlib.contextmanager
def database(folder: Path, gateway_folder: Path) -> Iterator[Influx]:
    """A new, empty one, with the site.toml of the gateway that writes to it."""
    running = start_influx(folder)
    (gateway_folder / "site.toml").write_text(plan_of(SITE, running.login_url), encoding="utf-8")
    try:
        yield running
    finally:
        running.stop()


def follow(folder: Path) -> None:
    """What the village's own thread does with this output, until there is nothing left."""
    plan = parse_plan((folder / "site.toml").read_text(encoding="utf-8"))
    output = from_plan(plan, folder)
    conn: sqlite3.Connection
    with contextlib.closing(village_store.open_village(folder / "village.db")) as conn:
        follower = Follower("influx", output, folder)
        while follower.step(conn):
            pass
    output.close()


def shown(influx: Influx) -> dict[str, Any]:
    """The answer to every query of every dashboard."""
    found: dict[str, Any] = {}
    for name, build in dashboards.PAGES.items():
        board = build("en", kahriz.REACHES)
        for each in expand_and_run(board, influx.url, (influx.user, influx.password), T0, T1):
            assert each.error == ""
            answer = influx.query(each.query)[0].get("series", [])
            found[f"{name} {each.kind} {each.title} {each.ref}"] = rounded(answer)
    return found


def rounded(answer: Any) -> Any:
    """Sums of floats differ in their last digit with the order in which shards are read."""
    if isinstance(answer, float):
        return float(f"{answer:.9g}")
    if isinstance(answer, list):
        return [rounded(each) for each in answer]
    if isinstance(answer, dict):
        return {key: rounded(each) for key, each in answer.items()}
    return answer


class Heard:
    """A writer that keeps what would go out."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def write(self, lines: list[str]) -> None:
        self.lines += lines


def test_no_name_telephone_photo_or_note_of_a_person_comes_to_the_office(folder: Path) -> None:
    kept = b"".join(path.read_bytes() for path in folder.glob("*.db*"))
    assert all(secret.encode() in kept for secret in SECRETS)  # the village does know them
    heard = Heard()
    with contextlib.closing(village_store.open_village(folder / "village.db")) as conn:
        points = {p.id: p for p in parse_plan(plan_of(SITE, "http://x")).points}
        quarantine = lambda text, why: None  # noqa: E731
        output = InfluxOutput(heard, SITE, {}, quarantine, points=points)  # type: ignore[arg-type]
        follower = Follower("office", output, folder)
        while follower.step(conn):
            pass
    assert {line.split(",")[0] for line in heard.lines} == {"water", "node_health", "alarm", "turn"}
    assert [line for line in heard.lines if any(each in line for each in SECRETS)] == []


def server_refill(folder: Path, influx: Influx, code: int = 0, word: str = "") -> str:
    secret = folder / "secret"
    secret.write_text(f"{influx.user}:{word or influx.password}\n")
    secret.chmod(0o600)
    given = ["refill", str(folder), "--url", influx.url, "--token-file", str(secret)]
    said = CliRunner().invoke(server, given)
    assert said.exit_code == code, said.output
    return said.output


def test_a_new_database_shows_in_every_panel_what_the_lost_one_showed(
    folder: Path, tmp_path: Path
) -> None:
    with database(tmp_path / "first", folder) as influx:
        follow(folder)
        before = shown(influx)
    with database(tmp_path / "second", folder) as influx:
        follow(folder)
        assert shown(influx) != before  # it knows of nothing yet: the follower is at the end
        refused = server_refill(folder, influx, code=1, word="wrong")
        assert "InfluxDB 401" in refused
        assert "the same command goes on from here" in refused
        start_s = time.monotonic()
        said = server_refill(folder, influx)
        assert time.monotonic() - start_s < MOST_S
        assert "values since 2000-01-01 brought to influx, influx_1h" in said
        after = shown(influx)
        hours = influx.query('SELECT count("discharge_lps") FROM "water"', "kahriz_1h")
        assert hours[0]["series"][0]["values"][0][1] == len(WEIRS) * DAYS * 24
    assert [name for name, answer in before.items() if not answer] == []
    other = {n: (before[n], after[n]) for n in before if after[n] != before[n]}
    other.pop(OF_NOW, None)
    assert other == {}


def test_a_living_gateway_or_a_backup_is_not_refilled_from(folder: Path) -> None:
    def refill(code: int) -> str:
        place = ("--config", str(folder / "site.toml"), "--data", str(folder))
        said = CliRunner().invoke(
            gateway, ["refill", "influx", "--now", "--since", "2000-01-01", *place]
        )
        assert said.exit_code == code, said.output
        return said.output

    plan = plan_of(SITE, "http://127.0.0.1:9")  # nobody: it is not asked
    (folder / "site.toml").write_text(plan, encoding="utf-8")
    lock = notify_sign.take_lock(folder)
    assert lock is not None
    with lock:
        assert "a gateway works in" in refill(4)
    (folder / "manifest.json").write_text("{}")
    try:
        assert "is a backup" in refill(4)
    finally:
        (folder / "manifest.json").unlink()


def test_a_folder_without_stores_is_named(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("x")
    given = ["refill", str(tmp_path), "--url", "http://127.0.0.1:9", "--token-file", str(secret)]
    said = CliRunner().invoke(server, given)
    assert said.exit_code == 1
    assert "has no site.toml and no village.db" in said.output
