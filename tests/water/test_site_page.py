# SPDX-License-Identifier: MIT
"""docs/site.md names every key that the reader of site.toml knows, and is a plan itself."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kahriz_gateway.checks import About, examine
from kahriz_gateway.config import Options
from kahriz_water.plan import parse_plan
from kahriz_water.strict import Table

PAGE = Path(__file__).parents[2] / "docs" / "site.md"
WORDS = PAGE.read_text(encoding="utf-8")
TOML = WORDS.partition("```toml\n")[2].partition("```")[0]
FILES = re.compile(r'"(/etc/kahriz/[^"]+|/dev/serial/[^"]+)"')
KINDS = ("on_delay_minutes", "off_delay_minutes", "quality")  # their keys are kinds, not ours


def test_every_key_that_the_reader_knows_stands_on_the_page(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: set[tuple[str, str]] = set()
    take = Table._take

    def listen(self: Table, key: str) -> object:
        asked.add((re.sub(r"\[\d+\]", "", self.path).partition(".")[2], key))
        return take(self, key)

    monkeypatch.setattr(Table, "_take", listen)
    parse_plan(TOML, "site")
    assert len(asked) > 100
    missing = {
        f"{path}.{key}".strip(".")
        for path, key in asked
        if path.rpartition(".")[2] not in KINDS
        and not re.search(rf"(^|[\s{{#\[.]){re.escape(key)}(\s*=|\]|\.)", TOML, re.MULTILINE)
    }
    assert missing == set()


def test_the_page_is_a_plan_whose_people_can_all_be_reached(tmp_path: Path) -> None:
    def here(found: re.Match[str]) -> str:
        file = tmp_path / Path(found[1]).name
        file.write_text("secret", encoding="utf-8")
        file.chmod(0o600)
        return f'"{file}"'

    config = tmp_path / "site.toml"
    config.write_text(FILES.sub(here, TOML), encoding="utf-8")
    found = examine(About(Options(config, tmp_path / "data")), ("plan", "people"))
    assert [each.name for each in found] == ["plan", "people"]
    assert [(each.name, each.finding.says) for each in found if not each.passed] == []
    plan = parse_plan(TOML)
    assert plan.access_to("outlet") is not None
    assert plan.point("outlet") is not None
