# SPDX-License-Identifier: MIT
"""`kahriz gateway` as a person types it: words, exit codes, processes that end."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kahriz_sim.services import Broker, start_broker

from .conftest import PATIENCE_S, SITE, SITE_TOML, Node, Process, rows, wait_for

KAHRIZ = [sys.executable, "-m", "kahriz", "gateway"]
RECORDS = SITE_TOML.parent / "records.toml"
MakeNode = Callable[..., Node]
MakeIntake = Callable[..., Process]


def kahriz(*words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*KAHRIZ, *map(str, words)], capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )


def children(pid: int) -> set[int]:
    path = Path(f"/proc/{pid}/task/{pid}/children")
    return {int(word) for word in path.read_text().split()}


def alive(pid: int) -> bool:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def command_of(pid: int) -> str:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    return ""


class Running:
    """`kahriz gateway run` with both services, on a broker of its own."""

    def __init__(self, folder: Path, broker: Broker, clock_file: Path) -> None:
        self.data = folder / "data"
        self.log = folder / "run.log"
        with self.log.open("wb") as out:
            self.process = subprocess.Popen(
                [*KAHRIZ, "run", "--config", str(SITE_TOML), "--data", str(self.data),
                 "--broker", f"127.0.0.1:{broker.port}", "--page", "127.0.0.1:0",
                 "--clock-file", str(clock_file)],
                stdout=out, stderr=out,
            )  # fmt: skip
        self.wait_until_both_work()

    def pid(self, service: str) -> int | None:
        mine = children(self.process.pid)
        return next((pid for pid in mine if service in command_of(pid)), None)

    def wait_until_both_work(self) -> None:
        wait_for(lambda: self.pid("intake.service"), "intake runs")
        wait_for(lambda: self.pid("gateway village"), "the village runs")
        wait_for(lambda: b"subscribed" in self.log.read_bytes(), "intake subscribes")
        wait_for((self.data / "village.db").exists, "the village has a store")


@pytest.fixture
def running(tmp_path: Path, clock_file: Path) -> Iterator[Running]:
    broker = start_broker(tmp_path / "broker")
    made = Running(tmp_path, broker, clock_file)
    pids = children(made.process.pid)
    yield made
    made.process.kill()
    made.process.wait()
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    broker.stop()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_run_ends_both_services_and_leaves_no_process(
    running: Running, number: signal.Signals
) -> None:
    pids = children(running.process.pid)
    assert len(pids) == 2
    running.process.send_signal(number)
    assert running.process.wait(PATIENCE_S) == 0
    assert not any(alive(pid) for pid in pids)


def test_a_service_that_is_killed_is_started_again_and_the_other_goes_on(running: Running) -> None:
    for service, other in (
        ("intake.service", "gateway village"),
        ("gateway village", "intake.service"),
    ):
        victim, survivor = running.pid(service), running.pid(other)
        assert victim is not None
        os.kill(victim, signal.SIGKILL)
        wait_for(
            lambda service=service, victim=victim: running.pid(service) not in (None, victim),
            f"{service} is back",
        )
        assert running.pid(other) == survivor


def test_when_run_itself_is_killed_its_services_end(running: Running) -> None:
    pids = children(running.process.pid)
    running.process.kill()
    running.process.wait()
    wait_for(lambda: not any(alive(pid) for pid in pids), "nobody is left")


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        ("dt_s", 3, "did you mean dt_s"),
        ("missing file", 3, "site.toml"),
        ("clock", 5, "start the simulator first"),
        ("folder", 4, "choose another --data folder"),
        ("broker", 3, "HOST:PORT"),
    ],
)
def test_what_cannot_run_says_so_in_one_line_with_its_exit_code(
    tmp_path: Path, change: str, code: int, words: str
) -> None:
    config = tmp_path / "site.toml"
    if change != "missing file":
        text = SITE_TOML.read_text(encoding="utf-8")
        config.write_text(text.replace("dt_s", "dt_ss") if change == "dt_s" else text)
    (tmp_path / "file").write_text("")
    data = tmp_path / "file" / "data" if change == "folder" else tmp_path / "data"
    more = {"clock": ["--clock-file", tmp_path / "none"], "broker": ["--broker", "nowhere"]}
    done = kahriz("intake", "--config", config, "--data", data, *more.get(change, []))
    assert done.returncode == code, done.stderr
    assert done.stderr.strip().count("\n") == 0
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_run_refuses_a_bad_plan_at_once(tmp_path: Path) -> None:
    config = tmp_path / "site.toml"
    config.write_text("[site]\nid = 'x'\n")
    done = kahriz("run", "--config", config, "--data", tmp_path / "data")
    assert done.returncode == 3
    assert str(config) in done.stderr


def test_a_newer_store_ends_run_with_its_code(tmp_path: Path, clock_file: Path) -> None:
    from kahriz_gateway.intake.store import open_store, put_meta

    conn = open_store(tmp_path / "data" / "readings.db", SITE)
    put_meta(conn, "schema", "99")
    conn.close()
    done = kahriz(
        "run", "--config", SITE_TOML, "--data", tmp_path / "data", "--broker", "127.0.0.1:1",
        "--page", "127.0.0.1:0", "--clock-file", clock_file,
    )  # fmt: skip
    assert done.returncode == 4, done.stderr
    assert "newer Kahriz Monitor" in done.stderr


@pytest.mark.needs("mosquitto")
def test_ledger_and_quarantine_tell_what_is_missing_and_replay_what_was_mended(
    mosquitto: Broker, make_intake: MakeIntake, make_node: MakeNode, tmp_path: Path
) -> None:
    intake = make_intake(mosquitto.port)
    node = make_node(mosquitto.port)
    node.hello(1, 25)
    node.up(rows(1, 9))
    node.up(rows(13, 24))
    wait_for(lambda: intake.query("SELECT count(*) FROM reading") == [(21,)], "rows")
    found = json.loads(kahriz("ledger", "--data", intake.data, "--json").stdout)
    assert [(j["node"], j["stored"], j["missing_rows"]) for j in found] == [("outlet", 21, 3)]
    said = kahriz("ledger", "--data", intake.data)
    assert said.returncode == 0
    assert "missing 10 to 12 since 2026-" in said.stdout

    stranger = make_node(mosquitto.port, "new-well", "aaaaaaaa")
    stranger.up(rows(1, 2, level_m=1.5))
    wait_for(lambda: intake.query("SELECT count(*) FROM quarantine") == [(1,)], "quarantine")
    listed = kahriz("quarantine", "list", "--data", intake.data).stdout
    assert "new-well is not in the plan" in listed
    ident = int(listed.split()[0])
    shown = kahriz("quarantine", "show", ident, "--data", intake.data)
    assert [row["n"] for row in json.loads(shown.stdout)] == [1, 2]
    store = ["--config", SITE_TOML, "--data", intake.data, "--clock-file", tmp_path / "clock"]
    still = kahriz("quarantine", "replay", "--all", *store)
    assert (still.returncode, still.stdout.split("\n")[0]) == (1, "0 stored, 1 still in quarantine")

    records = tmp_path / "records.toml"
    records.write_text(
        '[[deployment]]\nnode = "new-well"\nchannel = "weir"\npoint = "outlet"\n'
        "from = 2026-04-01T08:00:00+04:00\nzero_m = 0.8\n"
    )
    assert kahriz("records", "import", records, *store).returncode == 0
    mended = kahriz("quarantine", "replay", "--all", *store)
    assert (mended.returncode, mended.stdout.strip()) == (0, "1 stored, 0 still in quarantine")
    assert intake.query("SELECT count(*) FROM reading WHERE node='new-well'") == [(2,)]
    stranger.hello(1, 4)
    receipt = stranger.receipt()
    assert receipt.missing == [[3, 3]], "the running intake has seen what was replayed"


@pytest.mark.needs("mosquitto")
def test_ledger_says_how_the_node_fares(
    mosquitto: Broker, make_intake: MakeIntake, make_node: MakeNode
) -> None:
    intake = make_intake(mosquitto.port)
    node = make_node(mosquitto.port)
    counts = {"wakes": 4711, "fails": 3, "watchdog": 2}
    node.hello(1, 2, boot=7, counts=counts, error="no access point")
    node.up(rows(1, 1))
    node.receipt(upto=1)
    said = kahriz("ledger", "--data", intake.data).stdout
    assert "7 power-ons; since the last: 3 fails, 4711 wakes, 2 watchdog" in said
    assert "its last error: no access point" in said
    [found] = json.loads(kahriz("ledger", "--data", intake.data, "--json").stdout)
    assert (found["boots"], found["counts"]) == (7, counts)


@pytest.mark.needs("mosquitto")
def test_rows_deleted_behind_the_gateways_back_are_told_as_a_contradiction(
    mosquitto: Broker, make_intake: MakeIntake, make_node: MakeNode
) -> None:
    intake = make_intake(mosquitto.port)
    node = make_node(mosquitto.port)
    node.hello(1, 25)
    node.up(rows(1, 24))
    node.receipt(upto=24)
    assert intake.stop() == 0
    from kahriz_gateway.intake.store import open_store

    conn = open_store(intake.data / "readings.db", SITE)
    conn.execute("DELETE FROM reading WHERE n IN (5, 6, 9)")
    said = kahriz("ledger", "--data", intake.data)
    assert said.returncode == 1
    assert "CONTRADICTION: by the rows [[5, 6], [9, 9]] is missing" in said.stdout


def test_records_go_in_and_come_out_the_same(tmp_path: Path) -> None:
    where = ["--data", tmp_path / "data"]
    assert kahriz("records", "import", RECORDS, "--config", SITE_TOML, *where).returncode == 0
    first = kahriz("records", "export", *where).stdout
    (tmp_path / "again.toml").write_text(first, encoding="utf-8")
    again = kahriz("records", "import", tmp_path / "again.toml", "--config", SITE_TOML, *where)
    assert again.stdout.startswith("0 ")
    assert first.count("[[deployment]]") == 10


def test_check_names_each_mend(tmp_path: Path, clock_file: Path) -> None:
    store = ["--config", SITE_TOML, "--data", tmp_path, "--broker", "127.0.0.1:1"]
    done = kahriz("check", *store, "--clock-file", clock_file, "--json")
    assert done.returncode == 1
    verdicts = {one["name"]: one for one in json.loads(done.stdout)}
    assert verdicts["plan"]["passed"]
    assert verdicts["clock"]["passed"]
    assert not verdicts["broker"]["passed"]
    assert "start mosquitto" in verdicts["broker"]["says"]
    assert "kahriz gateway records import" in verdicts["records"]["says"]


def test_intake_starts_without_the_page_and_the_command_lines_packages() -> None:
    code = (
        "import sys, kahriz_gateway.intake.service\n"
        "heavy = {'click', 'rich', 'starlette', 'uvicorn', 'jinja2', 'influxdb_client',\n"
        " 'msgspec'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("service", ["run", "village", "intake"])
def test_a_folder_that_cannot_be_is_one_line_with_the_mend(tmp_path: Path, service: str) -> None:
    (tmp_path / "file").write_text("no folder")
    done = kahriz(
        service, "--config", SITE_TOML, "--data", tmp_path / "file" / "data",
        "--broker", "127.0.0.1:1", "--page", "127.0.0.1:0",
    )  # fmt: skip
    assert done.returncode == 4
    assert done.stderr.count("\n") == 1
    assert "another --data folder" in done.stderr
