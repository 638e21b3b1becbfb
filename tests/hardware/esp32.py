# SPDX-License-Identifier: MIT
"""The chip's own traps, and the pin map of the firmware against the wiring."""

import ast
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kahriz_node import sensors
from tests.hardware.harness import Harness, Pin
from tests.hardware.rules import Parts, circuit

# Espressif, ESP32 data sheet (strapping pins, pin lists) and ESP32-WROVER data sheet (PSRAM).
STRAPPING = {0, 2, 5, 12, 15}
FLASH = {6, 7, 8, 9, 10, 11}
CONSOLE = {1, 3}
INPUT_ONLY = {34, 35, 36, 37, 38, 39}
ADC1 = {32, 33, 34, 35, 36, 37, 38, 39}
WAKES = {0, 2, 4, 12, 13, 14, 15, 25, 26, 27, 32, 33, 34, 35, 36, 37, 38, 39}
PSRAM = {16, 17}
ADC_MOST_V = 2.45  # at 11 dB attenuation, ESP32 data sheet


@dataclass(frozen=True)
class Use:
    """What the firmware does with a pin, and the part it must reach."""

    gpio: int
    role: str  # out, in, both, adc, wake
    name: str
    ends: Pin


def firmware_map(board: Path, config: Path, uses: dict[str, list[str]]) -> list[Use]:
    """From board_esp32.py's constants, a node's configuration and [uses] of its kit.toml."""
    constant = constants(board)
    channels = specs(config)
    found = []
    for name, (role, ends) in uses.items():
        driver, _, setting = name.partition(".")
        gpio = channels[driver][setting] if setting else constant[name]
        part, _, pin = ends.partition(".")
        found.append(Use(gpio, role, name, (part, pin)))
    for driver, spec in channels.items():
        for setting in sensors.module(driver).PINS:
            assert setting not in spec or f"{driver}.{setting}" in uses, f"{driver}.{setting}"
    return found


def specs(config: Path) -> dict[str, dict[str, Any]]:
    """The channels of a configuration by their driver."""
    channels = json.loads(config.read_text(encoding="utf-8"))["channels"].values()
    return {spec["driver"]: spec for spec in channels}


def drivers(config: Path) -> set[str]:
    """What a configuration drives."""
    return set(specs(config))


def constants(board: Path) -> dict[str, int]:
    """The whole numbers assigned at the top of the file."""
    found = {}
    for line in ast.parse(board.read_text(encoding="utf-8")).body:
        if isinstance(line, ast.Assign) and isinstance(line.value, ast.Constant):
            for target in line.targets:
                if isinstance(target, ast.Name):
                    found[target.id] = line.value.value
    return found


def check_chip(uses: list[Use], module: str) -> list[str]:
    """Pins that this chip does not give for that role."""
    found = []
    for use in uses:
        pin, where = use.gpio, f"{use.name} on GPIO {use.gpio}"
        if pin in STRAPPING:
            found.append(f"{where}: a strapping pin")
        if pin in FLASH:
            found.append(f"{where}: the flash is there")
        if pin in CONSOLE:
            found.append(f"{where}: the console is there")
        if pin in INPUT_ONLY and use.role in ("out", "both"):
            found.append(f"{where}: input only")
        if use.role == "adc" and pin not in ADC1:
            found.append(f"{where}: no ADC1, and ADC2 is blocked by the radio")
        if use.role == "wake" and pin not in WAKES:
            found.append(f"{where}: cannot wake the chip")
        if pin in PSRAM and "WROVER" in module.upper():
            found.append(f"{where}: {module} has its PSRAM there")
    pins = [use.gpio for use in uses]
    found += [f"GPIO {pin} has two uses" for pin in sorted(set(pins)) if pins.count(pin) > 1]
    return found


def check_map(uses: list[Use], harness: Harness, parts: Parts) -> list[str]:
    """Every pin of the firmware is wired to its part, and no other pin is."""
    found = []
    wired = {label for _, _, *ends in harness.wires for part, label in ends if part == "U1"}
    for use in uses:
        label = f"IO{use.gpio}"
        net = next((net for net in circuit(harness, parts) if ("U1", label) in net), set())
        if use.ends not in net:
            found.append(f"{use.name} is GPIO {use.gpio}, but {'.'.join(use.ends)} is not on it")
        wired.discard(label)
    extra = sorted(label for label in wired if re.fullmatch(r"IO\d+", label))
    found += [f"U1.{label} is wired, but the firmware does not use it" for label in extra]
    return found


def check_divider(board: Path, parts: Parts) -> list[str]:
    """The firmware's factor is the divider's, and a full cell stays inside the ADC's range."""
    top, bottom = parts["R2"]["ohm"], parts["R3"]["ohm"]
    factor = constants(board)["BATTERY_DIVIDER"]
    found = []
    if abs((top + bottom) / bottom - factor) > 1e-9:
        found.append(f"the divider is {(top + bottom) / bottom}, the firmware says {factor}")
    full_v = parts["B1"]["supply"]["+"][1] * bottom / (top + bottom)
    if full_v > ADC_MOST_V:
        found.append(f"a full cell puts {full_v:.2f} V on the ADC, it reads {ADC_MOST_V} V")
    return found
