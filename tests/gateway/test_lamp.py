# SPDX-License-Identifier: MIT
"""The lamp's word: what it says when, and that it turns when the village is killed."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from queue import Empty, Queue

import pytest

from kahriz_detect.finding import RAISED, Finding
from kahriz_gateway import lamp, notify_sign
from kahriz_gateway.mqtt import Arrival, Door
from kahriz_gateway.village import alarms as village_alarms
from kahriz_gateway.village import store as village_store
from kahriz_sim.services import Broker
from kahriz_water.plan import parse_plan

from .conftest import NOW_MS, PATIENCE_S, SITE_TOML, wait_for

ROOT = Path(__file__).parents[2]
PLAN = parse_plan(SITE_TOML.read_text(encoding="utf-8"))
RECIPE = ROOT / "gateway" / "deploy" / "lamp" / "lamp.yaml"


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Path]:
    """A folder in which an intake lives that hears, and a village that judges."""
    lock = notify_sign.take_lock(tmp_path)
    assert lock is not None
    notify_sign.write(tmp_path, "intake", {"state": "online"})
    conn = village_store.open_village(tmp_path / "village.db")
    village_store.set_state(conn, "alive_ms", NOW_MS)
    conn.close()
    yield tmp_path
    lock.close()


def word(data: Path, now_ms: int = NOW_MS) -> tuple[str, int]:
    conn = village_store.open_village(data / "village.db", read_only=True)
    try:
        return lamp.state(conn, data, now_ms)
    finally:
        conn.close()


def test_silence_of_any_part_is_blind_and_never_quiet(data: Path) -> None:
    assert word(data) == ("quiet", 0)
    assert word(data, NOW_MS + lamp.STALE_MS + 1)[0] == "blind"  # nobody judges
    assert word(data, NOW_MS - 1)[0] == "blind"  # the clock went back
    notify_sign.write(data, "village", {"state": "working", "trouble": "disk is full"})
    assert word(data)[0] == "blind"
    notify_sign.write(data, "village", {"state": "working"})
    notify_sign.write(data, "intake", {"state": "offline"})
    assert word(data)[0] == "blind"


def test_a_dead_intake_is_blind(tmp_path: Path) -> None:
    notify_sign.write(tmp_path, "intake", {"state": "online"})  # its last words
    conn = village_store.open_village(tmp_path / "village.db")
    village_store.set_state(conn, "alive_ms", NOW_MS)
    assert lamp.state(conn, tmp_path, NOW_MS)[0] == "blind"
    conn.close()


def test_the_gravest_alarm_gives_the_word_and_a_shelf_calms_it(data: Path) -> None:
    conn = village_store.open_village(data / "village.db")

    def find(kind: str, place: str) -> None:
        found = Finding(RAISED, kind, place, NOW_MS)
        village_alarms.apply(conn, [found], PLAN, NOW_MS, {})

    find("fouled_weir", "outlet")
    assert word(data) == ("open", 1)
    find("leak", "upper")
    assert word(data) == ("urgent", 2)
    (leak,) = (a for a in village_alarms.open_alarms(conn) if a.kind == "leak")
    village_alarms.step(conn, leak, "shelved", NOW_MS, {}, data={"until": NOW_MS + 1000})
    assert word(data) == ("open", 2)
    find("gateway", PLAN.id)
    assert word(data) == ("blind", 3)
    conn.close()


@pytest.mark.needs("mosquitto")
def test_a_killed_village_is_told_by_the_broker_itself(tmp_path: Path, mosquitto: Broker) -> None:
    port = mosquitto.port
    heard: Queue[Arrival] = Queue()
    topic = lamp.announcement(PLAN.id).topic

    def says(wanted: str) -> bool:
        try:
            return json.loads(heard.get(timeout=PATIENCE_S).payload)["state"] == wanted  # type: ignore[no-any-return]
        except Empty:
            return False

    program = [str(Path(sys.executable).parent / "kahriz"), "gateway", "village"]
    where = ["--config", str(SITE_TOML), "--data", str(tmp_path / "data")]
    ways = ["--broker", f"127.0.0.1:{port}", "--page", "127.0.0.1:0"]
    running = subprocess.Popen([*program, *where, *ways], stderr=subprocess.DEVNULL)
    door = Door("lamp", "127.0.0.1", port, [topic], heard.put)
    door.start()
    try:
        wait_for(lambda: says("blind"), "it lives, and there is no intake", 3 * PATIENCE_S)
        running.kill()
        wait_for(lambda: says("offline"), "the broker says that it died")
    finally:
        running.kill()
        running.wait()
        door.stop()
    late: Queue[Arrival] = Queue()
    door = Door("late", "127.0.0.1", port, [topic], late.put, clean=True)
    door.start()
    found = late.get(timeout=PATIENCE_S)
    door.stop()
    assert found.retained
    assert json.loads(found.payload) == {"state": "offline"}


def test_the_recipe_listens_to_that_topic_and_knows_every_word() -> None:
    text = RECIPE.read_text(encoding="utf-8")
    topic = lamp.announcement(PLAN.id).topic.replace(PLAN.id, "${site}")
    assert f"- topic: {topic}\n" in text
    assert all(f'"{w}"' in text for w in (lamp.QUIET, lamp.OPEN, lamp.URGENT))
    assert PLAN.id in text
