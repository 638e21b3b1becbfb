# SPDX-License-Identifier: MIT
"""Every kit: wiring, parts list, firmware, power budget and drawing say the same."""

from __future__ import annotations

import hashlib
import html
import importlib.util
import json
import re
import tomllib
from collections import Counter
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from kahriz_hardware.power.budget import NODES, read
from kahriz_node import config
from kahriz_sim.energy import PROFILES
from tests.hardware import harness, kits, rules

SUN, BUDGET = read()
BY_NAME = {kit.name: kit for kit in BUDGET}
WANTED = {"outlet", "pool", "pipe-meter", "relay", "relay-pair", "gateway", "gateway-solar"}
WITH_CHIP = [name for name in kits.KITS if "chip" in kits.read(name)["kit"]]


def test_there_is_a_kit_for_every_purpose_and_a_budget_for_every_kit() -> None:
    assert set(kits.KITS) == WANTED
    assert set(BY_NAME) == WANTED
    for name in kits.KITS:
        folder = kits.HARDWARE / name
        wanted = ("README.md", "bom.csv", "electrical.toml", "harness.yml", "harness.svg")
        assert [file for file in wanted if not (folder / file).is_file()] == []


@pytest.mark.parametrize("name", kits.KITS)
def test_a_kit_does_not_contradict_itself(name: str) -> None:
    assert kits.findings(kits.read(name)) == []


@pytest.mark.parametrize("name", WITH_CHIP)
def test_every_node_kit_has_a_configuration_that_the_firmware_takes(name: str) -> None:
    found = kits.configs(kits.read(name))
    assert found
    for path in found:
        config.check(json.loads(path.read_text(encoding="utf-8")))


def test_every_node_of_the_demo_can_be_built_from_a_kit() -> None:
    served = {path for name in WITH_CHIP for path in kits.configs(kits.read(name))}
    assert set(kits.DEMO) - served == set()


def spoil(name: str, path: str, value: object) -> kits.Kit:
    """The kit with another value at a path such as parts/U7/supply/VOUT+."""
    kit = kits.read(name)
    *steps, last = (int(step) if step.isdigit() else step for step in path.split("/"))
    place: Any = kit
    for step in steps:
        place = place[step]
    assert place[last] != value, "nothing was planted"
    place[last] = value
    return kit


def unplug(name: str, wire: str) -> kits.Kit:
    """The kit without the wire of that cable and number, such as W6.16."""
    kit = kits.read(name)
    cable, number = wire.split(".")
    lines = kit["harness"]["connections"]
    lines.remove(next(line for line in lines if line[1].get(cable) == [int(number)]))
    return kit


