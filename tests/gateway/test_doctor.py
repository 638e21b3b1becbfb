# SPDX-License-Identifier: MIT
"""The doctor finds what is wrong, one thing at a time, names the mend, and passes what is well."""

import functools
import http.server
import json
import threading
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from kahriz_gateway import checks
from kahriz_gateway.checks import FAIL, IDLE, PASS, About, examine
from kahriz_gateway.checks.certificates import judge_days
from kahriz_gateway.checks.machine import judge_bits, judge_room
from kahriz_gateway.config import Options
from kahriz_gateway.doctor_cli import doctor
from kahriz_gateway.intake.store import open_store
from kahriz_sim.services_process import free_port
from kahriz_wire.messages import Hello, encode_hello

from .conftest import NOW_MS, SITE, SITE_TOML, Gateway

NODES = ("outlet", "middle", "inlet", "pool", "fields", "tank")


def look(name: str, options: Options) -> tuple[str, str]:
    [result] = examine(About(options), [name])
    found = result.finding
    assert (found.state == FAIL) == bool(found.mend), "a FAIL names its mend, nothing else does"
    return found.state, f"{found.says}; {found.mend}"


def failed(name: str, options: Options, word: str) -> None:
    state, words = look(name, options)
    assert state == FAIL, words
    assert word in words


def run_doctor(*words: object) -> Result:
    return CliRunner().invoke(doctor, [str(word) for word in words])


@pytest.fixture
def options(tmp_path: Path) -> Options:
    (tmp_path / "clock").write_bytes(NOW_MS.to_bytes(8, "little"))
    (tmp_path / "data").mkdir()
    return Options(SITE_TOML, tmp_path / "data", clock_file=tmp_path / "clock")


def with_plan(options: Options, extra: str, *changes: tuple[str, str]) -> Options:
    text = f"{SITE_TOML.read_text()}\n{extra}\n"
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path = options.data.parent / "site.toml"
    path.write_text(text)
    return Options(path, options.data, clock_file=options.clock_file)


def test_every_check_of_the_index_exists_and_says_what_it_is_for() -> None:
    import importlib

    for place in checks.CHECKS.values():
        module, _, function = place.partition(":")
        home = importlib.import_module(f"kahriz_gateway.checks.{module}")
        assert callable(getattr(home, function))
        assert home.__doc__
    assert set(checks.SELF_TEST) <= set(checks.CHECKS)


def test_a_check_that_breaks_fails_by_itself(
    options: Options, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks, "CHECKS", {"gone": "machine:no_such", "clock": "machine:clock"})
    states = [result.finding.state for result in examine(About(options))]
    assert states == [FAIL, PASS]


def test_machine_plan_and_room(options: Options) -> None:
    assert judge_bits(32, "armv7l").state == FAIL
    assert judge_bits(64, "aarch64").state == PASS
    assert judge_room(199, options.data).state == FAIL
    assert judge_room(200, options.data).state == PASS
    assert look("plan", options)[0] == PASS
    assert look("data", options)[0] == PASS
    failed("plan", with_plan(options, "[brokre]"), "brokre")
    failed("plan", Options(options.data / "none.toml", options.data), "readable site.toml")
    (options.data / "file").touch()
    failed("data", Options(SITE_TOML, options.data / "file"), "cannot be written")


def test_without_a_plan_the_rest_is_not_judged(options: Options) -> None:
    broken = with_plan(options, "[brokre]")
    states = {each.name: each.finding.state for each in examine(About(broken))}
    assert states["plan"] == FAIL
    assert {state for name, state in states.items() if name not in ("plan", "machine")} <= {
        IDLE, PASS,
    }  # fmt: skip
    assert states["receipt"] == states["influx"] == states["nodes"] == IDLE


def test_a_clock_that_is_not_set_or_not_there(options: Options, tmp_path: Path) -> None:
    assert look("clock", options)[0] == PASS
    assert options.clock_file is not None
    options.clock_file.write_bytes(bytes(8))
    failed("clock", options, "DS3231")
    assert look("nodes", options)[0] == IDLE, "nobody can say who is late"
    failed("clock", Options(SITE_TOML, options.data, clock_file=tmp_path / "none"), "simulat")


def test_stores_of_another_site_damaged_or_without_records(options: Options) -> None:
    assert look("store", options)[0] == PASS
    failed("records", options, "records import")
    path = options.data / "readings.db"
    open_store(path, "another-site").close()
    failed("store", options, "is of another-site")
    path.write_bytes(b"not a database" * 1000)
    failed("store", options, "restore")


def test_who_is_late_who_never_spoke_and_who_is_well(options: Options) -> None:
    gateway = Gateway(options.data / "readings.db")
    gateway.accept = type(gateway.accept)(gateway.conn, SITE, NODES.__contains__, gateway.clock)

    def hello(node: str, ago_s: int) -> None:
        gateway.clock.ms = NOW_MS - ago_s * 1000
        gateway.tell("hello", encode_hello(Hello("00000001", "9f3a01c2", 1, 1)), node)

    for node in NODES[:-1]:
        hello(node, 3600)
    failed("nodes", options, "tank never spoke")
    hello("tank", 3600 + 121)
    failed("nodes", options, "tank is silent for 62 min")
    hello("tank", 3600 + 120)
    assert look("nodes", options)[0] == PASS
    hello("tank", -2 * 86_400)
    failed("nodes", options, "tank was last heard in the future")


def test_a_broker_that_is_not_there(options: Options) -> None:
    port = free_port()
    gone = with_plan(options, "", ("port = 1883", f"port = {port}"))
    failed("broker", gone, "mosquitto")
    assert look("receipt", gone)[0] == IDLE


class Answers(http.server.BaseHTTPRequestHandler):
    def __init__(self, body: bytes, *words: object) -> None:
        self._body = body
        super().__init__(*words)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self._body)

    def log_message(self, *_: object) -> None: ...


@pytest.mark.parametrize(
    ("body", "state", "word"),
    [(b"<html>router", FAIL, "[page]"), (b"7", FAIL, "[page]"), (b'{"state": 1}', PASS, "answers")],
)
def test_the_pages_port_may_be_another_programs(
    options: Options, body: bytes, state: str, word: str
) -> None:
    with http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Answers, body)
    ) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        here = Options(SITE_TOML, options.data, page=f"127.0.0.1:{server.server_port}")
        found, words = look("page", here)
        server.shutdown()
    assert found == state
    assert word in words
    failed("page", here, "kahriz-village")


def test_days_to_the_end() -> None:
    assert judge_days(60, "doctor.pem").state == PASS
    assert "renew doctor" in judge_days(59, "doctor.pem").mend
    assert "ended 3 days ago" in judge_days(-3, "broker.pem").says
    assert "ca roll" in judge_days(10, "ca.pem").mend


def test_exit_codes_and_words(options: Options) -> None:
    common = ("--config", SITE_TOML, "--data", options.data)
    well = run_doctor(*common, "--only", "machine", "--only", "plan")
    assert (well.exit_code, well.output.count("pass  ")) == (0, 2)
    ill = run_doctor(*common, "--only", "records")
    assert ill.exit_code == 1
    assert ill.output.startswith("FAIL  records: ")
    assert "\n      mend: " in ill.output
    rows = json.loads(run_doctor(*common, "--only", "records", "--json").output)
    assert rows[0]["state"] == FAIL
    assert run_doctor("--only", "nothing").exit_code == 2
