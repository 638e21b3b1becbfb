# SPDX-License-Identifier: MIT
"""The electrical rule check: open pins, unused wires, rails, grounds, signal levels, BOM."""

import csv
import datetime
from pathlib import Path
from typing import Any

from tests.hardware.harness import Harness, Pin, nets

Parts = dict[str, dict[str, Any]]
COLUMNS = (
    *("ref", "qty", "mpn", "manufacturer", "description", "substitute", "unit_price"),
    *("currency", "price_date", "source", "lead_time_days", "criticality"),
)
KEYS = {"power", "supply", "ground", "passive", "bus", "ground_bus", "through", "drives"}
KEYS |= {"accepts", "nc", "ohm", "amps"}
# What a wire carries: IEC 60364-5-52, two loaded in a duct, rounded down, from memory; 0.25: ours.
CARRIES_A = {0.25: 2.5, 0.75: 6.0, 2.5: 24.0, 4.0: 32.0, 6.0: 41.0}


def check(harness: Harness, parts: Parts) -> list[str]:
    """Everything wrong with the wiring, one sentence each."""
    return [
        *unknown(harness, parts),
        *open_pins(harness, parts),
        *wires(harness),
        *rails(harness, parts),
        *grounds(harness, parts),
        *levels(harness, parts),
        *fuses(harness, parts),
    ]


def said(parts: Parts, part: str) -> set[str]:
    """The pins of the part that electrical.toml speaks of."""
    told = parts.get(part, {})
    kinds = ("power", "supply", "ground", "passive", "drives", "accepts", "nc")
    inside = {pin for group in groups(told) for pin in group}
    return inside | {str(pin) for kind in kinds for pin in told.get(kind, ())}


def unknown(harness: Harness, parts: Parts) -> list[str]:
    found = [f"{part} is in electrical.toml only" for part in parts.keys() - harness.pins.keys()]
    found += [f"{part} is in harness.yml only" for part in harness.pins.keys() - parts.keys()]
    for part, told in parts.items():
        found += [f"{part}: unknown key {key}" for key in told.keys() - KEYS]
        labels = set(harness.pins.get(part, ()))
        found += [f"{part} has no pin {pin}" for pin in said(parts, part) - labels]
        if not told.get("bus"):
            found += [f"{part}.{pin}: not said what it is" for pin in labels - said(parts, part)]
    return found


def open_pins(harness: Harness, parts: Parts) -> list[str]:
    used = {pin for _, _, *ends in harness.wires for pin in ends}
    used |= {pin for ends in harness.bridges for pin in ends}
    found = []
    for part, labels in harness.pins.items():
        nc = parts.get(part, {}).get("nc", {})
        for label in labels:
            if (part, label) in used and label in nc:
                found.append(f"{part}.{label} is wired, but nc: {nc[label]}")
            if (part, label) not in used and label not in nc:
                found.append(f"{part}.{label} is open without nc")
    return found


def wires(harness: Harness) -> list[str]:
    used = [(cable, wire) for cable, wire, _, _ in harness.wires]
    every = {(c, w) for c, count in harness.wire_counts.items() for w in range(1, count + 1)}
    ends = {(part, pin) for part, pins in harness.pins.items() for pin in pins}
    found = [f"wire {c}.{w} is not used" for c, w in sorted(every - set(used))]
    found += [f"wire {c}.{w} does not exist" for c, w in sorted(set(used) - every)]
    found += [f"wire {c}.{w} is used twice" for c, w in sorted(every) if used.count((c, w)) > 1]
    for cable, wire, a, b in harness.wires:
        found += [f"{cable}.{wire} ends at {p}.{n}: no such pin" for p, n in {a, b} - ends]
    return found


def circuit(harness: Harness, parts: Parts) -> list[set[Pin]]:
    joined = [(part, group) for part, told in parts.items() for group in groups(told)]
    joined += [(part, harness.pins[part]) for part, told in parts.items() if told.get("bus")]
    return nets(harness, joined)


def groups(told: dict[str, Any]) -> list[list[str]]:
    """`through`: one list of pins that are one net inside the part, or several lists."""
    found: list[Any] = told.get("through", [])
    return found if found and isinstance(found[0], list) else [found] if found else []


def of_kind(net: set[Pin], parts: Parts, kind: str) -> list[tuple[str, Any]]:
    """(name, value) of each pin of the net that has this kind."""
    return [
        (f"{part}.{pin}", parts[part][kind][pin])
        for part, pin in sorted(net)
        if pin in parts.get(part, {}).get(kind, {})
    ]


