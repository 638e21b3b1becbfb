# SPDX-License-Identifier: MIT
"""One schedule, lived by the node's real program and the real gateway, and judged."""

from __future__ import annotations

import json
import logging
import tempfile
from pathlib import Path

from kahriz_sim.lone_line import LoneLine
from kahriz_sim.lone_world import live

from ..cable import new_flash
from .alone import own_folder, places
from .disk import used
from .growth import Growth
from .judge import judge
from .life import COPY_S, FaultLife
from .schedule import Schedule
from .site import Site
from .small import NODE, node_config
from .trouble import Trouble
from .verdict import Verdict

START_MS = 1_790_000_100_000
KEEP_WAKES = 1000  # modules are loaded anew after a power cut; how they load is another campaign's
SETTLE_S = 1800.0  # for what is still to be told and handed over


def run(schedule: Schedule, image: Path) -> Verdict:
    """Live it, without the words of thousands of faults."""
    loud = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        return _run(schedule, image)
    finally:
        logging.disable(loud)


def _run(schedule: Schedule, image: Path) -> Verdict:
    with tempfile.TemporaryDirectory(prefix=own_folder("run"), dir=places()[0]) as given:
        folder = Path(given)
        flash = folder / "node.lfs"
        new_flash(flash, node_config(schedule.dt_s, schedule.batch), {})
        (folder / "config.json").write_text("")
        site = Site(folder, START_MS, schedule.seed, schedule.dt_s)
        with used(site.disk):
            return _lived(schedule, site, folder, flash, image)


def _lived(schedule: Schedule, site: Site, folder: Path, flash: Path, image: Path) -> Verdict:
    trouble = Trouble(site)
    for each in schedule.happenings:
        site.at(each.at_s, lambda each=each: trouble.happen(each))  # type: ignore[misc]
        site.at(each.to_s, lambda each=each: trouble.end(each))  # type: ignore[misc]
        if each.kind == "store_restored":
            site.at(max(60.0, each.at_s - COPY_S), trouble.back_up)
    growth = Growth(site, schedule.happenings)
    life = FaultLife(schedule, site, flash)
    line = LoneLine(life.talk, None, life.passed)  # type: ignore[arg-type]
    said = live(life, NODE, flash, image, folder / "config.json", line=line, keep_wakes=KEEP_WAKES)
    site.run_until(site.time.at_s + SETTLE_S)
    site.close()
    return judge(schedule, life, trouble, growth, said, flash)


def as_json(verdict: Verdict) -> str:
    return json.dumps(verdict.as_dict())
