# SPDX-License-Identifier: MIT
"""Dashboards as code: the index of pages, and the JSON files written from them."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

from kahriz_server.dashboards import alarms, delivery, fleet, kahriz, nodes, runbook
from kahriz_server.dashboards.common import Json
from kahriz_server.files import write_whole
from kahriz_server.texts import LANGS, Lang

# file name -> function of (language, reaches)
PAGES: dict[str, Callable[[Lang, Sequence[kahriz.Reach]], Json]] = {
    "fleet": lambda lang, _: fleet.build(lang),
    "kahriz": kahriz.build,
    "nodes": lambda lang, _: nodes.build(lang),
    "alarms": lambda lang, _: alarms.build(lang),
    "delivery": lambda lang, _: delivery.build(lang),
    "runbook": lambda lang, _: runbook.build(lang),
}


def render(reaches: Sequence[kahriz.Reach] = kahriz.REACHES) -> dict[str, str]:
    """Every dashboard file: path under the dashboards folder -> its text."""
    return {
        f"{lang}/{name}.json": json.dumps(build(lang, reaches), ensure_ascii=False, indent=1) + "\n"
        for name, build in PAGES.items()
        for lang in LANGS
    }


def write(folder: Path, reaches: Sequence[kahriz.Reach] = kahriz.REACHES) -> list[Path]:
    """Write all files; returns those that changed."""
    changed = []
    for name, text in render(reaches).items():
        path = folder / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            write_whole(path, text)
            changed.append(path)
    return changed


def stale(folder: Path) -> list[str]:
    """Files that differ from their source, are missing, or have no source."""
    wanted = render()
    found = {
        str(p.relative_to(folder)): p.read_text(encoding="utf-8")
        for p in sorted(folder.glob("*/*.json"))
    }
    return sorted(
        name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name)
    )