def rails(harness: Harness, parts: Parts) -> list[str]:
    found = []
    for net in circuit(harness, parts):
        supplies, sinks = (of_kind(net, parts, kind) for kind in ("supply", "power"))
        if len(supplies) > 1:
            found.append(f"two supplies on one rail: {', '.join(name for name, _ in supplies)}")
        for name, (least, most) in sinks:
            if not supplies:
                found.append(f"{name} has no supply")
            for source, (low, high) in supplies:
                if low < least or high > most:
                    found.append(f"{name} takes {least}-{most} V, {source} gives {low}-{high} V")
    return found


def grounds(harness: Harness, parts: Parts) -> list[str]:
    ground = {
        (part, pin)
        for part, told in parts.items()
        for pin in (
            harness.pins.get(part, ()) if told.get("ground_bus") else told.get("ground", ())
        )
    }
    whole = [net for net in circuit(harness, parts) if net & ground]
    found = []
    if not whole:
        return ["there is no ground"]
    largest = max(whole, key=len)
    for net in whole:
        if net is not largest:
            found += [f"{part}.{pin} is not on the common ground" for part, pin in net & ground]
    for net in whole:
        for kind in ("supply", "power"):
            found += [f"{name} is on ground" for name, _ in of_kind(net, parts, kind)]
    return found


def levels(harness: Harness, parts: Parts) -> list[str]:
    found = []
    for net in circuit(harness, parts):
        for driver, volts in of_kind(net, parts, "drives"):
            for name, most in of_kind(net, parts, "accepts"):
                if volts > most:
                    found.append(f"{driver} drives {volts} V, {name} takes {most} V")
    return found


def fuses(harness: Harness, parts: Parts) -> list[str]:
    """A fuse blows before any wire on its net glows; every battery has one."""
    found = []
    for net in circuit(harness, parts):
        amps = [parts[part]["amps"] for part, _ in net if "amps" in parts.get(part, {})]
        found += [f"{p}.{n} has no fuse" for p, n in net if p == "B1" and n == "+" and not amps]
        for cable, wire, *ends in harness.wires if amps else []:
            gauge = harness.gauges_mm2.get(cable)
            if gauge and net & set(ends) and CARRIES_A[gauge] < max(amps):
                found.append(
                    f"{cable}.{wire} of {gauge} mm2 carries {CARRIES_A[gauge]} A, "
                    f"its fuse holds {max(amps)} A"
                )
    return found


def read_bom(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def bom(rows: list[dict[str, str]], harness: Harness, parts: Parts) -> list[str]:
    """M… rows are mechanical; all others are exactly the parts and cables of the drawing."""
    found = []
    listed: list[str] = []
    for row in rows:
        refs = row["ref"].split()
        listed += refs
        where = row["ref"]
        found += [f"{where}: {column} is empty" for column in COLUMNS if not row.get(column)]
        if row["qty"] != str(len(refs)) and not row["ref"].startswith("M"):
            found.append(f"{where}: {row['qty']} pieces for {len(refs)} places")
        if row["criticality"] not in ("high", "medium", "low"):
            found.append(f"{where}: criticality {row['criticality']!r}")
        found += _price(row)
        found += [
            f"{ref}: {amps} A in electrical.toml, not in {row['mpn']!r}"
            for ref in refs
            if (amps := parts.get(ref, {}).get("amps")) and f" {amps} A" not in row["mpn"]
        ]
        mpn = {harness.mpn.get(ref, "") for ref in refs} - {""}
        if mpn and not any(row["mpn"].startswith(one) for one in mpn):
            found.append(f"{where}: {row['mpn']} here, {' '.join(mpn)} in the drawing")
    electrical = {ref for ref in listed if not ref.startswith("M")}
    drawn = harness.pins.keys() | harness.wire_counts.keys()
    found += [f"{ref} is drawn, but not in the BOM" for ref in sorted(drawn - electrical)]
    found += [f"{ref} is in the BOM, but not drawn" for ref in sorted(electrical - drawn)]
    found += [f"{ref} is listed twice" for ref in sorted(set(listed)) if listed.count(ref) > 1]
    return found


def _price(row: dict[str, str]) -> list[str]:
    found = []
    try:
        if float(row["unit_price"]) < 0 or int(row["lead_time_days"]) < 0:
            found.append(f"{row['ref']}: negative price or lead time")
        if len(row["currency"]) != 3:
            found.append(f"{row['ref']}: currency {row['currency']!r}")
    except ValueError:
        found.append(f"{row['ref']}: price or lead time is no number")
    try:
        datetime.date.fromisoformat(row["price_date"])
    except ValueError:
        found.append(f"{row['ref']}: a price without a date")
    return found
