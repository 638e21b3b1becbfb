# SPDX-License-Identifier: MIT
"""The month's page of every kahriz, by the gateway's own program over a copy of its stores."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from kahriz_server.many import Done, each

NEEDED = ("site.toml", "village.db")
MOST_S = 300  # for one page; some seconds are usual


def stores(archive: Path) -> list[Path]:
    """The folders of an archive that hold a gateway's stores, by name."""
    return sorted(
        folder for folder in archive.glob("*/") if all((folder / n).exists() for n in NEEDED)
    )


def report_one(folder: Path, out: Path, month: str, lang: str) -> Done:
    """One kahriz; the page gets its name only when it is whole."""
    path = out / f"{folder.name}-{month}-{lang}.pdf"
    argv = [
        sys.executable, "-m", "kahriz", "report", "month", "--month", month, "--lang", lang,
        "--config", str(folder / "site.toml"), "--data", str(folder), "--out", str(path),
    ]  # fmt: skip
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=MOST_S, check=False)
    except subprocess.TimeoutExpired:
        return Done(folder.name, "", f"no page in {MOST_S} s")
    if done.returncode == 0:
        return Done(folder.name, path.name)
    why = done.stderr.strip().rpartition("\n")[2].removeprefix("gateway: ")
    return Done(folder.name, "", why or f"it ended with {done.returncode}")


def report_all(
    folders: list[Path],
    out: Path,
    month: str,
    lang: str,
    jobs: int | None = None,
    cluster: str | None = None,
) -> Iterator[Done]:
    """All of them, as they are ready."""
    out.mkdir(parents=True, exist_ok=True)
    yield from each(folders, partial(report_one, out=out, month=month, lang=lang), jobs, cluster)
