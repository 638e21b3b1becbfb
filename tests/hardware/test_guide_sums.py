# SPDX-License-Identifier: MIT
"""Figures in the guides are those that the programs reckon."""

from __future__ import annotations

import json
import re

import pytest

from tests.hardware import kits
from tests.hardware.test_site_sums import ask


def rows(page: str, head: str) -> list[list[str]]:
    """The cells of a table in a README, below its head."""
    lines = (kits.HARDWARE / page).read_text(encoding="utf-8").splitlines()
    below = lines[lines.index(head) + 2 :]
    count = next(i for i, line in enumerate(below) if not line.startswith("|"))
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in below[:count]]


def test_the_links_in_the_guide_are_those_that_the_program_reckons() -> None:
    table = rows(
        "relay/README.md",
        "| link, on paper | node antenna | heights | margin to the point | back |",
    )
    for path, antenna, heights, there, back in table:
        distance, ridge = [*re.findall(r"(\d+) m", path), "0"][:2]
        near, far = re.findall(r"[\d.]+", heights)
        words = ["link", "--json", "--distance-m", distance, "--ridge-m", ridge]
        words += ["--antenna-dbi", antenna.split()[0], "--height-m", near, "--far-height-m", far]
        said = json.loads(ask(*words).stdout)
        assert there == f"{said['margin_to_access_point_db']:.1f} dB"
        assert back == f"{said['margin_to_node_db']:.1f} dB" + (
            "" if said["enough"] else ": refused"
        )
    assert len(table) == 4


def test_what_a_bridge_would_hear_is_what_the_program_reckons() -> None:
    guide = (kits.HARDWARE / "relay/README.md").read_text(encoding="utf-8")
    told = re.search(r"leaves ([\d.]+) dB each way \(`([^`]+)`\)", guide)
    assert told
    words = ["link", "--json", "--distance-m", 900, "--antenna-dbi", 2, *told[2].split()]
    said = json.loads(ask(*words).stdout)
    assert f"{said['margin_to_node_db']:.1f}" == told[1]
    assert f"{said['margin_to_access_point_db']:.1f}" == told[1]


def test_the_hops_of_the_second_relay_are_those_that_the_program_reckons() -> None:
    table = rows("relay-pair/README.md", "| hop, on paper | antennas | heights | margin each way |")
    for distance, antenna, heights, margin in table:
        near, far = re.findall(r"[\d.]+", heights)
        words = ["link", "--json", "--distance-m", distance.split()[0], "--dbm", 20]
        words += ["--antenna-dbi", antenna.split()[0], "--hears-dbm", -94]
        said = json.loads(ask(*words, "--height-m", near, "--far-height-m", far).stdout)
        assert said["margin_to_access_point_db"] == said["margin_to_node_db"]
        refused = "" if said["enough"] else ": refused"
        assert margin == f"{said['margin_to_node_db']:.1f} dB{refused}"
    assert len(table) == 4


def test_the_power_table_in_the_guide_is_what_the_program_reckons() -> None:
    table = rows("README.md", "| kit | Wh a day | days dark | December brings, times its load |")
    said = {one["kit"]: one for one in json.loads(ask("power", "--json").stdout)}
    assert [name for name, *_ in table] == list(said)
    for name, load, dark, winter in table:
        told = said[name]
        assert float(load) == pytest.approx(told["load_wh_per_day"], rel=0.006)
        bands = [(dark, told["dark_days_bad_usual_good"])]
        if told["darkest_month"] is not None:
            assert told["darkest_month"] == "Dec"
            bands.append((winter, told["darkest_month_times_load_bad_usual_good"]))
        for cell, (bad, usual, good) in bands:
            figures = [float(figure) for figure in re.findall(r"[\d.]+", cell)]
            assert figures == pytest.approx([usual, bad, good], rel=0.03, abs=0.06)
