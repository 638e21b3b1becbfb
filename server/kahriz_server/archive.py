# SPDX-License-Identifier: MIT
"""History once more with today's detectors, or under other ratings: an archive of kahrizes.

A kahriz is a folder with `site.toml` (or site.json) and `readings.csv` (or .csv.gz), as
`kahriz export values --form replay` writes them. Its alarms get their name only when they are
whole; what fails is named, and the others go on.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from kahriz_detect.replay.cli import load_site, recorded
from kahriz_detect.replay.run import Replay, ReplayError, Table
from kahriz_detect.replay.site_json import SiteError
from kahriz_server.many import Done, each
from kahriz_water.strict import ConfigError

SITES = ("site.toml", "site.json")
READINGS = ("readings.csv", "readings.csv.gz")


def kahrizes(archive: Path) -> list[Path]:
    """The folders of an archive that hold a kahriz, by name."""
    return sorted(p.parent for name in SITES for p in archive.glob(f"*/{name}"))


def replay_one(folder: Path, out: Path, ratings: str | None = None) -> Done:
    """One kahriz; `ratings` names the file of other ratings in its folder, if it has one."""
    try:
        site = load_site(next(folder / name for name in SITES if (folder / name).exists()))
        found = [folder / name for name in READINGS if (folder / name).exists()]
        if not found:
            return Done(folder.name, "", f"no {' or '.join(READINGS)} in {folder}")
        other = None if ratings is None else folder / ratings
        if other is not None and not other.exists():
            other = None
        if cut_short(found[0]):
            return Done(folder.name, "", f"{found[0]} was cut short: export it again")
        table = Table()
        for moment, finding in Replay(site).run(recorded(site, found[0], other)):
            table.told(moment, finding)
        beside = out / f"{folder.name}.csv.part"
        table.write(beside)
        beside.replace(out / f"{folder.name}.csv")
    except (SiteError, ReplayError, ConfigError, EOFError, OSError) as error:
        return Done(folder.name, "", str(error))
    rated = "" if ratings is None else ", other ratings" if other else ", its own ratings"
    return Done(folder.name, f"{len(table.alarms)} alarms{rated}")


def cut_short(readings: Path) -> bool:
    """Whether a file ends inside a line: the number there may be half of one. gzip knows itself."""
    if readings.suffix == ".gz":
        return False
    with readings.open("rb") as file:
        file.seek(0, os.SEEK_END)
        if file.tell() == 0:
            return True
        file.seek(-1, os.SEEK_END)
        return file.read(1) != b"\n"


def replay_all(
    folders: list[Path],
    out: Path,
    jobs: int | None = None,
    cluster: str | None = None,
    ratings: str | None = None,
) -> Iterator[Done]:
    """All of them, as they are ready."""
    out.mkdir(parents=True, exist_ok=True)
    yield from each(folders, partial(replay_one, out=out, ratings=ratings), jobs, cluster)
