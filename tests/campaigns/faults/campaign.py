# SPDX-License-Identifier: MIT
"""Random schedules of faults on virtual time: the node's real program, the real gateway.

    python -m tests.campaigns.faults.campaign [--runs 1000] [--seed 1] [--minutes M] [--out FILE]
    python -m tests.campaigns.faults.campaign --only SEED [--keep 0,2] [--no-fall]

Exit code 1 when a promise is broken. A seed that breaks one is shrunk to the fewest happenings that
still break it, and printed as the command that lives it again. `--out` keeps a line a run, for
`python -m tests.campaigns.faults.table`; given again after an end or a kill, it goes on with the
seeds that the file lacks. `--again FILE` lives the seeds that are broken there, whatever `--seed`.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from itertools import count, islice
from pathlib import Path
from types import FrameType

from kahriz_tools.image import build_image

from .alone import die_with_parent, own_folder, sweep
from .lines import Book, to_be_lived_again
from .run import run
from .schedule import ALL_KINDS, Schedule, draw
from .verdict import Verdict

DRIVERS = ["a02yyuw", "ds18b20", "loop_ads1115"]
AT_ONCE = 5  # seeds a job
STANDS_STILL_S = 900  # a month takes 6 s of processor time; a loaded machine twenty times that
SHRUNK_MOST = 5  # failing seeds that are shrunk; the others are named


def one(seed: int, image: Path, most_s: int = 0) -> Verdict:
    """Live a seed; a run that cannot be lived to its end is a broken one."""
    schedule = draw(seed)
    try:
        with _guarded(most_s):
            return run(schedule, image)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is reported with its seed
        kinds = [h.kind for h in schedule.happenings]
        return Verdict(seed, kinds, faults=[f"the run ended: {error!r}"])


@contextmanager
def _guarded(most_s: int) -> Iterator[None]:
    """End a run that stands still: its world waits in the main thread. Zero lets it stand.

    It takes the process's one alarm, so a test that has a time of its own goes without.
    """
    if not most_s:
        yield
        return

    def ring(signum: int, frame: FrameType | None) -> None:
        raise TimeoutError(f"it stood still for {most_s} s")

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(most_s)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def shrunk(whole: Schedule, image: Path) -> tuple[Schedule, tuple[int, ...], Verdict]:
    """The fewest happenings of a broken schedule that still break something."""
    keep = tuple(range(len(whole.happenings)))
    calm = whole.without_fall()
    if whole.fall_s is not None and run(calm, image).faults:
        whole = calm
    verdict = run(whole, image)
    for index in keep:
        fewer = tuple(i for i in keep if i != index)
        tried = run(whole.only(fewer), image)
        if tried.faults:
            keep, verdict = fewer, tried
    return whole, keep, verdict


def command(schedule: Schedule, keep: tuple[int, ...]) -> str:
    """How to live it again."""
    kept = f" --keep {','.join(map(str, keep))}" if keep else " --keep -"
    fall = " --no-fall" if schedule.fall_s is None and draw(schedule.seed).fall_s else ""
    return f"make faults ARGS='--only {schedule.seed}{kept}{fall}'"


def _seeds(first: int, kinds: set[str]) -> Iterator[int]:
    """All, or those whose schedule has one of these faults."""
    for seed in count(first):
        if not kinds or any(h.kind in kinds for h in draw(seed).happenings):
            yield seed


def _wanted(given: argparse.Namespace) -> list[int]:
    """The seeds of this campaign."""
    if given.again is not None:
        return to_be_lived_again(given.again)
    kinds = set(filter(None, given.kinds.split(",")))
    return list(islice(_seeds(given.seed, kinds), given.runs))


def _chunks(seeds: Iterator[int], at_once: int) -> Iterator[list[int]]:
    while chunk := list(islice(seeds, at_once)):
        yield chunk


def many(seeds: list[int], image: Path) -> list[Verdict]:
    return [one(seed, image, STANDS_STILL_S) for seed in seeds]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=float("inf"))
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--again", type=Path, metavar="FILE", help="the seeds broken in FILE")
    parser.add_argument("--with", dest="kinds", default="", help="only seeds with one of these")
    parser.add_argument("--first", action="store_true", help="stop at the first broken one")
    parser.add_argument("--only", type=int)
    parser.add_argument("--keep")
    parser.add_argument("--no-fall", action="store_true")
    given = parser.parse_args()
    wrong = _wrong(given)
    if wrong:
        parser.error(wrong)
    sweep()
    with tempfile.TemporaryDirectory(prefix=own_folder("image")) as folder:
        image = Path(folder)
        build_image(image, DRIVERS)
        if given.only is not None:
            return again(given.only, given.keep, given.no_fall, image)
        return campaign(given, image)


def _wrong(given: argparse.Namespace) -> str:
    """What cannot be lived, in words."""
    known = set(ALL_KINDS)
    for kind in filter(None, given.kinds.split(",")):
        if kind not in known:
            return f"--with {kind}: one of {', '.join(sorted(known))}"
    if given.keep is not None and given.only is None:
        return "--keep says which happenings of --only SEED stay"
    if given.keep not in (None, "-"):
        last = len(draw(given.only).happenings) - 1
        for index in given.keep.split(","):
            if not index.isdigit() or int(index) > last:
                return f"--keep {given.keep}: numbers from 0 to {last}, or - for none"
    if given.again is not None and not given.again.is_file():
        return f"--again {given.again}: no such file"
    if given.runs < 1 or given.jobs < 1:
        return "--runs and --jobs: 1 or more"
    return ""


def again(seed: int, keep: str | None, no_fall: bool, image: Path) -> int:
    schedule = draw(seed)
    if keep is not None:
        schedule = schedule.only(tuple(int(i) for i in keep.split(",") if i.isdigit()))
    if no_fall:
        schedule = schedule.without_fall()
    for each in schedule.happenings:
        print(f"{each.at_s:9.1f} s  {each.kind} for {each.for_s:.1f} s (how {each.how})")
    if schedule.fall_s is not None:
        print(f"{schedule.fall_s:9.1f} s  the mouth falls to {schedule.fall_to:.0%}")
    verdict = run(schedule, image)
    print(json.dumps(verdict.as_dict(), indent=1))
    return 1 if verdict.faults else 0


def campaign(given: argparse.Namespace, image: Path) -> int:
    begun = time.monotonic()
    broken: list[Verdict] = []
    done = 0
    seeds = _wanted(given)
    out = Book(given.out) if given.out else None
    if out is not None and given.again is None:
        known = len(seeds)
        seeds = [seed for seed in seeds if seed not in out.lived]
        if len(seeds) < known:
            print(f"{known - len(seeds)} of {known} have been lived before", flush=True)
    chunks = _chunks(iter(seeds), 1 if given.first else AT_ONCE)
    with ProcessPoolExecutor(given.jobs, initializer=die_with_parent) as pool:
        jobs = [pool.submit(many, chunk, image) for chunk in islice(chunks, given.jobs + 1)]
        while jobs:
            for verdict in jobs.pop(0).result():
                done += 1
                if out is not None:
                    out.put(verdict)
                if verdict.faults:
                    broken.append(verdict)
                    print(f"seed {verdict.seed}: {'; '.join(verdict.faults)}", flush=True)
            if given.first and broken:
                jobs.clear()
                break
            if time.monotonic() - begun < 60 * given.minutes:
                jobs += [pool.submit(many, chunk, image) for chunk in islice(chunks, 1)]
        worst = [] if given.first else [draw(v.seed) for v in broken[:SHRUNK_MOST]]
        for small in pool.map(partial(shrunk, image=image), worst):
            schedule, keep, verdict = small
            print(f"{command(schedule, keep)}\n    {'; '.join(verdict.faults)}")
    if out is not None:
        out.close()
    print(f"{done} schedules from seed {given.seed}, {len(broken)} broken,"
          f" {time.monotonic() - begun:.0f} s")  # fmt: skip
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
