# SPDX-License-Identifier: MIT
"""The plan: what it refuses, and with which words."""

from __future__ import annotations

from pathlib import Path

import pytest

from kahriz_water.plan import ConfigError, parse_plan

SITES = Path(__file__).parents[2] / "firmware" / "kahriz_sim" / "sites"
GOZLU = (SITES / "banovshalar-gozlu" / "site.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize("site", ["banovshalar-gozlu", "baharli-valibay"])
def test_a_demo_site_reads(site: str) -> None:
    plan = parse_plan((SITES / site / "site.toml").read_text(encoding="utf-8"))
    assert plan.id == site
    assert len(plan.nodes) == 6
    assert [(r.from_, r.to) for r in plan.reaches] == [("outlet", "middle"), ("middle", "inlet")]
    assert plan.name.of("az") != plan.name.of("en")


def test_the_unfilled_template_is_refused_and_says_what_to_do() -> None:
    text = (SITES / "aghjabadi-template" / "site.toml").read_text(encoding="utf-8")
    with pytest.raises(ConfigError, match="template") as caught:
        parse_plan(text)
    assert caught.value.path == "site.toml.site.unfilled"


@pytest.mark.parametrize(
    ("was", "becomes", "path", "word"),
    [
        ("length_m = 900", "length_km = 0.9", "reach[1].length_m", "length_km"),
        ("length_m = 900", "length_m = 0.9", "reach[1].length_m", "metres"),
        ("angle_deg = 90", 'angle_deg = "90"', "structure.angle_deg", "degrees"),
        ("angle_deg = 90", "angle_deg = 9", "structure.angle_deg", "25 to 100"),
        ("spill_m = 2.50", "spil_m = 2.50", "spil_m", "did you mean spill_m"),
        ("spill_m = 2.50", "spill_m = 2500", "spill_m", "metres"),
        ('to = "inlet"', 'to = "outlet"', "reach", "circle"),
        ('to = "inlet"', 'to = "sea"', "reach[2].to", "inlet"),
        ('id = "pool"', 'id = "Pool"', "point[4].id", "a-z"),
        ('id = "pool"', 'id = "tank"', "point", "once"),
        ('node = "pool"', 'node = "gateway"', "point[4].id", "reserved"),
        ("[[0.0, 0.0], [3.0, 870.0]]", "[[0.0, 5.0], [3.0, 1.0]]", "level_volume", "rising"),
        ("dt_s = 300", "dt_s = 0.5", "dt_s", "seconds"),
        ("port = 8080", "port = 80800", "page.port", "TCP"),
        ("[page]", "[pages]", "pages", "did you mean page"),
        ('kind = "pool"', 'kind = "lake"', "kind", "tank"),
    ],
)
def test_a_mistake_is_named_with_its_path_and_what_was_expected(
    was: str, becomes: str, path: str, word: str
) -> None:
    assert was in GOZLU
    with pytest.raises(ConfigError) as caught:
        parse_plan(
            GOZLU.replace(was, becomes, 1) if "to =" not in was else GOZLU.replace(was, becomes)
        )
    assert path in caught.value.path
    assert word in str(caught.value)


def test_broken_toml_is_said_to_be_broken() -> None:
    with pytest.raises(ConfigError, match="TOML"):
        parse_plan("[site\n")
