# SPDX-License-Identifier: MIT
"""History once more with today's detectors: an archive of kahrizes, several at a time.

A kahriz is a folder with `site.toml` (or site.json) and `readings.csv` (or .csv.gz), as
`kahriz export values --form replay` writes them. Its alarms get their name only when they are
whole; what fails is named, and the others go on.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from multiprocessing import get_context
from pathlib import Path

from kahriz_detect.replay.cli import load_site
from kahriz_detect.replay.run import Replay, ReplayError, Table, rows
from kahriz_detect.replay.site_json import SiteError
from kahriz_water.strict import ConfigError

SITES = ("site.toml", "site.json")
JOIN_S = 10  # as long as a cluster may take to answer
READINGS = ("readings.csv", "readings.csv.gz")


@dataclass(frozen=True, slots=True)
class Done:
    """What became of one kahriz; `error` is empty when all of it was read."""

    name: str
    alarms: int
    error: str = ""


def kahrizes(archive: Path) -> list[Path]:
    """The folders of an archive that hold a kahriz, by name."""
    return sorted(p.parent for name in SITES for p in archive.glob(f"*/{name}"))


def replay_one(folder: Path, out: Path) -> Done:
    """One kahriz: plain arguments and a plain answer, so that any machine may do it."""
    try:
        site = load_site(next(folder / name for name in SITES if (folder / name).exists()))
        found = [folder / name for name in READINGS if (folder / name).exists()]
        if not found:
            return Done(folder.name, 0, f"no {' or '.join(READINGS)} in {folder}")
        table = Table()
        for moment, finding in Replay(site).run(rows(found[0])):
            table.told(moment, finding)
        beside = out / f"{folder.name}.csv.part"
        table.write(beside)
        beside.replace(out / f"{folder.name}.csv")
    except (SiteError, ReplayError, ConfigError, EOFError, OSError) as error:
        return Done(folder.name, 0, str(error))
    return Done(folder.name, len(table.alarms))


def replay_all(
    folders: list[Path], out: Path, jobs: int | None = None, cluster: str | None = None
) -> Iterator[Done]:
    """All of them, as they are ready; a worker that dies takes only what was not ready yet.

    With `cluster` (tcp://…) the workers of a Dask cluster do it; they must see the same folders.
    There a killed worker's kahrizes are done by another one.
    """
    out.mkdir(parents=True, exist_ok=True)
    with _executor(len(folders), jobs, cluster) as pool:
        waiting = {pool.submit(replay_one, folder, out): folder.name for folder in folders}
        for future in as_completed(waiting):
            try:
                yield future.result()
            except BrokenProcessPool:
                yield Done(waiting[future], 0, "a worker was killed (memory?): give fewer --jobs")
            except Exception as error:  # of the cluster: told by name, and the others go on
                if cluster is None:
                    raise
                yield Done(waiting[future], 0, f"the cluster gave it up: {error}")


@contextmanager
def _executor(count: int, jobs: int | None, cluster: str | None) -> Iterator[Executor]:
    if cluster is None:
        workers = min(jobs or os.cpu_count() or 1, max(1, count))
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
            yield pool
        return
    distributed = import_module("distributed")  # an extra that few need, and has no types
    client = distributed.Client(cluster, timeout=JOIN_S, set_as_default=False)
    with client, client.get_executor(pure=False) as pool:
        yield pool
