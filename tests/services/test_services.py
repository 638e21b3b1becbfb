# SPDX-License-Identifier: MIT
"""The demo's real services: they start, come back after a kill, and never outlive us."""

import base64
import os
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from kahriz_sim.services import (
    Influx,
    ServiceError,
    answers_mqtt,
    claim_page,
    find_program,
    start_broker,
    start_influx,
)
from kahriz_sim.services_broker import Kind

WAIT_S = 60.0
BOTH = pytest.mark.parametrize(
    "kind", [pytest.param("mosquitto", marks=pytest.mark.needs("mosquitto")), "nats"]
)


def alive(pid: int) -> bool:
    """Whether a process still runs; one that is dead but not yet collected does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"


def until_gone(pids: list[int]) -> list[int]:
    deadline = time.monotonic() + WAIT_S
    left = pids
    while left and time.monotonic() < deadline:
        left = [pid for pid in left if alive(pid)]
        time.sleep(0.02)
    return left


@BOTH
def test_a_broker_takes_a_connect_and_stop_leaves_no_process(tmp_path: Path, kind: Kind) -> None:
    broker = start_broker(tmp_path, kind)
    assert broker.kind == kind
    assert answers_mqtt(broker.port, WAIT_S)
    broker.stop()
    assert not alive(broker.pid)
    assert not answers_mqtt(broker.port)


@BOTH
def test_a_killed_broker_comes_back_on_its_port(tmp_path: Path, kind: Kind) -> None:
    broker = start_broker(tmp_path, kind)
    try:
        first = broker.pid
        broker.kill9()
        assert not answers_mqtt(broker.port)
        broker.restart()
        assert answers_mqtt(broker.port, WAIT_S)
        assert broker.pid != first
    finally:
        broker.stop()


def test_a_broker_is_found_without_being_asked_which(tmp_path: Path) -> None:
    broker = start_broker(tmp_path)
    try:
        assert answers_mqtt(broker.port, WAIT_S)
    finally:
        broker.stop()


def test_programs_in_sbin_are_found_under_a_bare_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert find_program("sh") is not None
    assert find_program("no-such-program-here") is None
    assert find_program("nats-server") == str(Path(sys.executable).parent / "nats-server")


def test_a_taken_port_is_said_in_one_line_with_the_mend(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(ServiceError, match=rf"port {port} .* choose another port") as caught:
            start_broker(tmp_path, port=port)
    assert "\n" not in str(caught.value)


def test_a_folder_that_cannot_be_made_is_said_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ServiceError, match="cannot write") as caught:
        start_broker(tmp_path / "file" / "data")
    assert "\n" not in str(caught.value)


def test_a_service_outlives_the_thread_that_started_it(tmp_path: Path) -> None:
    brokers = []
    thread = threading.Thread(target=lambda: brokers.append(start_broker(tmp_path)))
    thread.start()
    thread.join()
    try:
        for _ in range(5):
            assert answers_mqtt(brokers[0].port, WAIT_S)
            time.sleep(0.02)
    finally:
        brokers[0].stop()


@pytest.mark.needs("mosquitto", "influxd", "nginx")
@pytest.mark.skipif(sys.platform != "linux", reason="the death signal is Linux's")
def test_no_service_outlives_a_killed_program(tmp_path: Path) -> None:
    program = textwrap.dedent(
        """
        import sys, time
        from pathlib import Path
        from kahriz_sim.services import start_broker, start_influx
        data = Path(sys.argv[1])
        pids = [start_broker(data, "mosquitto").pid, start_broker(data, "nats").pid]
        print(*pids, *start_influx(data).pids, flush=True)
        time.sleep(600)
        """
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    pids = [int(each) for each in parent.stdout.readline().split()]
    assert len(pids) == 4
    assert all(alive(pid) for pid in pids)
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    assert until_gone(pids) == []


@pytest.fixture
def influx(tmp_path: Path) -> Influx:
    return start_influx(tmp_path)


@pytest.mark.needs("influxd", "nginx")
def test_influx_keeps_what_it_was_given_over_a_kill(influx: Influx) -> None:
    try:
        write(influx, b"water,site=s v=1.5 1764000000000")
        influx.kill9()
        influx.restart()
        assert values(influx) == [[1764000000000, 1.5]]
    finally:
        influx.stop()
    assert not any(alive(pid) for pid in influx.pids)


@pytest.mark.needs("influxd", "nginx")
def test_a_second_run_goes_on_from_the_stored_data_in_any_folder(tmp_path: Path) -> None:
    folder = tmp_path / "su; dəftəri #1"
    influx = start_influx(folder)
    write(influx, b"water,site=s v=1.5 1764000000000")
    influx.stop()
    second = start_influx(folder)
    try:
        assert values(second) == [[1764000000000, 1.5]]
    finally:
        second.stop()


@pytest.mark.needs("influxd", "nginx")
def test_influx_refuses_a_wrong_password_and_an_unknown_bucket(influx: Influx) -> None:
    try:
        influx.password = "wrong"
        assert refusal(influx) == 401
        influx.password = "kahriz-local"
        influx.bucket = "other"
        assert refusal(influx) == 404
    finally:
        influx.stop()


@pytest.mark.needs("influxd", "nginx")
def test_a_taken_port_for_influx_leaves_nothing_running(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(ServiceError, match="choose another port"):
            start_influx(tmp_path, port=other.getsockname()[1])


def write(influx: Influx, body: bytes) -> None:
    url = f"{influx.url}/api/v2/write?org=kahriz&bucket={influx.bucket}&precision=ms"
    request = urllib.request.Request(url, body, method="POST")
    key = base64.b64encode(f"{influx.user}:{influx.password}".encode()).decode()
    request.add_header("Authorization", f"Basic {key}")
    with urllib.request.urlopen(request, timeout=WAIT_S) as reply:
        assert reply.status == 204


def refusal(influx: Influx) -> int:
    with pytest.raises(urllib.error.HTTPError) as caught:
        write(influx, b"water v=1.0 1764000000000")
    caught.value.close()
    return int(caught.value.code)


def values(influx: Influx) -> list[list[float]]:
    found: list[list[float]] = influx.query("SELECT v FROM water")[0]["series"][0]["values"]
    return found


@pytest.mark.parametrize("address", ["8080", ":8080", "127.0.0.1:0", "127.0.0.1:65536", "a:b"])
def test_a_page_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(ServiceError, match="is not HOST:PORT"):
        claim_page(address)


def test_a_taken_port_of_the_page_names_another() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ServiceError, match=f"port {port} for the page cannot be used"):
            claim_page(f"127.0.0.1:{port}")
