# SPDX-License-Identifier: MIT
"""`kahriz node provision`: real esptool, MicroPython, broker with mutual TLS and gateway."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kahriz_tools import filesystem, micropython, provision_laptop
from kahriz_tools.board import Board
from kahriz_tools.esptool import Chip
from kahriz_tools.steps import walk
from tests.tools.bench_board import VFS, BenchBoard
from tests.tools.commission import (
    BEFORE_IMAGE,
    MAC,
    Commission,
    Prepared,
    small_micropython,
    told,
    wanted,
)

pytestmark = pytest.mark.needs("mosquitto")
MACHINE_TIME_S = 90  # the promise; a loaded machine of two cores took 21
STEPS = [
    *("laptop", "site", "micropython", "board", "chip", "certificate", "config", "image"),
    *("journal", "flash", "verify", "boot", "files", "sensors", "wifi", "broker", "tls"),
    *("receipt", "readings", "records", "label", "sheet"),
]


def test_one_command_brings_a_bare_board_to_a_receipt_and_a_sheet(
    field: Commission, first: tuple[dict[str, Any], str]
) -> None:
    said, _ = first
    assert [step["name"] for step in said["steps"]] == STEPS
    assert {step["state"] for step in said["steps"]} == {"PASS"}
    assert said["seconds"] < MACHINE_TIME_S
    assert field.readings() >= 1
    home = field.folder / "commissioned" / "outlet"
    assert (home / "sheet.pdf").read_bytes().startswith(b"%PDF")
    kept = b"".join(path.read_bytes() for path in home.glob("*") if path.is_file())
    key = (field.folder / "ca" / "nodes" / "outlet" / "key.der").read_bytes()
    assert key.hex().encode() not in kept
    assert b"demo-only-not-secret" not in kept, "the Wi-Fi's password"
    assert b"R. Quliyev" in kept


def test_a_second_run_changes_nothing(field: Commission, proven: BenchBoard) -> None:
    before, writes = field.files(), field.flash.writes
    said = told(field.provision(proven.port))
    assert said["did"] == []
    assert {step["state"] for step in said["steps"]} == {"PASS"}
    assert field.flash.writes == writes
    assert field.files() == before


def test_the_board_runs_its_program_when_the_technician_has_gone(
    field: Commission, first: tuple[dict[str, Any], str]
) -> None:
    files = filesystem.read(bytes(field.flash.data[VFS : VFS + 0x200000]))
    assert files is not None
    assert {"/boot.py", "/main.py", "/config.json", "/tls/key.der"} <= files.keys()
    assert filesystem.journals(files), "the readings of its first wake"


def test_words_go_to_stderr_and_without_colour_where_there_is_no_terminal(
    first: tuple[dict[str, Any], str],
) -> None:
    assert "PASS     receipt     the gateway has the first reading" in first[1]
    assert "\x1b" not in first[1]


# --- each step made to fail


@pytest.mark.parametrize("step", STEPS)
def test_every_step_is_made_to_fail_by_some_test(step: str) -> None:
    """Here, or where its accident has a file of its own."""
    tests = "".join(path.read_text("utf-8") for path in Path(__file__).parent.glob("test_*.py"))
    ways = (rf'fails\("{step}"', rf'"{step}: ', rf'\}}, "{step}", "', rf'\("{step}", "{step}\.')
    assert any(re.search(way, tests) for way in ways)


def test_laptop_a_clock_that_is_wrong(field: Commission, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provision_laptop.time, "time", lambda: 1_000_000.0)
    assert "clock" in Prepared(field).fails("laptop").says


def test_site_a_node_that_measures_nowhere(field: Commission, tmp_path: Path) -> None:
    (tmp_path / "nodes").mkdir()
    body = (field.folder / "nodes" / "outlet.json").read_text()
    (tmp_path / "nodes" / "outlet.json").write_text(body)
    (tmp_path / "site.toml").write_text('[site]\nid = "banovshalar-gozlu"\n')
    assert "no [[point]]" in Prepared(field, site=tmp_path).fails("site").says


def test_micropython_a_file_with_another_sum(field: Commission) -> None:
    kept = field.folder / micropython.FOLDER
    file = kept / json.loads((kept / micropython.RECORD).read_text(encoding="utf-8"))["file"]
    whole = file.read_bytes()
    try:
        file.write_bytes(whole[:-1] + b"\0")
        found = Prepared(field).fails("micropython")
    finally:
        file.write_bytes(whole)
    assert "is not the file that was kept" in found.says
    assert "fetch" in found.mend


def test_certificate_an_authority_that_is_not_there(field: Commission, tmp_path: Path) -> None:
    authority = replace(wanted(field).authority, folder=tmp_path)
    found = Prepared(field, authority=authority).fails("certificate")
    assert "no authority in" in found.says
    assert "kahriz site ca new" in found.mend


def test_board_a_port_where_nobody_is(field: Commission, first: object) -> None:
    found = Prepared(field, "/dev/ttyUSB99").fails("board", "micropython")
    assert found.says == "there is no port /dev/ttyUSB99"
    assert "cable" in found.mend


def test_chip_a_board_that_is_another_node(field: Commission, first: object) -> None:
    found = Prepared(field, node="middle").fails("chip", "micropython")
    assert "this board is outlet" in found.says
    assert "replace" in found.mend


def test_chip_a_flash_that_is_too_small(field: Commission) -> None:
    prepared = Prepared(field)
    prepared.at_board.chip = Chip("ESP32-D0WDQ6", MAC, 2 << 20)
    assert "2 MB" in prepared.fails("chip", "micropython").says


def test_config_a_network_without_its_password(field: Commission, first: object) -> None:
    said = replace(wanted(field).said, ssid="another")
    found = Prepared(field, said=said).fails("config", *BEFORE_IMAGE[:-1])
    assert "Wi-Fi" in found.says
    assert "KAHRIZ_WIFI_PASSWORD" in found.mend


def test_image_a_program_that_does_not_fit(field: Commission, first: object) -> None:
    prepared = Prepared(field)
    walk([prepared.steps[name] for name in BEFORE_IMAGE], lambda _: None)
    prepared.laptop.firmware = micropython.look("small", small_micropython(0x8000))
    assert "does not fit" in prepared.fails("image").says


def test_files_readings_of_another_node(
    field: Commission, proven: BenchBoard, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Board(proven.port) as board:
        right = board.read("/config.json") or b""
        board.write("/config.json", right.replace(b'"outlet"', b'"middle"'), lambda _: None)
    prepared = Prepared(field, proven.port)
    prepared.at_board.on_board = {"site": "banovshalar-gozlu", "node": "middle"}
    found = prepared.fails("files", *BEFORE_IMAGE)
    with Board(proven.port) as board:
        board.write("/config.json", right, lambda _: None)
    assert "keeps readings" in found.says


@pytest.mark.parametrize(
    ("senses", "step", "cause", "mend"),
    [
        ({"ultrasonic": [None] * 5}, "sensors", "sensor weir (a02yyuw) says", "rx 16"),
        ({"radio": {"up": False, "rssi": None, "assoc_ms": 900}}, "wifi", "does not take", "ssid"),
        ({"radio": {"up": True, "rssi": -88, "assoc_ms": 900}}, "wifi", "-88 dBm", "relay"),
    ],
)
def test_sensors_and_wifi_as_the_world_has_them(
    field: Commission, first: object, senses: dict[str, Any], step: str, cause: str, mend: str
) -> None:
    with field.board(**senses) as board:
        found = Prepared(field, board.port, again=True).fails(step, *BEFORE_IMAGE)
    assert cause in found.says
    assert mend in found.mend


def test_broker_tls_and_receipt_each_by_its_own_name(field: Commission, proven: BenchBoard) -> None:
    port = proven.port
    field.stop_intake()
    found = Prepared(field, port, again=True).fails("receipt", *BEFORE_IMAGE, "tls")
    assert "no receipt" in found.says
    assert "kahriz doctor" in found.mend
    with Board(port) as board:
        right = board.read("/tls/ca.der") or b""
        stranger = (field.folder / "ca" / "nodes" / "outlet" / "cert.der").read_bytes()
        board.write("/tls/ca.der", stranger, lambda _: None)
    found = Prepared(field, port, again=True).fails("tls", *BEFORE_IMAGE, "wifi", "broker")
    assert "another authority" in found.says
    with Board(port) as board:
        board.write("/tls/ca.der", right, lambda _: None)
    field.site.stop()
    found = Prepared(field, port, again=True).fails("broker", *BEFORE_IMAGE, "wifi")
    assert "nobody answers the node at 127.0.0.1" in found.says
    field.site.start()
    field.start_intake()


def test_records_a_gateway_that_was_not_named(field: Commission, first: object) -> None:
    gateway = replace(wanted(field).gateway, data=None)
    found = Prepared(field, gateway=gateway).fails("records", *BEFORE_IMAGE)
    assert "--gateway-data" in found.mend


def test_sheet_a_photo_that_is_none(field: Commission, first: object, tmp_path: Path) -> None:
    photo = tmp_path / "box.jpg"
    photo.write_bytes(b"no picture")
    found = Prepared(field, photo=photo).fails("sheet", *BEFORE_IMAGE, "records")
    assert "typst cannot draw" in found.says
    (field.folder / "commissioned" / "outlet" / "photo.jpg").unlink()
