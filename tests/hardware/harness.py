# SPDX-License-Identifier: MIT
"""A WireViz harness as data: pins, wires, nets. WireViz draws; it does not check."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

Pin = tuple[str, str]  # (part, label), such as ("U1", "IO25")


@dataclass(frozen=True)
class Harness:
    """What the drawing says."""

    pins: dict[str, list[str]]  # part -> its pin labels
    mpn: dict[str, str]
    wire_counts: dict[str, int]  # cable -> number of its wires
    wires: list[tuple[str, int, Pin, Pin]]  # (cable, wire, one end, other end)
    bridges: list[tuple[Pin, Pin]]  # drawn as a loop beside one part
    gauges_mm2: dict[str, float]  # cable -> copper of one wire, where it is told


def read(path: Path) -> Harness:
    return parse(yaml.safe_load(path.read_text(encoding="utf-8")))


def parse(document: dict[str, Any]) -> Harness:
    pins, mpn, counts, bridges, gauges = {}, {}, {}, [], {}
    for part, told in document["connectors"].items():
        labels = told.get("pinlabels") or range(1, told["pincount"] + 1)
        pins[part] = [str(label) for label in labels]
        for a, b in told.get("loops", []):  # WireViz counts these from 1
            bridges.append(((part, pins[part][a - 1]), (part, pins[part][b - 1])))
        mpn[part] = str(told.get("mpn", ""))
    for cable, told in document["cables"].items():
        counts[cable] = told.get("wirecount", len(told.get("colors", [])))
        if "gauge" in told:
            gauges[cable] = float(told["gauge"].removesuffix(" mm2"))
    wires = []
    for line in document["connections"]:
        assert len(line) == 3, f"a connection is pin, wire, pin: {line}"
        (left,), (middle,), (right,) = (step.items() for step in line)
        for a, wire, b in zip(left[1], middle[1], right[1], strict=True):
            wires.append((middle[0], int(wire), (left[0], str(a)), (right[0], str(b))))
    return Harness(pins, mpn, counts, wires, bridges, gauges)


def nets(harness: Harness, joined: list[tuple[str, list[str]]]) -> list[set[Pin]]:
    """Pins that are one node of the circuit; `joined` lists pins that a part connects inside."""
    group = {(part, pin): {(part, pin)} for part, pins in harness.pins.items() for pin in pins}
    inside = [((part, pins[0]), (part, pin)) for part, pins in joined for pin in pins[1:]]
    for a, b in [*((a, b) for _, _, a, b in harness.wires), *harness.bridges, *inside]:
        if a in group and b in group and group[a] is not group[b]:
            group[a] |= group[b]
            for pin in group[b]:
                group[pin] = group[a]
    return list({id(net): net for net in group.values()}.values())
