# SPDX-License-Identifier: MIT
"""Every kit's page, read with the parts list in hand: nothing is missing, wrong, or unsafe."""

import re

import pytest

from kahriz_hardware.power.budget import BUDGET
from tests.hardware import guides, kits

WORDS = {  # what a figure of the budget must be bought as
    "battery_wh": r"battery|cell",
    "panel_w": r"panel|plug-in|charger",
    "charger": r"MPPT|charger",
    "regulator": r"buck|converter",
    "load_w": r"access point|Raspberry",
}


@pytest.mark.parametrize("name", kits.KITS)
def test_a_page_and_its_kit_say_the_same(name: str) -> None:
    assert guides.findings(kits.read(name), guides.text_of(name)) == []


def test_the_other_pages_name_only_commands_that_there_are() -> None:
    for page in guides.pages():
        assert guides.commands(page.read_text(encoding="utf-8")) == [], page.name


PLANTED = [
    ("outlet", "RT1 is glued", "RT9 is glued", "RT9 is on the page, but not in the BOM"),
    ("outlet", "on its bracket M3,", "on its bracket,", "M3 is bought, but no step uses it"),
    ("outlet", "**Parts**: 169 USD", "**Parts**: 190 USD", "the page says 190, the BOM's sum"),
    ("pool", "243 USD", "243 EUR", "the page is in EUR, the BOM in USD"),
    ("relay", "of 2026-11-23 in [bom", "of 2025-11-23 in [bom", "prices are of 2025-11-23"),
    ("gateway", "**Parts**", "Parts", "does not say what the parts cost"),
    ("pool", "\n3. U7 alone", "\n4. U7 alone", "the steps are [1, 2, 4, 4, 5, 6, 7, 8, 9]"),
    ("outlet", "USB out, X4 in, F1 in", "X4 in, F1 in, USB out", "is no safe order"),
    ("pipe-meter", "F1 out and X4 still pulled", "F1 in and X4 in", "is no safe order"),
    ("outlet", "| 16 | U2 TX", "| 13 | U2 TX", "GPIO 13 of the page is not wired"),
    ("pool", "| 26 | U4 ON |", "| 21 | U4 ON |", "GPIO 21: U4 is not on it"),
    ("outlet", "kahriz node provision --node", "make flash NODE=", "`make flash` is for"),
    ("pool", "kahriz node provision", "kahriz node install", "there is no kahriz node install"),
    ("relay", "--distance-m 900", "--distance-km 1", "no option --distance-km"),
    ("gateway", "(../safety.md)", "(safe)", "does not say (../safety.md)"),
    ("relay-pair", "**Not built yet.**", "Built.", "does not say **Not built yet.**"),
    ("pool", "nobody climbs in.", "one climbs into the tank.", "somebody is sent below ground"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "old", "new", "finding"), PLANTED)
def test_an_error_planted_in_a_page_is_found(name: str, old: str, new: str, finding: str) -> None:
    text = guides.text_of(name)
    assert old in text
    spoilt = text.replace(old, new)
    found = guides.findings(kits.read(name), spoilt)
    assert any(finding in one for one in found), found


def budget_references(text: str) -> list[str]:
    """Lines of the budget whose reference in brackets is no such part of the kit."""
    found = []
    for part in text.split("[[kit]]")[1:]:
        named = re.search(r'name = "([\w-]+)"', part)
        assert named
        kit = kits.read(named[1])
        bought = {ref: row for row in kit["bom"] for ref in row["ref"].split()}
        for key, refs in re.findall(r"^(\w+) = .*# \[([\w ]+)\]", part, re.MULTILINE):
            for ref in refs.split():
                row = bought.get(ref, {"mpn": "", "description": ""})
                if not re.search(WORDS[key], f"{row['mpn']} {row['description']}", re.IGNORECASE):
                    found.append(f"{named[1]}: {key} is no matter of {ref}")
    return found


def test_the_budget_names_the_parts_it_reckons_with() -> None:
    text = BUDGET.read_text(encoding="utf-8")
    assert budget_references(text) == []
    wrong = text.replace("# [U6] MPPT", "# [U4] MPPT")
    assert wrong != text
    assert budget_references(wrong) == ["gateway-solar: charger is no matter of U4"]
    missing = text.replace("[PV1 PV2] 2 x 150 W", "[PV1 PV3] 2 x 150 W")
    assert "gateway-solar: panel_w is no matter of PV3" in budget_references(missing)
