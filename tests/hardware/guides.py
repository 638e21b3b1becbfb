# SPDX-License-Identifier: MIT
"""What contradicts itself between a kit's page and its parts list, pins and commands."""

import re
import shlex
from pathlib import Path

import click

from kahriz.cli import main
from tests.hardware.kits import HARDWARE, Kit

KINDS = "U|R|C|D|S|B|PV|F|X|W|M|RT|PS"
REF = re.compile(rf"(?<![\w-])((?:{KINDS})\d{{1,2}})(?!\w)")
RANGE = re.compile(rf"(?<![\w-])({KINDS})(\d+)-\1(\d+)(?!\w)")
PARTS = re.compile(
    r"\*\*Parts\*\*: (\d+) ([A-Z]{3}), the sum of the estimates of (\d{4}-\d\d-\d\d)"
)
SAFE = ("(../safety.md)", "**Not built yet.**")
ORDER = ("X4 pulled", "USB in", "USB out", "X4 in", "F1 in")  # never both supplies at once
PLACE = r"(?:shaft|gallery|well|chamber|tank|pit)"
BELOW = re.compile(
    rf"(\w+ )\b(?:climb|go|step|reach)(?:s|es)? (?:down )?in(?:to|side)? (?:a |the )?{PLACE}"
)


def text_of(name: str) -> str:
    return (HARDWARE / name / "README.md").read_text(encoding="utf-8")


def findings(kit: Kit, text: str) -> list[str]:
    """One sentence for each contradiction of a page with its kit."""
    return [
        *references(kit, text),
        *prices(kit, text),
        *steps(text),
        *supplies(kit, text),
        *pins(kit, text),
        *commands(text),
        *safety(text),
    ]


def named(text: str) -> set[str]:
    """References of the text; R1-R7 are seven."""
    spread = {
        f"{kind}{number}"
        for kind, first, last in RANGE.findall(text)
        for number in range(int(first), int(last) + 1)
    }
    return spread | set(REF.findall(text))


def references(kit: Kit, text: str) -> list[str]:
    listed = {ref for row in kit["bom"] for ref in row["ref"].split()}
    said = named(text)
    found = [f"{ref} is on the page, but not in the BOM" for ref in sorted(said - listed)]
    return found + [f"{ref} is bought, but no step uses it" for ref in sorted(listed - said)]


def prices(kit: Kit, text: str) -> list[str]:
    total = sum(float(row["unit_price"]) * int(row["qty"]) for row in kit["bom"])
    currencies = {row["currency"] for row in kit["bom"]}
    told = PARTS.search(text)
    if told is None:
        return ["the page does not say what the parts cost, and when that was"]
    found = []
    if abs(total - int(told[1])) > 1:
        found.append(f"the page says {told[1]}, the BOM's sum is {total:.2f}")
    if currencies != {told[2]}:
        found.append(f"the page is in {told[2]}, the BOM in {' '.join(sorted(currencies))}")
    if {row["price_date"] for row in kit["bom"]} != {told[3]}:
        found.append(f"the page's prices are of {told[3]}, those of the BOM are not all")
    return found


def steps(text: str) -> list[str]:
    """The numbers of "Building" count from 1."""
    building = re.split(r"^## ", text, flags=re.MULTILINE)
    part = next((one for one in building if one.startswith("Building")), "")
    numbers = [int(number) for number in re.findall(r"^(\d+)\. ", part, re.MULTILINE)]
    if len(numbers) < 3 or numbers != list(range(1, len(numbers) + 1)):
        return [f"the steps are {numbers}"]
    return []


def supplies(kit: Kit, text: str) -> list[str]:
    """A node's USB and its battery are never joined."""
    if "chip" not in kit["kit"]:
        return []
    building = text[text.find("## Building") :]
    places = [building.find(words) for words in ORDER]
    if min(places) < 0 or places != sorted(places):
        return [f"USB and battery: {dict(zip(ORDER, places, strict=True))} is no safe order"]
    return []


def pins(kit: Kit, text: str) -> list[str]:
    """Each row of the pin table: the GPIO is wired to the parts that it names."""
    if "chip" not in kit["kit"]:
        return []
    wired: dict[str, set[str]] = {}
    for line in kit["harness"]["connections"]:
        ends = [
            (part, str(pin)) for step in (line[0], line[2]) for part, p in step.items() for pin in p
        ]
        for part, pin in ends:
            if part == "U1":
                wired.setdefault(pin, set()).update(other for other, _ in ends)
    found = []
    for row in re.findall(r"^\| ([\d, ]+) \| ([^|]+) \|", text, re.MULTILINE):
        gpios = [f"IO{number}" for number in re.findall(r"\d+", row[0])]
        reached = set().union(*(wired.get(gpio, set()) for gpio in gpios))
        found += [
            f"GPIO {gpio[2:]} of the page is not wired" for gpio in gpios if gpio not in wired
        ]
        first = REF.findall(row[1])[:1]
        found += [f"GPIO {row[0]}: {ref} is not on it" for ref in first if ref not in reached]
    return found


def commands(text: str) -> list[str]:
    """Every command of the page exists, with its options; nobody is sent to make."""
    found = ["`make flash` is for developers"] if "make flash" in text else []
    blocks = "\n".join(re.findall(r"```sh\n(.*?)```", text, re.DOTALL)).replace("\\\n", " ")
    lines = [line.strip() for line in blocks.splitlines()]
    lines += re.findall(r"`(kahriz [^`…]+)`", text.replace("\n", " "))
    for line in lines:
        if line.startswith("kahriz "):
            found += command(shlex.split(line)[1:])
    return found


def command(words: list[str]) -> list[str]:
    group: click.Command = main
    context = click.Context(main)
    rest = list(words)
    while isinstance(group, click.Group):
        name = rest.pop(0) if rest else "--help"
        if name.startswith("-"):
            return []
        inner = group.get_command(context, name)
        if inner is None:
            return [f"there is no kahriz {' '.join(words)}"]
        group = inner
    known = {option for each in group.params for option in each.opts} | {"--help"}
    if group.context_settings.get("ignore_unknown_options", False):
        return []
    said = {one.partition("=")[0] for one in rest if one.startswith("--")}
    return [f"kahriz {' '.join(words)}: no option {one}" for one in sorted(said - known)]


def safety(text: str) -> list[str]:
    found = [f"the page does not say {words}" for words in SAFE if words not in text]
    sent = [who.strip() for who in BELOW.findall(text) if who.strip().lower() != "nobody"]
    return found + [f"somebody is sent below ground: {who}" for who in sent]


def pages() -> list[Path]:
    """The other pages of the folder."""
    return [HARDWARE / name for name in ("README.md", "safety.md", "faults.md")]
