# SPDX-License-Identifier: MIT
"""The InfluxDB output before a real engine: Debian's influxd behind nginx."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from kahriz_detect.finding import RAISED
from kahriz_gateway.outputs import DeliveryError
from kahriz_gateway.outputs.follower import Follower
from kahriz_gateway.outputs.influx import InfluxOutput, from_plan
from kahriz_gateway.outputs.influx_lines import AlarmMark
from kahriz_gateway.village.store import Value
from kahriz_sim.services import Influx, start_influx
from kahriz_water.plan import ConfigError, parse_plan

from .test_alarm_loop import DAY_MS, T0, Finding, Loop, leak

pytestmark = pytest.mark.needs("influxd", "nginx")

TS = 1764000000000
PLAN = """
[site]
id = "banovshalar-gozlu"
name = { az = "Gözlü", ru = "Гёзлю", en = "Gozlu" }
district = "Aghdam"
[[point]]
id = "pool"
name = { az = "Hovuz", ru = "Бассейн", en = "Pool" }
kind = "pool"
node = "pool-node"
"""
SHOWN = 'SELECT "discharge_lps" FROM "water" WHERE "q" < 4 AND "discharge_lps_q" < 4'


@pytest.fixture(scope="module")
def influx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Influx]:
    running = start_influx(tmp_path_factory.mktemp("influx"), max_body_bytes=20_000)
    yield running
    running.stop()


@pytest.fixture
def output(influx: Influx, tmp_path: Path) -> Iterator[InfluxOutput]:
    influx.query('DROP DATABASE "kahriz"')
    influx.query('CREATE DATABASE "kahriz"')
    made = from_plan(parse_plan(f'{PLAN}\n[influx]\nurl = "{influx.login_url}"'), tmp_path)
    yield made
    made.close()


def flow(ts: int, lps: float, q: int = 1) -> Value:
    return Value("pool", "discharge_lps", ts, lps, 0.3, q)


def shown(influx: Influx) -> list[list[float]]:
    series = influx.query(SHOWN)[0].get("series", [{"values": []}])
    found: list[list[float]] = series[0]["values"]
    return found


def test_values_are_read_back_as_written(output: InfluxOutput, influx: Influx) -> None:
    output.write([flow(TS, 12.25), flow(TS + 300_000, 11.0)])
    assert shown(influx) == [[TS, 12.25], [TS + 300_000, 11.0]]
    tags = influx.query('SELECT "site", "node", "point", "q" FROM "water" LIMIT 1')[0]["series"][0]
    assert tags["values"][0][1:] == ["banovshalar-gozlu", "pool-node", "pool", 1]


def test_writing_again_doubles_nothing(output: InfluxOutput, influx: Influx) -> None:
    for _ in range(3):
        output.write([flow(TS, 12.25)])
    assert shown(influx) == [[TS, 12.25]]


def test_a_recomputed_failure_takes_the_old_number_off_the_panel(
    output: InfluxOutput, influx: Influx
) -> None:
    output.write([flow(TS, 12.25)])
    output.write([flow(TS, 12.25, q=4)])
    assert shown(influx) == []


def test_a_bound_takes_the_old_number_off_the_panel(output: InfluxOutput, influx: Influx) -> None:
    output.write([flow(TS, 0.4)])
    output.write([Value("pool", "discharge_lt_lps", TS, 1.2, None, 3)])
    assert shown(influx) == []
    bound = influx.query('SELECT "discharge_lt_lps" FROM "water" WHERE "q" < 4')[0]["series"][0]
    assert bound["values"] == [[TS, 1.2]]


def alarms(influx: Influx) -> list[tuple[str, int, float]]:
    """(alarm, time, active) of every point."""
    found = influx.query('SELECT "active" FROM "alarm" GROUP BY "alarm"')[0].get("series", [])
    return [(one["tags"]["alarm"], row[0], row[1]) for one in found for row in one["values"]]


def test_an_alarm_of_a_wrong_clock_stands_once_and_at_its_right_time(
    output: InfluxOutput, influx: Influx, tmp_path: Path
) -> None:
    loop = Loop(tmp_path / "village.db")
    follower = Follower("influx", output, tmp_path)
    loop.find(leak(RAISED, T0))
    loop.clock.ms += 3653 * DAY_MS
    wrong_ms = loop.clock.ms
    loop.find(Finding(RAISED, "silent_node", "pool", wrong_ms))
    loop.tick(1_800_000)  # it has lasted
    while follower.step(loop.conn):
        pass
    at_first = alarms(influx)
    assert at_first[0] == ("1", T0, 1)
    assert len(at_first) == 2
    assert at_first[1][1] >= wrong_ms
    loop.clock.ms = T0 + DAY_MS
    loop.tick()
    for _ in range(2):  # twice: the program was killed before it could note that it is done
        while follower.step(loop.conn):
            pass
        assert alarms(influx) == [("1", T0, 1), ("2", loop.clock.ms, 1)]
        loop.conn.execute("DELETE FROM cursor WHERE name LIKE 'influx%'")
    loop.conn.close()


def test_removing_takes_one_point_of_one_alarm(output: InfluxOutput, influx: Influx) -> None:
    marks = [AlarmMark(i, "leak", "o'hara", TS + at, True) for i in (7, 8) for at in (0, 1)]
    output.write_alarms(marks)
    output.take_back_alarms(marks[:1])
    assert alarms(influx) == [("7", TS + 1, 1), ("8", TS, 1), ("8", TS + 1, 1)]


def test_a_real_servers_poison_is_set_aside_and_the_rest_is_stored(
    output: InfluxOutput, influx: Influx, tmp_path: Path
) -> None:
    good = [f"water,site=s,point=p v=1.0 {TS + i}" for i in range(300)]
    output.write_lines([*good[:100], "water,site=s,point=p v=", *good[100:]])
    counted = influx.query('SELECT count("v") FROM "water"')[0]["series"][0]["values"][0][1]
    assert counted == 300
    kept = (tmp_path / "influx-quarantine.jsonl").read_text().splitlines()
    assert [json.loads(each)["line"] for each in kept] == ["water,site=s,point=p v="]
    assert "400" in json.loads(kept[0])["reason"]


def test_a_type_that_a_field_does_not_have_costs_that_line_only(
    output: InfluxOutput, influx: Influx, tmp_path: Path
) -> None:
    output.write_lines([f"water,site=s v=1.0 {TS}"])
    output.write_lines([f"water,site=s v=2i {TS + 1}", f"water,site=s v=3.0 {TS + 2}"])
    rows = influx.query('SELECT "v" FROM "water"')[0]["series"][0]["values"]
    assert rows == [[TS, 1], [TS + 2, 3]]
    kept = (tmp_path / "influx-quarantine.jsonl").read_text()
    assert "conflict" in kept


def test_a_real_servers_body_limit_is_no_loss(output: InfluxOutput, influx: Influx) -> None:
    lines = [f"water,site=s,point=p v={i * 0.37:.6f} {TS + i * 7919}" for i in range(6000)]
    output.write_lines(lines)  # 5,000 of them are more than 20 kB, gzipped too
    counted = influx.query('SELECT count("v") FROM "water"')[0]["series"][0]["values"][0][1]
    assert counted == 6000


def test_an_outage_is_a_passing_fault(output: InfluxOutput, influx: Influx) -> None:
    output.write([flow(TS, 1.0)])
    influx.kill9()
    try:
        with pytest.raises(DeliveryError) as caught:
            output.write([flow(TS + 1, 2.0)])
        assert not caught.value.permanent
    finally:
        influx.restart()
    output.write([flow(TS + 1, 2.0)])
    assert shown(influx) == [[TS, 1.0], [TS + 1, 2.0]]


@pytest.mark.parametrize(
    ("change", "said"), [(("kahriz-local", "wrong"), "401"), (("", ""), "404")]
)
def test_wrong_password_and_wrong_bucket_are_said_as_such(
    influx: Influx, tmp_path: Path, change: tuple[str, str], said: str
) -> None:
    url = influx.login_url.replace(*change)
    bucket = "" if change[0] else 'bucket = "another"'
    broken = from_plan(parse_plan(f'{PLAN}\n[influx]\nurl = "{url}"\n{bucket}'), tmp_path)
    with pytest.raises(DeliveryError, match=said) as caught:
        broken.write([flow(TS, 1.0)])
    assert caught.value.permanent
    broken.close()


def test_a_secret_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    plan = parse_plan(f'{PLAN}\n[influx]\nurl = "http://127.0.0.1:1"\ntoken_file = "/no/such"')
    with pytest.raises(ConfigError, match=r"influx\.token_file"):
        from_plan(plan, tmp_path)


def test_the_client_is_imported_only_when_it_is_used() -> None:
    probe = "import sys, kahriz_gateway.outputs.influx; print('influxdb_client' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "False"
