# SPDX-License-Identifier: MIT
"""When the gateway's clock is believed."""

import struct
import time
from pathlib import Path

import pytest

from kahriz_gateway.clock import (
    AFTER_ROW_MS,
    EARLIEST_MS,
    ClockError,
    FileClock,
    SystemClock,
    open_clock,
)
from kahriz_wire.messages import Row

from .conftest import NOW_MS, Gateway


def board(root: Path, *, rtc: bool, synchronised: bool) -> Path:
    """The files by which a Raspberry Pi tells what clock it has."""
    (root / "proc/device-tree").mkdir(parents=True)
    (root / "proc/device-tree/model").write_text("Raspberry Pi Zero 2 W")
    (root / "sys/class/rtc").mkdir(parents=True)
    if rtc:
        (root / "sys/class/rtc/rtc0").mkdir()
    if synchronised:
        synchronise(root)
    return root


def synchronise(root: Path) -> None:
    (root / "run/systemd/timesync").mkdir(parents=True)
    (root / "run/systemd/timesync/synchronized").touch()


@pytest.mark.parametrize(
    ("rtc", "synchronised", "trusted"),
    [(True, False, True), (False, True, True), (False, False, False)],
)
def test_a_board_needs_a_clock_chip_or_the_network(
    tmp_path: Path, rtc: bool, synchronised: bool, trusted: bool
) -> None:
    root = board(tmp_path, rtc=rtc, synchronised=synchronised)
    assert SystemClock(root).trusted() is trusted


def test_trust_comes_with_the_network_and_stays(tmp_path: Path) -> None:
    clock = SystemClock(board(tmp_path, rtc=False, synchronised=False))
    assert not clock.trusted()
    synchronise(tmp_path)
    assert clock.trusted()
    (tmp_path / "run/systemd/timesync/synchronized").unlink()
    assert clock.trusted(), "a clock once set goes on"


def test_a_pc_keeps_time_by_itself(tmp_path: Path) -> None:
    assert SystemClock(tmp_path).trusted()


def test_a_clock_before_the_program_or_the_last_row_is_not_believed(tmp_path: Path) -> None:
    now_ms = time.time_ns() // 1_000_000
    assert not SystemClock(tmp_path, earliest_ms=now_ms + 60_000).trusted()
    clock = SystemClock(tmp_path)
    clock.not_before(now_ms + 60_000)
    assert not clock.trusted()
    assert clock.now_ms() >= now_ms > EARLIEST_MS


def test_a_simulated_clock_is_read_anew_each_time(tmp_path: Path) -> None:
    path = tmp_path / "clock"
    path.write_bytes(struct.pack("<q", NOW_MS))
    clock = open_clock(path)
    assert isinstance(clock, FileClock)
    assert (clock.now_ms(), clock.trusted()) == (NOW_MS, True)
    with path.open("r+b") as file:
        file.write(struct.pack("<q", NOW_MS + 5))
    assert clock.now_ms() == NOW_MS + 5
    clock.not_before(NOW_MS + 6)
    assert not clock.trusted()


@pytest.mark.parametrize("content", [None, b"", b"1234"])
def test_a_missing_simulated_clock_is_told_in_words(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "clock"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ClockError, match="start the simulator first"):
        FileClock(path)


def test_a_board_is_known_where_systemd_hides_proc(tmp_path: Path) -> None:
    """ProcSubset=pid takes /proc/device-tree away: the same is told below /sys."""
    (tmp_path / "sys/firmware/devicetree/base").mkdir(parents=True)
    (tmp_path / "sys/firmware/devicetree/base/model").write_text("Raspberry Pi Zero 2 W")
    assert not SystemClock(tmp_path).trusted()


def test_a_clock_chip_years_ahead_of_the_last_row_waits_for_the_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An empty battery may say 2036 as well as 1970."""
    clock = SystemClock(board(tmp_path, rtc=True, synchronised=False))
    assert clock.trusted()
    monkeypatch.setattr(time, "time_ns", lambda: 2_082_758_400_000 * 1_000_000)  # 2036-01-01
    assert not clock.trusted()
    clock.not_before(NOW_MS)
    monkeypatch.setattr(time, "time_ns", lambda: (NOW_MS + AFTER_ROW_MS // 2) * 1_000_000)
    assert clock.trusted(), "a gateway may have been off for a year"
    monkeypatch.setattr(time, "time_ns", lambda: (NOW_MS + AFTER_ROW_MS + 1) * 1_000_000)
    assert not clock.trusted()
    synchronise(tmp_path)
    assert clock.trusted()


def test_the_network_is_believed_against_a_row_from_the_future(tmp_path: Path) -> None:
    """A clock chip said 2031 once: without this the gateway would tell no time until then."""
    now_ms = time.time_ns() // 1_000_000
    clock = SystemClock(board(tmp_path, rtc=True, synchronised=False))
    clock.not_before(now_ms + 5 * 365 * 86_400_000)
    assert not clock.trusted(), "a chip alone may be wrong again"
    synchronise(tmp_path)
    assert clock.trusted()


def test_a_wrong_clock_at_the_start_refuses_waits_and_dates_again(gateway: Gateway) -> None:
    """1970 after a power cut: no node is told that time, no row gets it; the network mends it."""
    gateway.clock.ms, gateway.clock.is_trusted = 86_400_000, False
    receipt = gateway.hello(1, 3, up_s=600, boot=7)
    assert receipt.now is None, "a node must not learn a wrong time"
    undated = [Row(n, 1, {"weir_distance_m": 0.6}, None, "unk", 300 * n, 7) for n in (1, 2)]
    answer = gateway.up(undated)
    assert answer is not None
    assert answer.upto == 2, "they are stored and receipted all the same"
    assert gateway.query("SELECT ts, tq, received FROM reading") == [(None, "unk", None)] * 2
    gateway.clock.ms, gateway.clock.is_trusted = NOW_MS, True
    receipt = gateway.hello(1, 3, up_s=900, boot=7)
    assert receipt.now == NOW_MS
    assert gateway.query("SELECT n, ts, tq FROM reading ORDER BY n") == [
        (1, NOW_MS - 600_000, "dated"), (2, NOW_MS - 300_000, "dated"),
    ]  # fmt: skip
    gateway.up([Row(3, 1, {"weir_distance_m": 0.6}, 1_000_000, None)])
    assert gateway.query("SELECT count(*) FROM reading") == [(2,)], "1970 is not believed"
    assert "a time before this program" in gateway.reasons()[0]
