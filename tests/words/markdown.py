# SPDX-License-Identifier: MIT
"""The pages for people as data: their blocks of code, words of code, links and headings."""

from __future__ import annotations

import os
import re
import textwrap
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
NOT_OURS = {"build", "dist", "demo-data", "node_modules"}
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.M | re.S)
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")


@dataclass(frozen=True)
class Block:
    """A block of code: its language, `""` for a bare fence, `indented` without one."""

    kind: str
    text: str


@dataclass(frozen=True)
class Page:
    """One page."""

    path: Path
    text: str

    @property
    def name(self) -> str:
        return self.path.relative_to(ROOT).as_posix()

    def blocks(self) -> Iterator[Block]:
        for found in FENCE.finditer(self.text):
            yield Block(found[1], found[2])
        for found in re.finditer(r"(?:^ {4}\S.*\n(?:^ {4}.*\n)*)", self.prose(), re.M):
            before = self.prose()[: found.start()].rstrip(" ")
            if before.endswith("\n\n"):  # else it is a paragraph of a list
                yield Block("indented", textwrap.dedent(found[0]))

    def prose(self) -> str:
        """The page without its fenced blocks."""
        return FENCE.sub("", self.text)

    def words(self) -> Iterator[str]:
        """What stands `so` in the prose."""
        for found in re.finditer(r"(?<!`)`([^`\n]+(?:\n[^`\n]+)?)`(?!`)", self.prose()):
            yield found[1].replace("\n", " ")

    def links(self) -> Iterator[str]:
        yield from LINK.findall(self.prose())

    def anchors(self) -> set[str]:
        """The names by which its headings can be linked to, as GitHub makes them."""
        found: dict[str, int] = {}
        out = set()
        for title in re.findall(r"^#{1,6} +(.+?) *#*$", self.prose(), re.M):
            name = slug(title)
            again = found[name] = found.get(name, -1) + 1
            out.add(f"{name}-{again}" if again else name)
        return out


def slug(title: str) -> str:
    plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", title).lower()
    kept = (c for c in plain if c in "-_ " or unicodedata.category(c)[0] in "LNM")
    return "".join(kept).replace(" ", "-")


@cache
def pages() -> tuple[Page, ...]:
    """Every page of the tree."""
    found = []
    for folder, inside, files in os.walk(ROOT):
        inside[:] = sorted(n for n in inside if n not in NOT_OURS and not n.startswith("."))
        found += [Path(folder) / name for name in sorted(files) if name.endswith(".md")]
    return tuple(Page(path, path.read_text(encoding="utf-8")) for path in found)