SPOILT = [
    ("pool", "parts/U7/supply/VOUT+", [11, 12], "U2.+ needs 10 V, the shunt leaves 7.8 V"),
    ("pool", "parts/U7/supply/VOUT+", [35, 36], "U2.+ takes 10-30 V, U7.VOUT+ gives 35-36 V"),
    ("pool", "parts/R1/ohm", 100, "the shunt is 100 ohm, the firmware says 150"),
    ("pool", "parts/R1/ohm", 200, "the shunt gives 4.20 V"),
    (
        "pool",
        "kit/uses/loop_ads1115.sda",
        ["both", "U3.SCL"],
        "loop_ads1115.sda is GPIO 21, but U3.SCL is not on it",
    ),
    ("pipe-meter", "parts/PS1/supply/+", [11, 13], "U5.IN+ takes 4.0-6.0 V, PS1.+ gives 11-13 V"),
    ("relay", "parts/U1/power/P4", [44, 57], "U1.P4 takes 44-57 V, U2.LOAD+ gives 10.5-14.6 V"),
    ("gateway", "parts/R2/ohm", 33000, "the divider gives 4.03 V, U1.GPIO17 takes 3.3 V"),
    ("gateway", "parts/U5/supply/OUT+", [11, 13], "U1.5V takes 4.75-5.25 V, U5.OUT+ gives 11-13 V"),
    (
        "gateway-solar",
        "parts/PV2/supply/+",
        [28, 120],
        "U6.PV+ takes 14-100 V, PV2.+ gives 28-120 V",
    ),
    (
        "relay-pair",
        "parts/PV2/supply/+",
        [28, 120],
        "U2.PV+ takes 14-100 V, PV2.+ gives 28-120 V",
    ),
    ("gateway-solar", "bom/0/ref", "U9", "U9 is in the BOM, but not drawn"),
    ("outlet", "parts/F1/amps", 3, "W9.3 of 0.25 mm2 carries 2.5 A, its fuse holds 3 A"),
    ("gateway", "parts/F1", {"passive": ["LOAD", "BATTERY"]}, "B1.+ has no fuse"),
    ("relay", "parts/F1/amps", 50, "W2.1 of 4.0 mm2 carries 32.0 A, its fuse holds 50 A"),
    ("gateway", "parts/F1/amps", 20, "F1: 20 A in electrical.toml, not in 'MIDI fuse 15 A'"),
    ("gateway-solar", "bom/0/price_date", "", "U1: a price without a date"),
]
UNPLUGGED = [
    ("pool", "W6.16", "U3.ADDR is open without nc"),
    ("pipe-meter", "W2.1", "pulse_meter.pin is GPIO 32, but R8.A is not on it"),
    ("relay", "W3.3", "U1.P7 is not on the common ground"),
    ("relay-pair", "W4.6", "U4.P7 is not on the common ground"),
    ("gateway", "W6.2", "U1.GPIO17 is not on R1.B"),
    ("gateway-solar", "W4.1", "wire W4.1 is not used"),
]


@pytest.mark.parametrize(("name", "path", "value", "finding"), SPOILT)
def test_a_wrong_figure_in_any_kit_is_found(
    name: str, path: str, value: object, finding: str
) -> None:
    found = kits.findings(spoil(name, path, value))
    assert any(finding in one for one in found), found


@pytest.mark.parametrize(("name", "wire", "finding"), UNPLUGGED)
def test_a_wire_left_out_of_any_kit_is_found(name: str, wire: str, finding: str) -> None:
    found = kits.findings(unplug(name, wire))
    assert any(finding in one for one in found), found


def rated(kit: kits.Kit, refs: str, unit: str) -> float:
    """The sum of a rating over a kit's parts: `6 Ah` in the parts list, times the pieces."""
    total = 0.0
    for row in kit["bom"]:
        if re.match(refs, row["ref"]):
            said = re.search(rf"([\d.]+) {unit}\b", f"{row['mpn']} {row['description']}")
            assert said, row
            total += float(said[1]) * int(row["qty"])
    return total


def bought(kit: kits.Kit) -> list[str]:
    """Where the budget reckons with another battery, panel or plug than the BOM has."""
    budget = BY_NAME[kit["name"]]
    cell_v = 3.2 if "chip" in kit["kit"] else 12.8
    battery_wh, panel_w = rated(kit, "B1", "Ah") * cell_v, rated(kit, "PV", "W")
    found = []
    if budget.battery_wh != pytest.approx(battery_wh):
        found.append(f"the budget has {budget.battery_wh:g} Wh, the BOM {battery_wh:g}")
    if budget.panel_w != pytest.approx(panel_w):
        found.append(f"the budget has {budget.panel_w:g} W of panel, the BOM {panel_w:g}")
    if bool(panel_w) == any(row["ref"] == "PS1" for row in kit["bom"]):
        found.append("neither sun nor mains, or both")
    return found


@pytest.mark.parametrize("name", kits.KITS)
def test_the_power_budget_reckons_with_the_parts_that_are_bought(name: str) -> None:
    assert bought(kits.read(name)) == []


