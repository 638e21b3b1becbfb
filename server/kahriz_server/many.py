# SPDX-License-Identifier: MIT
"""The same work for many kahrizes: on the processors of this machine or on a Dask cluster.

The work is a function of plain arguments with a plain answer, so that any machine may do it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from multiprocessing import get_context
from pathlib import Path

JOIN_S = 10  # as long as a cluster may take to answer


@dataclass(frozen=True, slots=True)
class Done:
    """What became of one kahriz; `error` is empty when all of it was done."""

    name: str
    said: str
    error: str = ""


Work = Callable[[Path], Done]


def each(
    folders: Sequence[Path], work: Work, jobs: int | None = None, cluster: str | None = None
) -> Iterator[Done]:
    """All of them, as they are ready; a worker that dies takes only what was not ready yet.

    With `cluster` (tcp://…) the workers of a Dask cluster do it; they must see the same folders.
    There a killed worker's kahrizes are done by another one.
    """
    with _executor(len(folders), jobs, cluster) as pool:
        waiting = {pool.submit(work, folder): folder.name for folder in folders}
        for future in as_completed(waiting):
            try:
                yield future.result()
            except BrokenProcessPool:
                yield Done(waiting[future], "", "a worker was killed (memory?): give fewer --jobs")
            except Exception as error:  # of the cluster: told by name, and the others go on
                if cluster is None:
                    raise
                yield Done(waiting[future], "", f"the cluster gave it up: {error}")


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
