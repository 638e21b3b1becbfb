# SPDX-License-Identifier: MIT
"""`kahriz node flash` against MicroPython on a pseudo-terminal, with mpremote's own transport."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from kahriz_tools import flash as work
from kahriz_tools.board import Board
from kahriz_tools.cli import node
from kahriz_tools.errors import BenchError
from tests.tools.fake_board import FakeBoard

SECRET = "su-gözü-12-litr"
NOBODY = 65534
OUTLETS = ["a02yyuw", "ds18b20"]  # the drivers that its file names
ROOT = Path(__file__).parents[2]


def flash(port: str, *more: str, name: str = "outlet", password: str | None = None) -> Result:
    environment = {"KAHRIZ_WIFI_PASSWORD": password}
    arguments = ["flash", "--port", port, "--node", name, "--json", *more]
    return CliRunner().invoke(node, arguments, env=environment)


def told(result: Result) -> dict[str, Any]:
    assert result.stdout.count("\n") == 1, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def refused(result: Result, code: int) -> str:
    """The one line on stderr, which the JSON repeats."""
    assert result.exit_code == code, result.output
    said = told(result)
    lines = [line for line in result.stderr.splitlines() if line.startswith("kahriz node: ")]
    assert lines == [f"kahriz node: {said['what']}: {said['mend']}"]
    assert said["code"] == code
    assert said["mend"]
    return lines[0]


def on_board(board: FakeBoard, path: str) -> bytes | None:
    with Board(board.port) as session:
        return session.read(path)


def test_a_blank_board_gets_the_whole_program_and_its_configuration(board: FakeBoard) -> None:
    result = flash(board.port)
    assert result.exit_code == 0, result.output
    said = told(result)
    assert said["written"] == sorted([*work.program(OUTLETS), "/config.json"])
    assert said["unchanged"] == 0
    config = json.loads(on_board(board, "/config.json") or b"")
    assert (config["site"], config["node"]) == ("banovshalar-gozlu", "outlet")
    with Board(board.port) as session:
        for path, data in work.program(OUTLETS).items():
            assert session.read(path) == data


def test_a_second_run_writes_not_one_byte(board: FakeBoard) -> None:
    flash(board.port)
    board.cut_after(0)  # the first write would be the last
    said = told(flash(board.port))
    assert (said["ok"], said["written"], said["removed"], said["bytes"]) == (True, [], [], 0)


def test_a_dry_run_tells_and_writes_not_one_byte(board: FakeBoard) -> None:
    board.cut_after(0)
    said = told(flash(board.port, "--dry-run"))
    assert said["dry_run"]
    assert "/main.py" in said["written"]


def test_only_what_differs_is_written_and_stale_modules_go(board: FakeBoard) -> None:
    flash(board.port)
    with Board(board.port) as session:
        session.write("/main.py", b"print('last year')", lambda _: None)
        session.write("/lib/kahriz_node/old.py", b"V = 1", lambda _: None)
        session.write("/lib/of_somebody_else.py", b"V = 1", lambda _: None)
    said = told(flash(board.port))
    assert said["written"] == ["/main.py"]
    assert said["removed"] == ["/lib/kahriz_node/old.py"]
    assert on_board(board, "/main.py") == work.program(OUTLETS)["/main.py"]
    assert on_board(board, "/lib/of_somebody_else.py") == b"V = 1"


def test_the_journal_is_never_touched(board: FakeBoard) -> None:
    with Board(board.port) as session:
        session.write("/journal.2/00000001.seg", b"readings" * 100, lambda _: None)
    flash(board.port)
    assert told(flash(board.port, "--rename", name="middle"))["written"] == ["/config.json"]
    assert on_board(board, "/journal.2/00000001.seg") == b"readings" * 100


def test_a_board_that_keeps_readings_does_not_become_another_node_by_mistake(
    board: FakeBoard,
) -> None:
    flash(board.port)
    assert told(flash(board.port, name="inlet"))["written"] == ["/config.json"]
    with Board(board.port) as session:
        session.write("/journal.2/00000001.seg", b"readings", lambda _: None)
    line = refused(flash(board.port, name="middle"), 8)
    assert "is banovshalar-gozlu/inlet and keeps readings" in line
    assert told(flash(board.port, name="inlet"))["written"] == []


def test_a_program_that_would_not_find_the_journal_is_refused_with_the_mend(
    board: FakeBoard,
) -> None:
    flash(board.port)
    with Board(board.port) as session:
        session.write("/journal.3/9f3a01c2/00000001", b"readings", lambda _: None)
    line = refused(flash(board.port), 8)
    assert "keeps its readings in form 3, this program knows form 2" in line
    assert "update kahriz-monitor" in line


def test_the_program_starts_after_the_flash(board: FakeBoard) -> None:
    """main.py finds no radio on the fake, says so, and sleeps as its last resort."""
    flash(board.port)
    assert board.hear("kahriz:").startswith("kahriz: ImportError")
    assert board.hear("sleeps") == "sleeps 300000"


def test_the_password_is_on_the_board_and_nowhere_else(board: FakeBoard) -> None:
    result = flash(board.port, "--wifi-ssid", "Gözlü", "--broker-host", "10.0.0.2", password=SECRET)
    assert result.exit_code == 0, result.output
    assert SECRET not in result.output
    config = json.loads(on_board(board, "/config.json") or b"")
    assert config["wifi"] == {"ssid": "Gözlü", "password": SECRET}
    assert config["broker"]["host"] == "10.0.0.2"
    assert told(result)["notes"] == []
    shown = CliRunner().invoke(node, ["config", "show", "--port", board.port])
    assert "Gözlü" in shown.stdout
    assert SECRET not in shown.output


def test_what_the_board_knows_stays_when_nothing_else_is_said(board: FakeBoard) -> None:
    flash(board.port, "--wifi-ssid", "Gözlü", "--broker-host", "10.0.0.2", password=SECRET)
    assert told(flash(board.port))["written"] == []
    assert told(flash(board.port, "--wifi-ssid", "Gözlü"))["written"] == []
    assert told(flash(board.port, "--broker-host", "10.0.0.3"))["written"] == ["/config.json"]


def test_the_demo_settings_are_pointed_out(board: FakeBoard) -> None:
    notes = told(flash(board.port))["notes"]
    assert any("--broker-host" in note for note in notes)
    assert any("--wifi-ssid" in note for note in notes)


def test_another_wifi_without_a_password_is_refused_before_anything_is_written(
    board: FakeBoard,
) -> None:
    line = refused(flash(board.port, "--wifi-ssid", "another"), 8)
    assert "KAHRIZ_WIFI_PASSWORD" in line
    assert on_board(board, "/main.py") is None


def test_the_password_comes_from_a_file(board: FakeBoard, tmp_path: Path) -> None:
    secret = tmp_path / "wifi"
    secret.write_text(f"{SECRET}\n", encoding="utf-8")
    flash(board.port, "--wifi-ssid", "Gözlü", "--wifi-password-file", str(secret))
    assert json.loads(on_board(board, "/config.json") or b"")["wifi"]["password"] == SECRET


def test_a_port_that_is_not_there_is_named_with_the_mend() -> None:
    assert "there is no port /dev/ttyUSB99" in refused(flash("/dev/ttyUSB99"), 4)


def test_a_busy_port_is_named_with_the_mend(board: FakeBoard) -> None:
    with Board(board.port):
        assert "is busy: close the other program" in refused(flash(board.port), 4)


def test_a_port_without_permission_names_the_group(board: FakeBoard) -> None:
    os.chmod(board.port, 0)
    me = os.geteuid()
    if me == 0:
        os.seteuid(NOBODY)
    try:
        with pytest.raises(BenchError, match=r"no permission .* dialout") as found:
            Board(board.port)
    finally:
        os.seteuid(me)
    assert found.value.code == 4


def test_a_port_where_nobody_answers_says_which_button(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kahriz_tools.board.Board.__init__.__defaults__", (0.3,))
    outer, port = os.openpty()
    try:
        line = refused(flash(os.ttyname(port)), 5)
    finally:
        os.close(outer)
        os.close(port)
    assert "nothing answers as MicroPython" in line
    assert "EN" in line


def test_a_full_flash_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with FakeBoard(tmp_path / "small.lfs", blocks=16) as small:
        line = refused(flash(small.port), 7)
        assert "let the node upload its journal" in line
        assert on_board(small, "/main.py") is None


def test_a_flash_that_fills_up_on_the_way_says_so(tmp_path: Path) -> None:
    with FakeBoard(tmp_path / "small.lfs", blocks=16) as small, Board(small.port) as session:
        with pytest.raises(BenchError, match="flash is full") as found:
            session.write("/stage/big", b"x" * 70_000, lambda _: None)
        assert found.value.code == 7


@pytest.mark.parametrize(
    ("platform", "version", "mpy", "word"),
    [
        ("rp2", (1, 29, 0), 6, "not on an ESP32"),
        ("esp32", (1, 19, 1), 6, "too old"),
        ("esp32", (1, 29, 0), 7, "loads .mpy v7"),
    ],
)
def test_a_board_that_cannot_run_the_program_is_refused(
    tmp_path: Path, platform: str, version: tuple[int, int, int], mpy: int, word: str
) -> None:
    with FakeBoard(tmp_path / "flash.lfs", chip=(platform, version, mpy)) as other:
        assert word in refused(flash(other.port), 6)
        assert on_board(other, "/main.py") is None


def test_an_unknown_node_or_site_lists_the_known_ones() -> None:
    assert "outlet" in refused(flash("/dev/none", name="otlet"), 8)
    assert "banovshalar-gozlu" in refused(flash("/dev/none", "--site", "nowhere"), 8)


def test_make_flash_is_this_command() -> None:
    done = subprocess.run(
        ["make", "-n", "flash", "PORT=/dev/ttyUSB0", "NODE=outlet"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "kahriz node flash --port /dev/ttyUSB0 --node outlet" in done.stdout


def test_every_node_of_the_shipped_sites_is_right() -> None:
    for site in ("banovshalar-gozlu", "baharli-valibay"):
        done = CliRunner().invoke(node, ["config", "check", "--site", site, "--json"])
        assert done.exit_code == 0, done.output
        assert len(told(done)["nodes"]) == 6
