# SPDX-License-Identifier: MIT
"""A lost database filled again from the stores of all gateways, several at a time.

The gateway's own program does it (`kahriz gateway refill --now`), so that the lines are those
that the gateway would write. Each store keeps how far it came.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

KAHRIZ = (sys.executable, "-m", "kahriz")
OUTPUTS = ("influx", "influx_1h")
NEEDED = ("site.toml", "village.db")


@dataclass(frozen=True, slots=True)
class Filled:
    """What became of one gateway; `error` is empty when all of it was brought."""

    name: str
    said: str
    seconds: float
    error: str = ""


def lacking(folder: Path) -> list[str]:
    """What a folder has not, of what a refill needs."""
    return [name for name in NEEDED if not (folder / name).exists()]


def refill_all(
    folders: Sequence[Path], url: str, token_file: Path, database: str, since: str, jobs: int
) -> Iterator[Filled]:
    """As they are ready; what fails is named, and the others go on."""
    with ThreadPoolExecutor(jobs) as pool:
        waiting = [
            pool.submit(_one, each.resolve(), url, token_file, database, since) for each in folders
        ]
        for future in as_completed(waiting):
            yield future.result()


def _one(folder: Path, url: str, token_file: Path, database: str, since: str) -> Filled:
    argv = [
        *KAHRIZ, "gateway", "refill", *OUTPUTS, "--now", "--since", since,
        "--config", str(folder / "site.toml"), "--data", str(folder),
        "--influx-url", url, "--influx-bucket", database,
        "--influx-token-file", str(token_file.resolve()),
    ]  # fmt: skip
    start_s = time.monotonic()
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    seconds = time.monotonic() - start_s
    said, told = (text.strip().rpartition("\n")[2] for text in (done.stdout, done.stderr))
    if done.returncode == 0:
        return Filled(folder.name, said, seconds)
    why = told.removeprefix("gateway: ") or f"it ended with {done.returncode}"
    return Filled(folder.name, "", seconds, why)
