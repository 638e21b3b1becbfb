# SPDX-License-Identifier: MIT
"""The outlet kit: wiring, parts, pins and firmware say the same; planted errors are found."""

import copy
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.hardware import kits
from tests.hardware.kits import BOARD, Kit


@pytest.fixture
def kit() -> Kit:
    """The sources, to be spoiled."""
    return kits.read("outlet")


def findings(kit: Kit, board: Path = BOARD) -> list[str]:
    return kits.findings(kit, board)


def test_the_kit_fits_the_firmware_of_every_ultrasonic_node_of_the_demo(kit: Kit) -> None:
    served = {path.stem for path in kits.configs(kit)}
    assert served == {"outlet", "middle", "inlet", "fields"}
    assert findings(kit) == []


def wire(kit: Kit, cable: str, number: int) -> list[Any]:
    for line in kit["harness"]["connections"]:
        if line[1].get(cable) == [number]:
            found: list[Any] = line
            return found
    raise KeyError(cable, number)


def drop(kit: Kit, cable: str, number: int) -> None:
    kit["harness"]["connections"].remove(wire(kit, cable, number))


def replug(kit: Kit, cable: str, number: int, end: int, pin: str) -> None:
    step = wire(kit, cable, number)[end]
    step[next(iter(step))] = [pin]


def set_row(kit: Kit, ref: str, column: str, value: str) -> None:
    next(row for row in kit["bom"] if row["ref"] == ref)[column] = value


def swap_supply(kit: Kit) -> None:
    kit["parts"]["B1"]["supply"]["+"] = [3.0, 4.2]  # a Li-ion cell under the same wiring
    kit["parts"]["U6"]["power"]["VIN"] = [1.3, 3.65]


PLANTED: list[tuple[str, Callable[[Kit], object], str]] = [
    ("enable left open", lambda k: drop(k, "W4", 8), "U6.EN is open without nc"),
    ("a wire nobody uses", lambda k: drop(k, "W8", 2), "wire W8.2 is not used"),
    (
        "one wire too many",
        lambda k: k["harness"]["cables"]["W1"]["colors"].append("GN"),
        "wire W1.5 is not used",
    ),
    (
        "a wire used twice",
        lambda k: wire(k, "W2", 3)[1].update(W2=[1]),
        "wire W2.1 is used twice",
    ),
    ("sensor straight on the cell", swap_supply, "U6.VIN takes 1.3-3.65 V, B1.+ gives 3.0-4.2 V"),
    (
        "5 V regulator",
        lambda k: k["parts"]["U6"]["supply"].update(VOUT=[4.9, 5.1]),
        "U1.3V3 takes 3.0-3.6 V, U6.VOUT gives 4.9-5.1 V",
    ),
    ("no supply", lambda k: drop(k, "W7", 2), "U4.VIN has no supply"),
    (
        "two supplies together",
        lambda k: k["parts"]["U6"].update(through=["VIN", "VOUT"]),
        "two supplies on one rail: B1.+, U6.VOUT",
    ),
    ("ground forgotten", lambda k: drop(k, "W2", 2), "U3.GND is not on the common ground"),
    (
        "plus on ground",
        lambda k: wire(k, "W6", 9)[2].clear() or wire(k, "W6", 9)[2].update(U4=["VIN"]),
        "U4.VIN is on ground",
    ),
    (
        "5 V signal into the chip",
        lambda k: k["parts"]["U2"]["drives"].update(TX=5.0),
        "U2.TX drives 5.0 V, U1.IO16 takes 3.6 V",
    ),
    (
        "RX and TX crossed",
        lambda k: replug(k, "W1", 3, 2, "RX") or replug(k, "W1", 4, 2, "TX"),
        "a02yyuw.rx is GPIO 16, but U2.TX is not on it",
    ),
    (
        "strapping pin wired",
        lambda k: replug(k, "W10", 1, 0, "IO12"),
        "U1.IO12 is wired, but nc: strapping: flash voltage",
    ),
    (
        "a pin the firmware does not know",
        lambda k: replug(k, "W10", 1, 0, "IO27"),
        "U1.IO27 is wired, but the firmware does not use it",
    ),
    (
        "module with PSRAM",
        lambda k: k["harness"]["connectors"]["U1"].update(mpn="ESP32-DevKitC-WROVER"),
        "a02yyuw.tx on GPIO 17: ESP32-DevKitC-WROVER has its PSRAM there",
    ),
    (
        "another divider",
        lambda k: k["parts"]["R3"].update(ohm=2_000_000),
        "the divider is 1.5, the firmware says 2",
    ),
    (
        "part without a line in the BOM",
        lambda k: k["bom"].pop(0),
        "U1 is drawn, but not in the BOM",
    ),
    (
        "line without a part",
        lambda k: set_row(k, "D1", "ref", "D9"),
        "D9 is in the BOM, but not drawn",
    ),
    ("price without a date", lambda k: set_row(k, "U2", "price_date", "-"), "a price without"),
    ("wrong count", lambda k: set_row(k, "R5 R6", "qty", "3"), "R5 R6: 3 pieces for 2 places"),
    ("another part number", lambda k: set_row(k, "U2", "mpn", "JSN"), "U2: JSN here, SEN0311"),
]


@pytest.mark.parametrize(
    ("plant", "finding"), [p[1:] for p in PLANTED], ids=[p[0] for p in PLANTED]
)
def test_a_planted_error_is_found(kit: Kit, plant: Callable[[Kit], object], finding: str) -> None:
    before = copy.deepcopy(kit)
    plant(kit)
    assert kit != before, "nothing was planted"
    assert any(finding in found for found in findings(kit)), findings(kit)


@pytest.mark.parametrize(
    ("constant", "gpio", "finding"),
    [
        ("BUTTON_PIN", 18, "BUTTON_PIN on GPIO 18: cannot wake the chip"),
        ("BATTERY_PIN", 27, "BATTERY_PIN on GPIO 27: no ADC1"),
        ("LED_RED_PIN", 35, "LED_RED_PIN on GPIO 35: input only"),
        ("LED_RED_PIN", 12, "LED_RED_PIN on GPIO 12: a strapping pin"),
        ("LED_RED_PIN", 9, "LED_RED_PIN on GPIO 9: the flash is there"),
        ("LED_RED_PIN", 1, "LED_RED_PIN on GPIO 1: the console is there"),
        ("LED_RED_PIN", 18, "GPIO 18 has two uses"),
        ("LED_RED_PIN", 23, "LED_RED_PIN is GPIO 23, but R6.A is not on it"),
    ],
)
def test_a_pin_moved_in_the_firmware_is_found(
    kit: Kit, tmp_path: Path, constant: str, gpio: int, finding: str
) -> None:
    source = BOARD.read_text(encoding="utf-8")
    moved = re.sub(rf"^{constant} = \d+", f"{constant} = {gpio}", source, flags=re.MULTILINE)
    assert moved != source
    board = tmp_path / "board_esp32.py"
    board.write_text(moved, encoding="utf-8")
    assert any(finding in found for found in findings(kit, board=board)), findings(kit, board=board)