@pytest.mark.parametrize(
    ("name", "ref", "old", "new", "finding"),
    [
        ("outlet", "B1", "6 Ah", "3 Ah", "the budget has 19.2 Wh, the BOM 9.6"),
        ("relay-pair", "PV1 PV2", "150 W", "100 W", "has 300 W of panel, the BOM 200"),
        ("gateway", "PS1", "PS1", "PS9", "neither sun nor mains"),
    ],
)
def test_a_battery_or_panel_other_than_the_budgets_is_found(
    name: str, ref: str, old: str, new: str, finding: str
) -> None:
    kit = kits.read(name)
    (row,) = (row for row in kit["bom"] if row["ref"] == ref)
    row.update({key: value.replace(old, new) for key, value in row.items()})
    assert any(finding in one for one in bought(kit)), bought(kit)


def test_the_nodes_joules_are_those_of_the_present_energy_model() -> None:
    told = tomllib.loads(NODES.read_text(encoding="utf-8"))
    assert told["profiles_sha256"] == hashlib.sha256(PROFILES.read_bytes()).hexdigest(), (
        "run scripts/power_loads.py"
    )
    assert set(told["joules_per_day"]) == set(WITH_CHIP)


def drawer() -> ModuleType:
    spec = importlib.util.spec_from_file_location("draw", kits.HARDWARE / "draw.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def texts(svg: Path) -> list[str]:
    found = re.findall(r"<text[^>]*>([^<]*)</text>", svg.read_text(encoding="utf-8"))
    return sorted(html.unescape(text) for text in found)


@pytest.mark.parametrize("name", kits.KITS)
def test_the_drawing_shows_every_wire_between_the_pins_it_joins(name: str) -> None:
    """WireViz mislabels a wire that begins and ends at one part."""
    folder = kits.HARDWARE / name
    drawn = harness.read(folder / "harness.yml")
    wanted: Counter[str] = Counter()
    for _, _, *ends in drawn.wires:
        for part, pin in ends:
            place = drawn.pins[part].index(pin) + 1
            wanted[f"{part}:{pin}" if pin == str(place) else f"{part}:{place}:{pin}"] += 1
    shown = Counter(
        text for text in texts(folder / "harness.svg") if text.split(":")[0] in drawn.pins
    )
    for part in drawn.pins:
        shown.pop(part, None)  # its own name, over its box
    assert shown == wanted
    for cable, number, a, b in drawn.wires:
        assert a[0] != b[0], f"{cable}.{number}: draw it as a loop"


@pytest.mark.needs("dot")
@pytest.mark.parametrize("name", kits.KITS)
def test_the_drawing_is_reproducible_and_up_to_date(tmp_path: Path, name: str) -> None:
    folder = kits.HARDWARE / name
    made = []
    for again in ("a", "b") if name == "outlet" else ("a",):
        (tmp_path / again).mkdir()
        made.append(drawer().draw(folder / "harness.yml", tmp_path / again))
    for pair in zip(*made, strict=True):
        assert len({path.read_bytes() for path in pair}) == 1
    svg, bom = made[0]
    assert str(tmp_path) not in svg.read_text(encoding="utf-8")
    assert bom.read_bytes() == (folder / "harness.bom.tsv").read_bytes(), "run hardware/draw.py"
    assert texts(svg) == texts(folder / "harness.svg"), "run hardware/draw.py"


def test_a_price_says_where_it_comes_from() -> None:
    for name in kits.KITS:
        for row in rules.read_bom(kits.HARDWARE / name / "bom.csv"):
            assert row["source"].startswith(("estimate", "comes with", "http")), row


def test_every_link_of_the_guides_leads_to_a_file() -> None:
    broken = []
    for page in kits.HARDWARE.rglob("*.md"):
        for link in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8")):
            if not link.startswith("http") and not (page.parent / link).exists():
                broken.append(f"{page.name}: {link}")
    assert broken == []
