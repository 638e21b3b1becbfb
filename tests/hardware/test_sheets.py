# SPDX-License-Identifier: MIT
"""Labels, sheets, pictures: in three languages, up to date, and no path without its record."""

from __future__ import annotations

import tomllib
import xml.etree.ElementTree as ET
from itertools import pairwise
from pathlib import Path

import pytest
from click.testing import CliRunner

from kahriz_hardware.cli import hardware
from kahriz_hardware.sheets.drill import TooTightError, places_mm
from kahriz_hardware.sheets.labels import LANGUAGES, words
from kahriz_hardware.sheets.page import broken
from kahriz_hardware.sheets.pictures import GLANDS, pictures
from tests.hardware import kits

PICTURES = pictures()
SITE = kits.ROOT / "firmware/kahriz_sim/sites/banovshalar-gozlu/site.toml"
ACCESS = """
[access.outlet]
path = { az = "Qərb yolu", ru = "Западная дорога", en = "West track" }
cleared_by = "ANAMA, list 214"
cleared_on = 2026-03-01
"""


def test_every_word_is_there_in_three_languages_and_promises_no_safe_water() -> None:
    told = words()
    for said in [*told["label"], *told["fields"].values(), *told["sheet"].values()]:
        assert all(said[language].strip() for language in LANGUAGES), said
    everything = " ".join(one[language].lower() for one in told["label"] for language in LANGUAGES)
    assert "safe" not in everything
    assert "безопас" not in everything
    assert "təhlükəsiz" not in everything


@pytest.mark.parametrize("name", sorted(PICTURES))
def test_a_printed_picture_is_whole_and_up_to_date(name: str) -> None:
    made = PICTURES[name]
    assert made == (kits.HARDWARE / name).read_text(encoding="utf-8"), "run hardware/draw.py"
    root = ET.fromstring(made)
    width, height = (float(root.get(key, "0mm").removesuffix("mm")) for key in ("width", "height"))
    for text in root.iter("{http://www.w3.org/2000/svg}text"):
        size, x, y = (float(text.get(key, "0")) for key in ("font-size", "x", "y"))
        share = {"middle": 0.5, "end": 0.0}.get(text.get("text-anchor", ""), 1.0)
        assert 0.0 < y < height, text.text
        assert x + share * 0.5 * size * len(text.text or "") < width, text.text


def test_a_point_without_a_cleared_path_gets_no_label_and_is_named(tmp_path: Path) -> None:
    plan = tmp_path / "site.toml"
    plan.write_text(SITE.read_text(encoding="utf-8") + ACCESS, encoding="utf-8")
    out = tmp_path / "labels"
    said = CliRunner().invoke(hardware, ["labels", "--site", str(plan), "--out", str(out)])
    assert said.exit_code == 3, said.output
    assert "middle: no [access.middle]" in said.output
    assert "outlet: no" not in said.output
    assert [path.name for path in out.glob("mines*")] == ["mines-outlet.svg"]
    label = (out / "mines-outlet.svg").read_text(encoding="utf-8")
    assert ">ANAMA, list 214<" in label
    assert ">01.03.2026<" in label
    assert ">Qərb yolu<" in label


def test_a_plan_that_is_wrong_and_a_folder_that_is_a_file_are_named(tmp_path: Path) -> None:
    plan = tmp_path / "site.toml"
    plan.write_text("[site]\nid = 4\n", encoding="utf-8")
    said = CliRunner().invoke(hardware, ["labels", "--site", str(plan), "--out", str(tmp_path)])
    assert said.exit_code == 2
    assert "site.toml.point: expected at least one" in said.output
    said = CliRunner().invoke(hardware, ["sheet", "--out", str(plan / "x")])
    assert said.exit_code != 0
    assert "Traceback" not in said.output


def test_words_that_are_longer_than_the_line_are_not_lost() -> None:
    assert broken("bir iki uzunuzunuzun", 4.0, 12.0) == ["bir", "iki", "uzunuzunuzun"]


def test_the_manifest_names_files_that_are_there_and_the_licence_of_the_folder() -> None:
    told = tomllib.loads((kits.HARDWARE / "okh.toml").read_text(encoding="utf-8"))
    assert told["license"] == "CERN-OHL-W-2.0"
    project = tomllib.loads((kits.ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert told["version"] == project["version"]
    paths = [told["readme"], told["bom"], told["manufacturing-instructions"], told["user-manual"]]
    for part in told["part"]:
        paths += [part["source"], *part["export"]]
    assert {part["name"] for part in told["part"]} == set(kits.KITS)
    assert [path for path in paths if not (kits.HARDWARE / path).is_file()] == []


def test_the_box_takes_the_glands_that_are_bought_and_each_cable_has_one() -> None:
    for name in ("outlet", "pool", "pipe-meter"):
        kit = kits.read(name)
        (row,) = (row for row in kit["bom"] if row["ref"] == "M2")
        assert int(row["qty"]) == GLANDS
        outside = [c for c in kit["harness"]["cables"].values() if c.get("category") != "bundle"]
        assert len(outside) <= GLANDS


def test_holes_keep_a_nut_apart_and_too_many_are_refused_with_their_number() -> None:
    for glands in range(1, 7):
        *places, vent = places_mm(glands)
        assert all(b - a >= 26.0 for a, b in pairwise(places))
        assert vent - places[-1] >= 23.0
        assert places[0] >= 8.0 + 13.0
        assert vent <= 200.0 - 8.0 - 10.0
    with pytest.raises(TooTightError, match="7 glands need 202 mm, 184 are free: 6 fit"):
        places_mm(7)
