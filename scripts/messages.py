# SPDX-License-Identifier: MIT
"""Compile every message catalogue (.po, written by people) into the .mo that gettext reads."""

from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

ROOT = Path(__file__).parents[1]


def compile_all(root: Path = ROOT) -> list[Path]:
    """Write the .mo beside each .po under gateway/ and server/; return those that changed."""
    changed = []
    for folder in ("gateway", "server"):
        for source in sorted((root / folder).rglob("*.po")):
            with source.open("rb") as file:
                catalogue = read_po(file)
            target = source.with_suffix(".mo")
            before = target.read_bytes() if target.exists() else b""
            with target.open("wb") as file:
                write_mo(file, catalogue)
            if target.read_bytes() != before:
                changed.append(target)
    return changed


if __name__ == "__main__":
    for path in compile_all():
        print(f"wrote {path.relative_to(ROOT)}")
