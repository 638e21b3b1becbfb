# SPDX-License-Identifier: MIT
"""Words to systemd, heard by a socket as systemd's; the units; the clock they depend on."""

from __future__ import annotations

import configparser
import fcntl
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from kahriz_alarms.service import notify
from kahriz_alarms.service.notify import Notifier, tell
from kahriz_gateway import notify_sign
from kahriz_sim.services import Broker

from .conftest import PATIENCE_S, ROOT, SITE_TOML, Process

UNITS = ROOT / "gateway" / "deploy" / "systemd"
SERVICES = ("kahriz-intake.service", "kahriz-village.service", "kahriz-backup.service")
MOST = 2.0  # systemd-analyze's exposure, of 10


class Systemd:
    """The socket that systemd would hold."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._sock.bind(str(path))
        self._sock.settimeout(PATIENCE_S)
        self.heard: list[str] = []

    def next(self) -> str:
        self.heard += self._sock.recv(4096).decode().splitlines()
        return self.heard[-1]

    def wait_for(self, word: str) -> None:
        while word not in self.heard:
            self.next()

    def quiet(self) -> bool:
        self._sock.setblocking(False)
        try:
            self.heard += self._sock.recv(4096).decode().splitlines()
        except BlockingIOError:
            return True
        finally:
            self._sock.settimeout(PATIENCE_S)
        return False

    def close(self) -> None:
        self._sock.close()


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[Systemd]:
    made = Systemd(tmp_path / "notify")
    yield made
    made.close()


def test_words_reach_systemd_and_nobody_else(systemd: Systemd) -> None:
    assert tell("READY=1", {"NOTIFY_SOCKET": str(systemd.path)})
    assert systemd.next() == "READY=1"
    assert not tell("READY=1", {})
    assert not tell("READY=1", {"NOTIFY_SOCKET": "relative"})
    assert not tell("READY=1", {"NOTIFY_SOCKET": str(systemd.path) + "-gone"})


def test_an_abstract_socket_is_found_by_its_at_sign() -> None:
    name = f"kahriz-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(f"\0{name}")
        sock.settimeout(PATIENCE_S)
        assert tell("STOPPING=1", {"NOTIFY_SOCKET": f"@{name}"})
        assert sock.recv(99) == b"STOPPING=1"


def test_a_beat_is_told_four_times_in_a_watchdogs_time(
    systemd: Systemd, monkeypatch: pytest.MonkeyPatch
) -> None:
    now_s = [1000.0]
    monkeypatch.setattr(notify.time, "monotonic", lambda: now_s[0])
    notifier = Notifier({"NOTIFY_SOCKET": str(systemd.path), "WATCHDOG_USEC": "60000000"})
    for _ in range(600):  # a minute of turns
        notifier.beat()
        now_s[0] += 0.1
    while not systemd.quiet():
        pass
    assert systemd.heard == ["WATCHDOG=1"] * 4


def test_a_watchdog_meant_for_another_process_is_not_fed(systemd: Systemd) -> None:
    where = {"NOTIFY_SOCKET": str(systemd.path), "WATCHDOG_USEC": "1000", "WATCHDOG_PID": "1"}
    Notifier(where).beat()
    Notifier({**where, "WATCHDOG_USEC": "", "WATCHDOG_PID": str(os.getpid())}).beat()
    assert systemd.quiet()


@pytest.mark.needs("mosquitto")
def test_intake_is_ready_after_suback_beats_and_says_that_it_stops(
    mosquitto: Broker, make_intake: Callable[..., Process], systemd: Systemd, clock_file: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv("NOTIFY_SOCKET", str(systemd.path))
    monkeypatch.setenv("WATCHDOG_USEC", "400000")
    intake = make_intake(mosquitto.port)
    systemd.wait_for("READY=1")
    systemd.wait_for("WATCHDOG=1")
    assert b"subscribed" in intake.log.read_bytes()
    said = notify_sign.read(intake.data, "intake")
    assert said is not None
    assert (said["state"], notify_sign.running(intake.data)) == ("online", True)
    mosquitto.kill9()
    systemd.wait_for("STATUS=waiting for the broker")
    systemd.heard.clear()
    systemd.wait_for("WATCHDOG=1")  # no broker is no reason to be killed
    assert intake.stop() == 0
    systemd.wait_for("STOPPING=1")
    said = notify_sign.read(intake.data, "intake")
    assert said is not None
    assert (said["state"], notify_sign.running(intake.data)) == ("stopped", False)


def test_intake_without_a_broker_is_not_ready(
    tmp_path: Path, clock_file: Path, systemd: Systemd, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", str(systemd.path))
    argv = [sys.executable, "-m", "kahriz_gateway.intake.service", "--config", str(SITE_TOML),
            "--data", str(tmp_path / "data"), "--broker", "127.0.0.1:1"]  # fmt: skip
    child = subprocess.Popen(argv, stderr=subprocess.DEVNULL)
    try:
        systemd.wait_for("STATUS=waiting for the broker")
        child.send_signal(signal.SIGTERM)
        systemd.wait_for("STOPPING=1")
        assert child.wait(PATIENCE_S) == 0
        assert "READY=1" not in systemd.heard
    finally:
        child.kill()


def test_the_village_is_ready_after_its_first_pass(
    tmp_path: Path, clock_file: Path, systemd: Systemd, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", str(systemd.path))
    monkeypatch.setenv("WATCHDOG_USEC", "400000")
    argv = [sys.executable, "-m", "kahriz", "gateway", "village", "--config", str(SITE_TOML),
            "--data", str(tmp_path / "data"), "--broker", "127.0.0.1:1", "--page", "127.0.0.1:0",
            "--clock-file", str(clock_file)]  # fmt: skip
    child = subprocess.Popen(argv, stderr=subprocess.DEVNULL)
    try:
        systemd.wait_for("READY=1")
        systemd.heard.clear()
        systemd.wait_for("WATCHDOG=1")
        child.send_signal(signal.SIGTERM)
        systemd.wait_for("STOPPING=1")
        assert child.wait(PATIENCE_S) == 0
    finally:
        child.kill()


def test_the_sign_keeps_its_size_so_that_a_full_disk_can_take_it(tmp_path: Path) -> None:
    assert notify_sign.read(tmp_path, "intake") is None
    assert notify_sign.write(tmp_path, "intake", {"state": "online", "trouble": "disk " * 40})
    size = (tmp_path / "intake.state").stat().st_size
    assert notify_sign.write(tmp_path, "intake", {"state": "online"})
    assert (tmp_path / "intake.state").stat().st_size == size
    assert notify_sign.read(tmp_path, "intake") == {"state": "online"}
    assert not notify_sign.write(tmp_path / "nowhere", "intake", {"state": "online"})


def test_who_asks_whether_intake_lives_keeps_none_from_starting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (tmp_path / notify_sign.LOCK).open("a") as asked:
        fcntl.flock(asked, fcntl.LOCK_SH)
        instant = SimpleNamespace(sleep=lambda _: asked.close())  # then the answer is known
        monkeypatch.setattr(notify_sign, "time", instant)
        lock = notify_sign.take_lock(tmp_path)
    assert lock is not None
    assert notify_sign.running(tmp_path)
    assert notify_sign.take_lock(tmp_path) is None
    lock.close()


@pytest.mark.needs("systemd-analyze")
@pytest.mark.parametrize("name", SERVICES)
def test_a_unit_is_hardened(name: str) -> None:
    """The network is what they are for; of the rest nothing is left open."""
    said = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", str(UNITS / name)],
        capture_output=True, text=True, check=False, timeout=PATIENCE_S,
    )  # fmt: skip
    found = re.search(r"Overall exposure level for .*: ([0-9.]+)", said.stdout)
    assert found is not None, said.stderr
    assert float(found[1]) <= MOST, said.stdout
    assert "Invalid" not in said.stderr
    assert "Unknown" not in said.stderr


@pytest.mark.needs("systemd-analyze")
def test_systemd_understands_every_unit(tmp_path: Path) -> None:
    """With a program that is here in the place of the one on the Pi."""
    for path in UNITS.glob("kahriz*.*"):
        text = path.read_text().replace("/opt/kahriz/bin/kahriz", sys.executable)
        (tmp_path / path.name).write_text(text.replace("/usr/bin/systemctl", sys.executable))
    (tmp_path / "mosquitto.service").write_text("[Service]\nExecStart=/bin/true\n")
    said = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *map(str, sorted(tmp_path.glob("kahriz*.*")))],
        capture_output=True, text=True, check=False, timeout=PATIENCE_S,
    )  # fmt: skip
    ours = [line for line in said.stderr.splitlines() if "kahriz" in line]
    assert ours == [], said.stderr


@pytest.mark.parametrize("name", SERVICES[:2])
def test_a_unit_has_what_the_program_relies_on(name: str) -> None:
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read_string((UNITS / name).read_text())
    service = unit["Service"]
    assert service["Type"] == "notify"
    assert int(service["WatchdogSec"]) >= 60
    assert service["DynamicUser"] == "yes"
    assert service["StateDirectory"] == "kahriz"
    assert "adjtimex" in (UNITS / name).read_text(), "else nobody can tell a clock that is not set"
    assert "ProtectClock" not in service
    group = name.removeprefix("kahriz-").removesuffix(".service")
    assert f"gateway {group} " in service["ExecStart"]
