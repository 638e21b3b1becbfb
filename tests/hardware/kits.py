# SPDX-License-Identifier: MIT
"""The kits, found by folder, and everything that contradicts itself in one of them."""

import copy
import functools
import tomllib
from pathlib import Path
from typing import Any

import yaml

from tests.hardware import esp32, harness, rules

ROOT = Path(__file__).parents[2]
HARDWARE = ROOT / "hardware"
BOARD = ROOT / "firmware" / "lib" / "kahriz_node" / "board_esp32.py"
DEMO = sorted((ROOT / "firmware" / "kahriz_sim" / "sites").glob("*/nodes/*.json"))
KITS = sorted(path.parent.name for path in HARDWARE.glob("*/kit.toml"))
LOOP_MOST_A = 0.021  # NAMUR NE 43: a transmitter in fault
ADS1115_RANGE_V = 4.096
Kit = dict[str, Any]


def read(name: str) -> Kit:
    """The sources of a kit, to be spoiled by whoever likes."""
    return copy.deepcopy(_sources(name))


@functools.cache
def _sources(name: str) -> Kit:
    folder = HARDWARE / name
    return {
        "name": name,
        "harness": yaml.safe_load((folder / "harness.yml").read_text(encoding="utf-8")),
        "parts": tomllib.loads((folder / "electrical.toml").read_text(encoding="utf-8")),
        "bom": rules.read_bom(folder / "bom.csv"),
        "kit": tomllib.loads((folder / "kit.toml").read_text(encoding="utf-8")),
    }


def configs(kit: Kit) -> list[Path]:
    """Every configuration whose drivers are this kit's: of the demo's nodes, and its own."""
    found = [*DEMO, *sorted((HARDWARE / kit["name"]).glob("node.json"))]
    return [path for path in found if esp32.drivers(path) == set(kit["kit"]["drivers"])]


def findings(kit: Kit, board: Path = BOARD) -> list[str]:
    """Contradictions between wiring, parts list, firmware and what the chip can do."""
    drawn = harness.parse(kit["harness"])
    found = [*rules.check(drawn, kit["parts"]), *rules.bom(kit["bom"], drawn, kit["parts"])]
    told = kit["kit"]
    if "chip" in told:
        found += esp32.check_divider(board, kit["parts"])
        for config in configs(kit):
            uses = esp32.firmware_map(board, config, told["uses"])
            found += esp32.check_chip(uses, drawn.mpn[told["chip"]])
            found += esp32.check_map(uses, drawn, kit["parts"])
            if "loop" in told:
                found += loop(kit, esp32.specs(config)["loop_ads1115"])
    if "mains_gpio" in told:
        found += mains(kit, drawn)
    return found


def loop(kit: Kit, spec: dict[str, Any]) -> list[str]:
    """21 mA through the shunt leave the transmitter its volts and stay inside the ADC's range."""
    told, parts = kit["kit"]["loop"], kit["parts"]
    (supply, out), (sink, pin) = (told[key].split(".") for key in ("supply", "transmitter"))
    ohm = parts[told["shunt"]]["ohm"]
    found = []
    if spec["shunt_ohm"] != ohm:
        found.append(f"the shunt is {ohm} ohm, the firmware says {spec['shunt_ohm']}")
    left = parts[supply]["supply"][out][0] - LOOP_MOST_A * ohm
    needed = parts[sink]["power"][pin][0]
    if left < needed:
        found.append(f"{sink}.{pin} needs {needed} V, the shunt leaves {left:.1f} V")
    if min(ADS1115_RANGE_V, parts["U3"]["accepts"]["A0"]) < LOOP_MOST_A * ohm:
        found.append(f"the shunt gives {LOOP_MOST_A * ohm:.2f} V, the converter does not take it")
    return found


def mains(kit: Kit, drawn: harness.Harness) -> list[str]:
    """The divider's volts fit the computer's pin, and it is wired where the plan says."""
    parts = kit["parts"]
    gpio, end = (tuple(name.split(".")) for name in kit["kit"]["mains_gpio"])
    found = []
    if not any({gpio, end} <= net for net in rules.circuit(drawn, parts)):
        found.append(f"{'.'.join(gpio)} is not on {'.'.join(end)}")
    top, bottom = parts["R1"]["ohm"], parts["R2"]["ohm"]
    volts = parts["PS2"]["supply"]["+"][1] * bottom / (top + bottom)
    most = parts[gpio[0]]["accepts"][gpio[1]]
    if volts > most:
        found.append(f"the divider gives {volts:.2f} V, {'.'.join(gpio)} takes {most} V")
    return found
